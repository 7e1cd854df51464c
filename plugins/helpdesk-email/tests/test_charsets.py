"""Bytes become the text that was meant, whatever the mail claims about them."""

import pytest
from helpdesk_email import charsets, detection
from hypothesis import given, settings
from hypothesis import strategies as st

SAMPLES = [
    ("您好，我的订单还没有收到，请帮忙查询一下", "gbk"),
    ("退货申请：订单号12345", "gb18030"),
    ("請問我的訂單什麼時候可以收到呢，謝謝", "big5"),
    ("注文した商品がまだ届いていません", "shift_jis"),
    ("注文した商品がまだ届いていません", "euc_jp"),
    ("주문한 상품이 아직 도착하지 않았습니다", "euc_kr"),
    ("Здравствуйте, мой заказ ещё не пришёл", "cp1251"),
    ("Здравствуйте, мой заказ ещё не пришёл", "koi8-r"),
    ("Grüße aus München, schöne Straße", "cp1252"),
    ("Dobrý den, přišla mi špatná objednávka. Prosím o výměnu, těším se na odpověď.", "cp1250"),
]


@pytest.fixture(autouse=True)
def _a_new_mail() -> None:
    """What may be guessed is counted by mail; other tests have used some of it."""
    detection.begin()


@pytest.mark.parametrize(("text", "codec"), SAMPLES, ids=lambda value: value[:12])
def test_a_text_without_a_label_is_recognised(text: str, codec: str) -> None:
    assert charsets.decode(text.encode(codec))[0] == text


@pytest.mark.parametrize(("text", "codec"), SAMPLES, ids=lambda value: value[:12])
def test_a_text_with_its_label_is_read_by_it(text: str, codec: str) -> None:
    assert charsets.decode(text.encode(codec), codec) == (text, False)


@pytest.mark.parametrize("declared", ["us-ascii", "utf-8", "x-unknown", "unicode_escape", "rot13"])
def test_a_false_label_is_seen_through(declared: str) -> None:
    text = "您好，我的订单还没有收到"
    assert charsets.decode(text.encode("gbk"), declared) == (text, True)


def test_gb2312_is_read_as_what_people_mean_by_it() -> None:
    # 喆 and 镕 are not in GB 2312, though every Chinese program writes them under its name.
    assert charsets.decode("陶喆、朱镕基".encode("gb18030"), "gb2312") == ("陶喆、朱镕基", False)


def test_utf8_that_claims_to_be_latin_is_repaired() -> None:
    assert charsets.decode("Müller, Łódź".encode(), "iso-8859-1") == ("Müller, Łódź", True)


def test_japanese_mail_is_read_with_half_width_and_without_a_label() -> None:
    data = "テスト".encode("iso2022_jp")
    assert charsets.decode(data, "iso-2022-jp") == ("テスト", False)
    assert charsets.decode(data)[0] == "テスト"


def test_utf8_cut_in_the_middle_of_a_letter_stays_utf8() -> None:
    assert charsets.decode("Юникод запрещен".encode()[:-1])[0] == "Юникод запреще\ufffd"


def test_the_rest_of_the_mail_is_a_hint() -> None:
    assert charsets.decode("Κωδ".encode("iso8859-7"), hint="iso-8859-7")[0] == "Κωδ"


def test_what_a_database_refuses_is_replaced() -> None:
    assert charsets.decode(b"a\x00b\r\nc\rd")[0] == "a\ufffdb\nc\nd"


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "gb2312", "iso-2022-jp", "utf-7", "big5", "hz", "\x00"]))
@settings(max_examples=300, deadline=None)
def test_every_bytes_become_text(data: bytes, declared: str) -> None:
    text, _repaired = charsets.decode(data, declared)
    text.encode("utf-8")
    assert "\x00" not in text
