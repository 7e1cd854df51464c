"""The public collections of real and hostile mail."""

import json
import re
from pathlib import Path

import pytest
from helpdesk_email.parsing import parse

FOLDERS = ("flanker", "mikel-mail", "sisimai-bounces", "reply-trimmer")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_mail_is_read(corpora: Path, folder: str) -> None:
    files = [file for file in sorted((corpora / "mail" / folder).rglob("*")) if file.is_file()]
    assert files
    for file in files:
        found = json.dumps(parse(file.read_bytes()).as_json(), ensure_ascii=False)
        found.encode("utf-8")
        assert "\\u0000" not in found


def test_all_letters_of_mikel_are_readable(corpora: Path) -> None:
    """Readable: a sender, a subject and text where the mail has them, nothing left encoded, nothing replaced."""
    wrong = []
    files = sorted((corpora / "mail" / "mikel-mail").rglob("*.eml"))
    assert len(files) > 90
    for file in files:
        raw = file.read_bytes()
        mail = parse(raw)
        shown = "\n".join([mail.subject, mail.sender.name if mail.sender else "", mail.text])
        # One mail was kept with the mark of lost letters in it already.
        lost = "\ufffd" in shown and "\ufffd".encode() not in raw
        missing = [
            re.search(rb"^subject: *\S", raw, re.I | re.M) and not mail.subject,
            re.search(rb"^from: *\S", raw, re.I | re.M) and mail.sender is None,
            re.search(rb"\n\r?\n\s*\w", raw) and not mail.text.strip() and not mail.attachments,
        ]
        if lost or any(missing) or mail.refused or re.search(r"=\?[\w-]+\?[bq]\?", shown, re.I):
            wrong.append(file.name)
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "subject", "sender", "beginning"),
    [
        (
            "flanker/bilingual-simple.eml",
            "Simple text. How are you? Как ты поживаешь?",
            "Hello",
            "This line is in English",
        ),
        (
            "flanker/from-encoding.eml",
            "Re: running server as root (Was: Re: PUT method)",
            "Ingo Lütkebohle",
            "Isn't that",
        ),
        ("mikel-mail/multi_charset/japanese_iso_2022.eml", "まみむめも", "Mikel Lindsaar", "すみません"),
        ("mikel-mail/multi_charset/japanese_shift_jis.eml", "test", "", "あいうえお"),
        ("mikel-mail/multi_charset/ks_c_5601-1987.eml", "test", "", "스티해"),
        ("mikel-mail/rfc6532/utf8_headers.eml", "Säying Hello", "Jöhn Doe", "body"),
        ("mikel-mail/rfc2822/example13.eml", "Saying Hello", "John Doe", "This is a message just to say hello"),
        ("mikel-mail/plain_emails/raw_email.eml", "NOTE: 한국말로 하는 것", "Jamis Buck", "대부분의 마찬가지로"),
    ],
)
def test_some_of_them_are_read_right(corpora: Path, name: str, subject: str, sender: str, beginning: str) -> None:
    mail = parse((corpora / "mail" / name).read_bytes())
    assert mail.subject == subject
    assert mail.sender is not None
    assert mail.sender.name == sender
    assert mail.text.startswith(beginning)


def test_letters_of_people_are_not_the_mail_of_a_machine(corpora: Path) -> None:
    folder = corpora / "mail" / "mikel-mail" / "rfc2822"
    assert [file.name for file in sorted(folder.glob("*.eml")) if parse(file.read_bytes()).machine] == []
