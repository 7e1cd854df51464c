"""Mails as people read them: a theme's words before ours, right to left, signatures, files that are too large."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpdesk_email import channel, rendering
from helpdesk_email.settings import IncomingSettings, OutgoingSettings

from helpdesk.api import DeskSettings, OutgoingFile, OutgoingMessage

MEGABYTE = 1024 * 1024


def message(**values: Any) -> OutgoingMessage:
    plain = {"kind": "reply", "identity": "m1@desk.example", "address": "anna@customer.example", "name": "Anna"}
    words = {"locale": "en", "subject": "Your order", "text": "It is here.", "html": "<p>It is here.</p>"}
    return OutgoingMessage(**{**plain, **words, **values})


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., OutgoingFile]:
    def make(name: str, megabytes: float, content_id: str | None = None, link: str = "") -> OutgoingFile:
        path = tmp_path / "file"
        path.write_bytes(b"x")
        link = link or f"http://desk.example/t/x/files/{name}"
        return OutgoingFile(name, "image/png", int(megabytes * MEGABYTE), str(path), content_id, link)

    return make


def test_a_theme_has_mails_of_its_own(app: Any, home: Path, configure: Any) -> None:
    folder = home / "themes" / "harbour" / "templates" / "email"
    folder.mkdir(parents=True)
    (folder.parents[1] / "theme.toml").write_text('title = "Harbour"')
    (folder / "reply.txt").write_text("Ahoy {{ outgoing.name }}!\n{{ outgoing.text }}")
    (folder / "frame.html").write_text("<!DOCTYPE html><p>Harbour</p>{% block words %}{{ body }}{% endblock %}")
    configure(DeskSettings, theme="harbour")
    text, html = rendering.render(message())
    assert text == "Ahoy Anna!\nIt is here.\n"
    assert html.startswith("<!DOCTYPE html><p>Harbour</p><p>It is here.</p>"), "our reply.html in the theme's frame"
    (folder / "reply.txt").write_text("{{ nothing.at.all }}")
    assert "To answer, reply to this mail." in rendering.render(message())[0], "a theme that fails loses no mail"


def test_languages_from_right_to_left_are_written_so(app: Any) -> None:
    assert 'lang="ar" dir="rtl"' in rendering.render(message(locale="ar"))[1]
    assert 'lang="zh-Hans" dir="ltr"' in rendering.render(message(locale="zh_Hans"))[1]


def test_signatures_stand_below_the_words(app: Any) -> None:
    text, html = rendering.render(message(signature="Jonas\n<b>Bold</b>"), "The team")
    assert text.index("It is here.") < text.index("Jonas") < text.index("The team") < text.index("-- ")
    assert "&lt;b&gt;Bold" in html and html.index("Jonas") < html.index("The team")


def test_an_agent_is_told_what_an_answer_does(app: Any, configure: Any) -> None:
    words = "Your answer to this mail goes to the customer."
    assert not any(words in part for part in rendering.render(message(kind="agent"))), "nobody proves who writes"
    configure(IncomingSettings, trusted_hosts="mx.desk.example")
    assert all(words in part for part in rendering.render(message(kind="agent")))
    configure(IncomingSettings, trusted_hosts="mx.desk.example", staff_by_mail=False)
    assert not any(words in part for part in rendering.render(message(kind="agent")))


def test_care_mail_has_a_way_out_and_no_other_does(app: Any) -> None:
    way = "https://desk.example/unsubscribe/x"
    assert all(way in part for part in rendering.render(message(kind="care", unsubscribe=way)))
    assert not any("No more mails" in part for part in rendering.render(message()))


def test_files_that_are_too_large_in_sum_are_links(app: Any, mailbox: Any, file: Any, configure: Any) -> None:
    html = '<p>See <img src="cid:p@desk" alt="the picture"></p>'
    files = [file("p.png", 1, "p@desk"), file("plan\r\n.pdf", 9.5)]
    channel.send(message(html=html, files=files))
    configure(OutgoingSettings, largest_attachment_mb=0)
    channel.send(message(html=html, files=files))
    configure(OutgoingSettings, largest_attachment_mb=50)
    channel.send(message(html=html, files=files))
    some, none, both = mailbox.messages
    assert names(some) == ["p.png"] and names(none) == [] and names(both) == ["p.png", "plan .pdf"]
    words = some.get_body(("plain",)).get_content()
    assert "- plan .pdf (9.5 MB): http://desk.example/t/x/files/plan" in words and "p.png" not in words
    assert 'src="cid:p@desk"' in some.get_body(("html",)).get_content()
    shown = none.get_body(("html",)).get_content()
    assert "cid:" not in shown and "the picture" in shown and "p.png" in shown
    assert "fetch them here" not in both.get_body(("plain",)).get_content()


def test_a_file_without_a_link_is_sent_whatever_its_size(app: Any, mailbox: Any, file: Any, configure: Any) -> None:
    configure(OutgoingSettings, largest_attachment_mb=0)
    alone = file("bill.pdf", 3)
    alone.link = ""
    channel.send(message(files=[alone]))
    assert names(mailbox.messages[0]) == ["bill.pdf"]


def names(mail: Any) -> list[str]:
    return [part.get_filename() for part in mail.walk() if part.get_filename()]
