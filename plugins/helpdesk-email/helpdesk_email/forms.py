"""Forms of the rooms of mail: what they have beside the fields of every form."""

import re
from collections.abc import Mapping

from helpdesk.api import Form
from helpdesk.api import gettext as _

# No part of a name is empty.
HOST = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\+]{1,40}@[^\s@<>,;:\"()\[\]\\]{1,200}")


class MailForm(Form):
    """A form with servers and secrets."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        super().__init__(typed)
        # Secrets do not travel back to the browser: whoever has to correct something types them again.
        self.had_secret = False

    def host(self, name: str, *, required: bool) -> str:
        """The name of a server, or its IP address."""
        text = self.line(name, longest=255, required=required)
        if text and name not in self.errors and not HOST.fullmatch(text):
            self.refuse(name, _("Enter a name like mail.shop.example, without https:// and without a port."))
        return text

    def secret(self, name: str, *, longest: int = 5_000) -> str:
        """A secret; left empty the saved one stays, so that it is among the values only when it was typed."""
        text = self.typed.get(name, "")
        if not text:
            return ""
        self.had_secret = True
        if len(text) > longest:
            self.refuse(name, _("This is too long; %(number)s characters fit.", number=longest))
        elif any(mark in text for mark in "\r\n\0"):
            self.refuse(name, _("Write it on one line, without control characters."))
        self.values[name] = text
        return text
