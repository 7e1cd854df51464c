"""Forms of the rooms: what was typed becomes values that can be stored, or a sentence beside the field."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from helpdesk.api import gettext as _

# No part of a name is empty.
HOST = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\+]{1,40}@[^\s@<>,;:\"()\[\]\\]{1,200}")


class Form:
    """What somebody typed: ``values`` as far as they can be used, ``errors`` by field, ``typed`` to show again."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.values: dict[str, Any] = {}
        self.errors: dict[str, str] = {}
        # Secrets do not travel back to the browser: whoever has to correct something types them again.
        self.had_secret = False

    def line(self, name: str, *, longest: int = 255, required: bool = False) -> str:
        """One line of text."""
        text = self.typed.get(name, "").strip()
        if required and not text:
            self.refuse(name, _("Fill this in."))
        elif len(text) > longest:
            self.refuse(name, _("This is too long; %(number)s characters fit.", number=longest))
        elif not text.isprintable():
            self.refuse(name, _("Write it on one line, without control characters."))
        return self._keep(name, text)

    def text(self, name: str, *, longest: int) -> str:
        """Several lines."""
        text = self.typed.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()
        if len(text) > longest:
            self.refuse(name, _("This is too long; %(number)s characters fit.", number=longest))
        return self._keep(name, text)

    def host(self, name: str, *, required: bool) -> str:
        """The name of a server, or its IP address."""
        text = self.line(name, required=required)
        if text and name not in self.errors and not HOST.fullmatch(text):
            self.refuse(name, _("Enter a name like mail.shop.example, without https:// and without a port."))
        return text

    def number(self, name: str, *, default: int, smallest: int, largest: int) -> int:
        """A whole number; nothing typed is the default."""
        text = self.typed.get(name, "").strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
        if text and (not text.isascii() or not text.isdigit() or not smallest <= number <= largest):
            self.refuse(name, _("Enter a number from %(smallest)s to %(largest)s.", smallest=smallest, largest=largest))
        self.values[name] = number
        return number

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of some; the first one where nothing was chosen."""
        text = self.typed.get(name, next(iter(choices)))
        if text not in choices:
            self.refuse(name, _("Choose one of the list."))
        return self._keep(name, text)

    def row(self, name: str, ids: Collection[int]) -> int | None:
        """The number of a row that there is, or None."""
        text = self.typed.get(name, "")
        found = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        if text and found not in ids:
            self.refuse(name, _("Choose one of the list."))
        self.values[name] = found
        return found

    def tick(self, name: str) -> bool:
        """A box that is ticked or not."""
        self.values[name] = name in self.typed
        return name in self.typed

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

    def refuse(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, sentence)

    def _keep(self, name: str, text: str) -> str:
        self.values[name] = text
        return text
