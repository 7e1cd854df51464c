"""What the person wrote, and what was quoted."""

import time
from pathlib import Path

import pytest
from helpdesk_email import quoted_html, quotes
from helpdesk_email.parsing import parse
from hypothesis import given, settings
from hypothesis import strategies as st

_QUOTE = "\n> Hello Anna,\n> it is on its way.\n"


@pytest.mark.parametrize(
    "introduction",
    [
        "On Mon, 2 Feb 2026 at 10:15, Shop <help@shop.example> wrote:",
        "On Mon, Feb 2, 2026 at 10:15 AM Shop via Help Desk <\nhelp@shop.example> wrote:",
        "Am Mo., 2. Feb. 2026 um 10:15 Uhr schrieb Shop <help@shop.example>:",
        "Le lun. 2 févr. 2026 à 10:15, Shop <help@shop.example> a écrit :",
        "El lun, 2 feb 2026 a las 10:15, Shop (<help@shop.example>) escribió:",
        "Em seg., 2 de fev. de 2026 às 10:15, Shop <help@shop.example> escreveu:",
        "Il giorno lun 2 feb 2026 alle ore 10:15 Shop <help@shop.example> ha scritto:",
        "Op ma 2 feb 2026 om 10:15 schreef Shop <help@shop.example>:",
        "Den mån 2 feb. 2026 kl 10:15 skrev Shop <help@shop.example>:",
        "пн, 2 февр. 2026 г. в 10:15, Shop <help@shop.example>:",
        "pon., 2 lut 2026 o 10:15 Shop <help@shop.example> napisał(a):",
        "Shop <help@shop.example>, 2 Şub 2026 Pzt, 10:15 tarihinde şunu yazdı:",
        "Shop <help@shop.example> 于2026年2月2日周一 10:15写道：",
        "---- On Mon, 02 Feb 2026 10:15:00 +0100 Shop <help@shop.example> wrote ----",
        "Am 02.02.26 um 10:15 schrieb Shop:",
        "Le 2 févr. 2026 à 10:15, Shop <help@shop.example> a écrit :",
        "El lunes, 2 de febrero de 2026, 10:15:00 CET, Shop <help@shop.example> escribió:",
        "Il 02/02/2026 10:15, Shop ha scritto:",
        "Shop <help@shop.example> escreveu (segunda, 2/02/2026 à(s) 10:15):",
        "Понедельник, 2 февраля 2026, 10:15 +03:00 от Shop <help@shop.example>:",
        "2026年2月2日 10:15、Shop <help@shop.example> のメール：",
        "在 2026-02-02 10:15:00，“Shop” <help@shop.example> 写道：",
        "في ٢ فبراير ٢٠٢٦، الساعة ١٠:١٥ ص، كتب Shop <help@shop.example>:",
        "في الاثنين، 2 فبراير 2026 في 10:15 ص تمت كتابة ما يلي بواسطة Shop <help@shop.example>:",
        "2026年2月2日(月) 10:15 Shop <help@shop.example>:",
        "2026년 2월 2일 (월) 오전 10:15, Shop <help@shop.example>님이 작성:",
    ],
)
def test_quotes_are_cut_in_many_languages(introduction: str) -> None:
    written, quoted = quotes.cut(f"Thank you!\n\nAnna\n\n{introduction}\n{_QUOTE}")
    assert written == "Thank you!\n\nAnna"
    assert quoted == f"{introduction}\n{_QUOTE}".strip()


@pytest.mark.parametrize(
    "tail",
    [
        "-----Original Message-----\nFrom: Shop\nSent: Monday\n\nHello Anna",
        "________________________________\nVon: Shop <help@shop.example>\nGesendet: Montag, 2. Februar 2026\n"
        "An: Anna\nBetreff: Bremse\n\nHallo",
        '------------------ 原始邮件 ------------------\n发件人: "Shop";\n发送时间: 2026年2月2日\n\n您好',
        "发件人： Shop\n发送时间： 2026-02-02 10:15\n收件人： anna\n主题： 刹车\n\n您好",
        "From: Shop <help@shop.example>\nDate: Monday, 2 February 2026\nTo: Anna\nSubject: Brake\n\nHello",
        "> It is on its way.\n> Shop",
        "--\nAnna Berg\n+49 30 123456",
        "De : Shop\nEnvoyé : lundi 2 février 2026 10:15\nÀ : Anna\nObjet : Frein\n\nBonjour",
        "De: Shop\nEnviado el: lunes, 2 de febrero de 2026 10:15\nPara: Anna\nAsunto: Freno\n\nHola",
        "Da: Shop\nInviato: lunedì 2 febbraio 2026 10:15\nA: Anna\nOggetto: Freno\n\nCiao",
        "De: Shop\nEnviada em: segunda-feira, 2 de fevereiro de 2026\nPara: Anna\nAssunto: Freio\n\nOi",
        "От: Shop\nОтправлено: понедельник, 2 февраля 2026 г. 10:15\nКому: Anna\nТема: Тормоз\n\nПривет",
        "差出人: Shop\n送信日時: 2026年2月2日 10:15\n宛先: Anna\n件名: ブレーキ\n\nこんにちは",
        "寄件者: Shop\n寄件日期: 2026年2月2日 10:15\n收件者: Anna\n主旨: 剎車\n\n您好",
        "من: Shop\nتم الإرسال: الاثنين، 2 فبراير 2026\nإلى: Anna\nالموضوع: الفرامل\n\nمرحبا",
        "---- 回复的原邮件 ----\n| 发件人 | Shop |\n| 发送日期 | 2026年2月2日 |\n您好",
        "-----الرسالة الأصلية-----\nمرحبا",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "发自我的iPhone",
        "تم الإرسال من الـ iPhone",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Outlook für Android beziehen",
    ],
)
def test_other_tails_are_cut(tail: str) -> None:
    assert quotes.cut(f"Thank you!\n\n{tail}") == ("Thank you!", tail)


@pytest.mark.parametrize(
    "text",
    [
        "Hello,\n\nmy order is late.\n\nAnna",
        "> Is it blue?\nYes.\n> And large?\nNo.",
        "On Monday I wrote to you:\nno answer came.",
        "The box says:\n\n- 3 screws\n- 1 key",
        "From: Berlin\nI travel to: Paris\nDate of birth: 1990\nWhat now?",
        "Sent by DHL, number 123",
        "> only a quote",
        "I ordered on 12.03.2026 at 10:15. You promised:\ntwo days.",
    ],
)
def test_what_is_no_quote_stays(text: str) -> None:
    assert quotes.cut(text) == (text, "")


def test_an_answer_below_the_quote_is_kept() -> None:
    written, quoted = quotes.cut(f"On Mon, 2 Feb 2026, Shop <help@shop.example> wrote:{_QUOTE}\nNot yet here!")
    assert written == "Not yet here!"
    assert "it is on its way" in quoted


def test_answers_among_the_quotes_are_kept_with_them() -> None:
    text = "Hi,\n\nOn Mon, 2 Feb 2026, Shop <help@shop.example> wrote:\n> Blue?\nYes.\n> Large?\nNo."
    assert quotes.cut(text) == (text, "")


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        # The text says where the quote begins, the HTML does not.
        (
            "Thanks!\n\nAnna\n\nVon: Shop\nGesendet: Montag\nAn: Anna\nBetreff: Bremse\n\nold words",
            "<p>Thanks!</p><p>Anna</p><hr><p><b>Von:</b> Shop<br><b>Gesendet:</b> Montag<br><b>An:</b> Anna<br>"
            "<b>Betreff:</b> Bremse</p><p>old words</p>",
        ),
        # The HTML says it, the text does not.
        (
            "Thanks!\n\nAnna\n\nWhat Shop said:\n\nold words",
            '<p>Thanks!</p><p>Anna</p><div class="gmail_quote">What Shop said:<blockquote>old words</blockquote></div>',
        ),
        (
            "Thanks!\n\nAnna\n\nOn 2 Feb 2026, Shop <help@shop.example> wrote:\n> old words",
            "<style>p {}</style><p>Thanks!</p><p>Anna</p><p>On 2 Feb 2026, Shop &lt;help@shop.example&gt; wrote:</p>"
            "<blockquote type=cite>old words</blockquote>",
        ),
    ],
    ids=["text", "html", "both"],
)
def test_text_and_html_are_cut_at_the_same_place(plain: str, html: str) -> None:
    head = "From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n"
    raw = head + "--b\nContent-Type: {}\n\n{}\n--b\n{}--b--"
    both = raw.format("text/plain", plain, f"Content-Type: text/html\n\n{html}\n")
    for source in (both, raw.format("text/html", html, "")):
        mail = parse(source.encode())
        assert mail.text == "Thanks!\n\nAnna"
        assert mail.html == "<p>Thanks!</p><p>Anna</p>"
        assert "old words" in mail.quoted


def test_every_public_sample_is_cut_exactly(corpora: Path) -> None:
    folder = corpora / "mail" / "reply-trimmer"
    samples = sorted((folder / "emails").iterdir())
    wrong = []
    for sample in samples:
        written, _quoted = quotes.cut(sample.read_text("utf-8").replace("\r\n", "\n"))
        if written.strip() != (folder / "trimmed" / sample.name).read_text("utf-8").replace("\r\n", "\n").strip():
            wrong.append(sample.name)
    assert len(samples) >= 30
    assert wrong == []


@given(st.text(max_size=300) | st.lists(st.sampled_from(["> a", "b", "On 2020 x@y.z wrote:", "--", "", "From: a"])))
@settings(max_examples=200, deadline=None)
def test_nothing_that_was_written_is_lost(text: str | list[str]) -> None:
    whole = text if isinstance(text, str) else "\n".join(text)
    written, quoted = quotes.cut(whole)
    assert sorted(f"{written}\n{quoted}".split()) == sorted(whole.split())


def test_cutting_a_hostile_text_takes_seconds_at_most() -> None:
    before = time.process_time()
    quotes.cut("On 2020 x@y.z wrote:\n> a\nb\n" * 50_000)
    quotes.cut("12:30 wrote:\n" * 100_000)
    quoted_html.split("hi" + "<a '" * 200_000)
    quoted_html.split("hi" + "<style" * 200_000)
    assert time.process_time() - before < 30


@pytest.mark.parametrize(
    "mark",
    [
        '<div class="gmail_quote gmail_quote_container">',
        '<blockquote type="cite">',
        '<div id="appendonsend">',
        '<div id="divRplyFwdMsg" dir="ltr">',
        '<div class="moz-cite-prefix">On Monday',
        '<div class="yahoo_quoted">',
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>",
        '<div id="isReplyContent">',
    ],
)
def test_quotes_in_html_are_found_by_the_marks_of_mail_programs(mark: str) -> None:
    assert quoted_html.split(f"<p>Thanks</p>{mark}old</div>") == ("<p>Thanks</p>", f"{mark}old</div>")


def test_an_answer_below_quoted_html_keeps_all() -> None:
    html = '<p>Hi</p><blockquote type="cite">old</blockquote><p>my answer</p>'
    assert quoted_html.split(html) == (html, "")
    assert quoted_html.split('<div class="gmail_quote">forwarded</div>')[1] == ""
