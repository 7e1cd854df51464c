"""What no engine may change comes back as it was, or its loss is said."""

import re

import pytest
from helpdesk_multilingual.glossary import KnownTerm
from helpdesk_multilingual.protection import ADDED, LOST, TWICE, protect
from hypothesis import given
from hypothesis import strategies as st

TEXT = (
    "Order A-1093 of 12/03/2026 costs 1,299.50: see https://shop.example/o/1093?a=b, write to mia.sorel@desk.example "
    "or call +49 30 1234567. Type `pip install x`, {{ customer.name }}, %(name)s."
)
TERM = {"id": 1, "source": "en", "target": "es", "note": "", "keep": False}


def test_numbers_links_addresses_code_and_placeholders_never_reach_an_engine() -> None:
    kept = protect(TEXT)
    assert not re.search(r"https|@|pip|customer|%\(", kept.text)
    assert not re.search(r"\d", re.sub(r"\[#\d+#\]", "", kept.text))
    assert kept.restore(kept.text) == (TEXT, [])
    # An engine may put blanks into marks and move them.
    moved = protect("A 12 and B 34").text.replace("[#0#]", "[ # 0 # ]")
    assert protect("A 12 and B 34").restore(moved)[0] == "A 12 and B 34"


def test_what_an_engine_loses_doubles_or_makes_up_is_said() -> None:
    kept = protect("Order 4471 costs 15 euro")
    assert kept.restore("El pedido cuesta [#1#][#1#] [#7#]euros") == (
        "El pedido cuesta 1515 euros",
        [[ADDED, "[#7#]"], [LOST, "4471"], [TWICE, "15"]],
    )


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("The Rear Brake rubs", "El [#0#] roza"),
        ("the rear brake rubs", "el [#0#] roza"),
    ],
)
def test_words_of_the_glossary_are_translated_its_way_and_names_stay(text: str, back: str) -> None:
    terms = [
        KnownTerm(**TERM, term="rear brake", translation="freno trasero"),
        KnownTerm(**{**TERM, "id": 2, "keep": True}, term="Larkwheel 3000", translation=""),
    ]
    kept = protect(text, terms)
    said, warnings = kept.restore(back)
    assert said == back.replace("[#0#]", "Freno trasero" if "Rear" in text else "freno trasero") and not warnings
    assert [term.term for term in kept.terms] == ["rear brake"]
    assert protect("My Larkwheel 3000 is bent", terms).restore("Mi [#0#]") == ("Mi Larkwheel 3000", [])
    assert protect("rear brakes", terms).terms == (), "a part of another word is no word"
    assert protect("后刹车坏了", [KnownTerm(**TERM, term="刹车", translation="brake")]).text == "后[#0#]坏了"


@given(st.text(alphabet=st.sampled_from("ab 12.,:/@#[]{}`%()-\n\r\t。5é中ع"), max_size=120))
def test_what_was_not_changed_is_the_text_itself(text: str) -> None:
    kept = protect(text)
    assert kept.restore(kept.text) == (text, [])


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_answer_breaks_it(text: str, answer: str) -> None:
    said, warnings = protect(text).restore(answer)
    assert isinstance(said, str) and all(warning[0] in (LOST, TWICE, ADDED) for warning in warnings)
