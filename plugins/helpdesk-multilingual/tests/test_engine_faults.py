"""Faults of engines that are no faults of the engine, and those that could take others with them."""

import itertools
import threading
from typing import Any

import pytest
from helpdesk_multilingual import apertium, engine_health, engines, memory
from helpdesk_multilingual.engines import Late, NoEngine, translate
from helpdesk_multilingual.glossary import KnownTerm
from helpdesk_multilingual.offering import Engine, EngineFault
from helpdesk_multilingual.protection import protect
from helpdesk_multilingual.settings import MultilingualSettings

from helpdesk.api import db


@pytest.fixture
def bring(plug: Any, configure: Any) -> Any:
    """Engines of other plugins, and no others: each with what it says."""

    def make(**said: Any) -> None:
        configure(MultilingualSettings, apertium=False)
        for name, one in said.items():
            engine = one if isinstance(one, Engine) else Engine(f"{name}.engine", name.capitalize(), one)
            plug(name, multilingual_engines=lambda engine=engine: [engine])

    return make


def failures(key: str) -> int:
    state = engine_health.states().get(key)
    return state.failures if state is not None else 0


def test_a_language_or_a_text_that_does_not_suit_an_engine_leaves_it_to_the_others(
    app: Any, libretranslate: Any
) -> None:
    """Three customers who write Thai, or names that stay as they are, do not take it from those who write Spanish."""
    for _time in range(3):
        with pytest.raises(NoEngine, match="does not translate"):
            translate(["Hello"], "en", "th", seconds=60)
    assert failures("libretranslate") == 0
    libretranslate.fault = "same"
    for _time in range(3):
        with pytest.raises(NoEngine, match="gave the text back"):
            translate(["Larkwheel Meridian Tourer"], "en", "es", seconds=60)
    libretranslate.fault = ""
    assert translate(["Hello"], "en", "es", seconds=60).texts == ["es: Hello"]


def test_who_got_the_rest_of_the_time_is_not_blamed_for_being_late(app: Any, bring: Any) -> None:
    given: list[float] = []

    def slow(texts: Any, source: str, target: str, seconds: float) -> Any:
        raise EngineFault("It took too long.", late=True)

    def second(texts: Any, source: str, target: str, seconds: float) -> Any:
        given.append(seconds)
        raise EngineFault("It took too long.", late=True)

    bring(one=slow, two=second)
    with pytest.raises(Late):
        translate(["Hello"], "en", "es", seconds=60)
    assert (failures("one.engine"), failures("two.engine"), len(given)) == (1, 1, 1), "both had nearly all of it"
    engine = Engine("three.engine", "Three", second)
    with pytest.raises(EngineFault):
        engines._of_engine(engine, ["Hello"], "en", "es", 0.2, None, whole=8)
    assert failures("three.engine") == 0


def test_an_engine_that_cannot_say_whether_it_is_ready_is_left_out(app: Any, bring: Any) -> None:
    def broken() -> bool:
        raise RuntimeError("secret detail")

    fine: Any = lambda texts, *_rest: [f"F {text}" for text in texts]  # noqa: E731
    bring(one=Engine("one.engine", "One", fine, is_ready=broken), two=fine)
    assert translate(["Hello"], "en", "es", seconds=60).engine == "two.engine"
    row = next(row for row in engines.listed() if row.key == "one.engine")
    assert not row.available and "secret" not in row.problem


def test_an_answer_without_end_is_not_waited_for(app: Any, bring: Any) -> None:
    patience = threading.Event()

    def slow(texts: Any, source: str, target: str, seconds: float) -> Any:
        patience.wait(60)
        yield "x"

    bring(one=lambda texts, *_rest: itertools.repeat("x"))
    with pytest.raises(NoEngine, match="another number of texts"):
        translate(["Hello"], "en", "es", seconds=60)
    bring(two=slow)
    try:
        with pytest.raises(Late):
            translate(["Hello"], "en", "es", seconds=0.5)
    finally:
        patience.set()


def test_half_a_letter_in_an_answer_can_be_kept(app: Any, bring: Any) -> None:
    bring(one=lambda texts, *_rest: ["Hola \ud83d\x00" for _text in texts])
    (said,) = translate(["Hello"], "en", "es", seconds=60).texts
    assert said.encode() and "Hola" in said and "\0" not in said


def test_nothing_of_the_database_is_held_while_an_engine_is_asked(app: Any, bring: Any) -> None:
    held: list[bool] = []
    session = db.session()

    def look(texts: Any, source: str, target: str, seconds: float) -> Any:
        held.append(session.in_transaction())
        return [f"L {text}" for text in texts]

    bring(one=look)
    memory.confirm("Known.", "Sabido.", "en", "es", None)
    assert translate(["Known.\n\nHello"], "en", "es", seconds=60).texts == ["Sabido.\n\nL Hello"]
    assert held == [False]


def test_the_time_is_over_also_for_what_says_which_pairs_it_has(app: Any, configure: Any, monkeypatch: Any) -> None:
    """A program that hangs when it is asked for its pairs is asked once, and for no longer than there is time."""
    until: list[float] = []

    def hang(words: Any, text: str, end: float) -> str:
        until.append(end)
        raise EngineFault("It took too long.", late=True)

    monkeypatch.setattr(apertium.shutil, "which", lambda name: "/usr/bin/apertium")
    monkeypatch.setattr(apertium, "_output", hang)
    monkeypatch.setattr(apertium.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(apertium, "_seen", [])
    for _time in range(2):
        with pytest.raises(NoEngine):
            translate(["Hello"], "en", "es", seconds=1)
    assert len(until) == 1 and until[0] <= 1001.0


def test_the_same_words_with_another_link_are_another_text(app: Any, bring: Any) -> None:
    bring(one=lambda texts, *_rest: [f"L {text}" for text in texts])
    memory.confirm("See https://shop.example/AbC now.", "Vea https://shop.example/AbC.", "en", "es", None)
    assert translate(["see https://shop.example/AbC now."], "en", "es").engine == "memory"
    done = translate(["See https://shop.example/abc now."], "en", "es", seconds=60)
    assert done.texts == ["L See https://shop.example/abc now."]


def _term(number: int, term: str) -> KnownTerm:
    return KnownTerm(number, "", "", term, "X", "", False)


def test_a_part_of_a_word_is_no_word_in_any_script_with_spaces() -> None:
    for term, text in (("кот", "который"), ("ένα", "κανένα"), ("été", "étés"), ("علم", "معلم")):
        assert protect(text, [_term(1, term)]).terms == (), text
        assert protect(f"{term}.", [_term(1, term)]).terms, term
    for term, text in (("刹车", "后刹车坏了"), ("ブレーキ", "後ブレーキが"), ("เบรก", "ที่เบรกหลัง"), ("İade", "iade?")):
        assert protect(text, [_term(1, term)]).terms, text


def test_only_words_that_stand_in_a_text_are_looked_for(monkeypatch: Any) -> None:
    """Twenty thousand words of a glossary cost no pattern each."""
    from helpdesk_multilingual import protection

    asked: list[str] = []
    made = protection.re.finditer
    monkeypatch.setattr(protection.re, "finditer", lambda pattern, *rest: asked.append(pattern) or made(pattern, *rest))
    terms = [_term(number, f"word {number}") for number in range(20_000)]
    assert [term.term for term in protect("The WORD 77 is here", terms).terms] == ["word 77"]
    assert len(asked) < 10
