"""Every text of the settings can be translated; that catalogs are complete is what `plugin check` looks at."""

from dataclasses import fields
from pathlib import Path

import helpdesk_email
import pytest
from babel.messages.pofile import read_po
from helpdesk_email.settings import AnswerSettings, EmailSettings, IncomingSettings, OutgoingSettings

TEMPLATE = Path(helpdesk_email.__file__).parent / "translations" / "messages.pot"


@pytest.mark.parametrize("group", [EmailSettings, IncomingSettings, AnswerSettings, OutgoingSettings])
def test_every_text_of_the_settings_is_in_the_template(group: type) -> None:
    with TEMPLATE.open("rb") as file:
        wanted = {message.id for message in read_po(file)}
    for setting in fields(group):
        assert {str(setting.metadata["label"]), str(setting.metadata["hint"])} <= wanted | {""}
