"""Simplified Chinese is complete, and its placeholders are those of the original."""

import re
from pathlib import Path

import helpdesk_email
from babel.messages.pofile import read_po

CATALOGS = Path(helpdesk_email.__file__).parent / "translations"
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def test_simplified_chinese_is_complete() -> None:
    with (CATALOGS / "messages.pot").open("rb") as file:
        wanted = {message.id for message in read_po(file) if message.id}
    with (CATALOGS / "zh_Hans" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        found = {message.id: message for message in read_po(file, locale="zh_Hans") if message.id}
    assert set(found) == wanted
    for message in found.values():
        assert message.string
        assert not message.fuzzy
        assert sorted(PLACEHOLDER.findall(message.string)) == sorted(PLACEHOLDER.findall(message.id))


def test_every_text_of_the_settings_is_in_the_template() -> None:
    from dataclasses import fields

    from helpdesk_email.settings import EmailSettings

    with (CATALOGS / "messages.pot").open("rb") as file:
        wanted = {message.id for message in read_po(file)}
    for setting in fields(EmailSettings):
        assert {str(setting.metadata["label"]), str(setting.metadata["hint"])} <= wanted | {""}
