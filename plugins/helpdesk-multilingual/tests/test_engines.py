"""Engines: the one that is asked, what it may answer, how long it may take, and what comes of each fault."""

import shutil
import time
from typing import Any

import pytest
from helpdesk_multilingual import engine_health, engines, glossary, memory
from helpdesk_multilingual.engines import Late, NoEngine, translate
from helpdesk_multilingual.glossary import TermDraft
from helpdesk_multilingual.models import EngineState
from helpdesk_multilingual.offering import Engine, EngineFault
from helpdesk_multilingual.protection import LOST
from helpdesk_multilingual.settings import MultilingualSettings

from helpdesk.api import NotAllowed, RequestSettings, db, transaction

HELLO = "Your order 4471 arrives on Monday.\n\nSee https://shop.example/o/4471 for more."


@pytest.fixture
def bring(plug: Any) -> Any:
    """An engine of another plugin."""

    def make(said: Any, key: str = "orders.engine", **more: Any) -> list[Any]:
        asked: list[Any] = []

        def answer(texts: Any, source: str, target: str, seconds: float) -> Any:
            asked.append((list(texts), source, target))
            return said(texts) if callable(said) else said

        engine = Engine(key, "Orders", answer, **more)
        plug(key.partition(".")[0], multilingual_engines=lambda: [engine])
        return asked

    return make


def test_libretranslate_gets_what_is_unprotected_and_the_memory_and_the_glossary_do_their_part(
    app: Any, libretranslate: Any, make_user: Any, configure: Any
) -> None:
    boss = make_user("supervisor")
    own = {"libretranslate_url": f"{libretranslate.url}/", "seconds": 20, "apertium": False}
    configure(MultilingualSettings, **own, libretranslate_key="secret")
    libretranslate.key = "secret"
    libretranslate.pairs |= {
        "Your order 4471 arrives on Monday.": "Su pedido 4471 llega el lunes.",
        "See https://shop.example/o/4471 for more.": "Vea nuestra página para más.",
    }
    done = translate([HELLO], "en", "es")
    assert done.texts == ["Su pedido 4471 llega el lunes.\n\nVea nuestra página para más."]
    assert (done.engine, done.warnings) == ("libretranslate", [[LOST, "https://shop.example/o/4471"]])
    (asked,) = libretranslate.asked
    assert asked["q"] == ["Your order [#0#] arrives on Monday.", "See [#0#] for more."]
    assert (asked["source"], asked["target"], asked["format"], asked["api_key"]) == ("en", "es", "text", "secret")
    memory.confirm("See https://shop.example/o/4471 for more.", "De memoria.", "en", "es", boss)
    glossary.save(None, TermDraft("en", "es", "order", "encargo"), boss)
    again = translate([HELLO.replace("Your order", "The Order"), "  7 ", ""], "en", "es")
    assert again.texts == ["es: The Encargo 4471 arrives on Monday.\n\nDe memoria.", "  7 ", ""]
    assert libretranslate.asked[1]["q"] == ["The [#0#] [#1#] arrives on Monday."]
    assert (
        translate(["Hi"], "en", "zh_Hant").texts == ["zh-Hant: Hi"] and libretranslate.asked[2]["target"] == "zh-Hant"
    )
    assert translate(["Hola"], "es_MX", "es").texts == ["Hola"], "the same language"
    libretranslate.key = "another"
    with pytest.raises(NoEngine, match="It refused: Invalid API key"):
        translate(["Hello"], "en", "es")
    with pytest.raises(NoEngine, match="does not translate from English into Thai"):
        translate(["Hello"], "en", "th")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("down", "Internal Server Error"),
        ("html", "a page instead of a translation"),
        ("wrong", "not a translation"),
        ("less", "another number of texts"),
        ("empty", "empty"),
        ("same", "gave the text back"),
        ("refused", "Invalid API key"),
    ],
)
def test_a_fault_of_an_engine_is_one_sentence(app: Any, libretranslate: Any, fault: str, sentence: str) -> None:
    libretranslate.fault = fault
    with pytest.raises(NoEngine, match=sentence) as raised:
        translate([HELLO], "en", "es", seconds=60)
    assert "LibreTranslate" in str(raised.value) and "<" not in str(raised.value)
    state = db.session.get(EngineState, "libretranslate")
    if fault == "same":
        assert state is None, "nobody is left alone for a text that stays as it is"
    else:
        assert state is not None and state.failures == 1 and sentence in state.last_error


def test_a_slow_engine_is_not_waited_for_and_one_that_fails_often_is_left_alone(
    app: Any, libretranslate: Any, make_user: Any, travel: Any
) -> None:
    libretranslate.fault = "slow"
    begin = time.monotonic()
    with pytest.raises(Late, match="took too long"):
        translate(["Hello"], "en", "es", seconds=0.2)
    # Far from what the server would take, whatever the machine does.
    assert time.monotonic() - begin < 50
    libretranslate.fault = "down"
    for _time in range(2):
        with pytest.raises(NoEngine):
            translate(["Hello"], "en", "es", seconds=60)
    asked = len(libretranslate.asked)
    libretranslate.fault = ""
    with pytest.raises(NoEngine, match="rests after several failures"):
        translate(["Hello"], "en", "es", seconds=60)
    assert len(libretranslate.asked) == asked
    row = next(row for row in engines.listed() if row.key == "libretranslate")
    assert not row.available and "Internal Server Error" in row.problem
    travel(seconds=31)
    assert translate(["Hello"], "en", "es", seconds=60).texts == ["es: Hello"]
    assert engine_health.states()["libretranslate"].failures == 0
    with transaction():
        state = db.session.get_one(EngineState, "libretranslate")
        state.failures = 50
    engine_health.failed("libretranslate", "x")
    assert engine_health.rests(engine_health.states()["libretranslate"])
    with pytest.raises(NotAllowed):
        engines.check("libretranslate", make_user("agent"))
    assert engines.check("libretranslate", make_user("admin")).available
    assert translate(["Hello"], "en", "es", seconds=60).engine == "libretranslate"


def test_a_server_of_the_own_network_is_asked_only_where_the_owner_allows_it(
    app: Any, libretranslate: Any, configure: Any
) -> None:
    configure(RequestSettings, own_servers="")
    with pytest.raises(NoEngine, match="own network"):
        translate(["Hello"], "en", "es", seconds=60)
    assert libretranslate.asked == []


# ---- engines of other plugins, and their order


def test_another_plugin_brings_an_engine_and_the_owner_says_who_is_asked_first(
    app: Any, libretranslate: Any, bring: Any, make_user: Any
) -> None:
    """register_hookspecs, multilingual_engines."""
    admin = make_user("admin")
    asked = bring(lambda texts: [f"O {text}" for text in texts], pairs=lambda: {("en", "es")})
    assert translate(["Hello"], "en", "es", seconds=60).engine == "libretranslate"
    engines.save_order("en", "", ["orders.engine", "libretranslate"], admin)
    done = translate(["Hello there"], "en", "es", seconds=60)
    assert (done.texts, done.engine, asked) == (["O Hello there"], "orders.engine", [(["Hello there"], "en", "es")])
    assert translate(["Hello"], "en", "fr", seconds=60).engine == "libretranslate", "it has no French"
    assert engines.order_of("en", "de") == ["orders.engine", "libretranslate"]
    engines.save_order("en", "fr", ["orders.engine"], admin)
    with pytest.raises(NoEngine, match="No engine translates from English into French"):
        translate(["Hello"], "en", "fr", seconds=60)
    engines.forget_order("en", "fr", admin)
    assert engines.label_of("orders.engine") == "Orders" and engines.label_of("gone") == "gone"
    assert engines.try_out("orders.engine", "Order 7", "en", "es").text == "O Order 7"
    with pytest.raises(NotAllowed):
        engines.save_order("", "", [], make_user("supervisor"))


def _raise(error: Exception) -> Any:
    raise error


ODD: dict[str, Any] = {
    "raises": lambda texts: _raise(RuntimeError("secret detail")),
    "no list": None,
    "numbers": lambda texts: [7 for _text in texts],
    "too long": lambda texts: ["x" * 100_000 for _text in texts],
    "a page": lambda texts: ["<html><script>alert(1)</script></html>" for _text in texts],
    "its own fault": lambda texts: _raise(EngineFault("It is closed on Sundays.")),
}


@pytest.mark.parametrize("odd", ODD)
def test_whatever_an_engine_does_the_next_one_is_asked(app: Any, libretranslate: Any, bring: Any, odd: str) -> None:
    bring(ODD[odd])
    libretranslate.fault = "down"
    with pytest.raises(NoEngine) as raised:
        translate(["Hello there, how are you?"], "en", "es", seconds=60)
    assert "Orders: " in str(raised.value) and "secret" not in str(raised.value)
    assert odd != "its own fault" or "closed on Sundays" in str(raised.value)


def test_tags_in_an_answer_become_text(app: Any, bring: Any, configure: Any) -> None:
    configure(MultilingualSettings, apertium=False)
    bring(lambda texts: ["<b>Hola</b> <i onclick=x>usted</i> &amp; co"])
    assert translate(["Hello you"], "en", "es", seconds=60).texts == ["Hola usted & co"]


# ---- Apertium, for real

APERTIUM = shutil.which("apertium") is not None
NEEDED = "needs Apertium: apt-get install apertium apertium-eng-spa"


@pytest.mark.skipif(not APERTIUM, reason=NEEDED)
def test_apertium_translates_on_this_machine(app: Any, configure: Any, make_user: Any) -> None:
    """As a process of its own, ended with its children when the time is over."""
    configure(MultilingualSettings, seconds=60)
    text = "The house is big.\n\nOrder 4471: see https://shop.example/o/4471 [now] ^or$ {never}."
    done = translate([text], "en", "es")
    first, second = done.texts[0].split("\n\n")
    assert (first, done.engine, done.warnings) == ("La casa es grande.", "apertium", [])
    assert "4471: " in second and "https://shop.example/o/4471" in second and "{" in second
    assert translate(["La casa es grande."], "es", "en").texts == ["The house is big."]
    with pytest.raises(NoEngine, match="No engine translates from English into German"):
        translate(["Hello"], "en", "de")
    row = next(row for row in engines.listed() if row.key == "apertium")
    assert row.available and "en-es" in row.pairs and engines.check("apertium", make_user("admin")).available
    with pytest.raises((Late, NoEngine)):
        translate(["The house is big. " * 4000], "en", "es", seconds=0.06)
    configure(MultilingualSettings, apertium=False)
    with pytest.raises(NoEngine):
        translate(["The house is red."], "en", "es")
