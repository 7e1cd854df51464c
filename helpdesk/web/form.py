"""A form as it was sent: what was typed becomes values that can be stored, or a sentence beside the field."""

from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import gettext as _


def number_in(text: str | None) -> int | None:
    """The whole number in what somebody sent, of nine digits at most as those of rows are, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


class Form:
    """What somebody typed: ``values`` as far as they can be used, ``errors`` by field, ``typed`` to show again.

    Each method reads one field by its name, keeps its value and answers it; what is wrong becomes a sentence in
    ``errors``. Touches no database. Derive from it for fields of other kinds.
    """

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.values: dict[str, Any] = {}
        self.errors: dict[str, str] = {}

    def line(self, name: str, *, longest: int = 255, required: bool = False) -> str:
        """One line of text."""
        text = self.typed.get(name, "").strip()
        if required and not text:
            self.refuse(name, _("Fill this in."))
        elif not text.isprintable():
            self.refuse(name, _("Write it on one line, without control characters."))
        return self._kept(name, text, longest)

    def text(self, name: str, *, longest: int) -> str:
        """Several lines."""
        text = self.typed.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()
        return self._kept(name, text, longest)

    def number(self, name: str, *, smallest: int, largest: int, default: int | None = None) -> int:
        """A whole number. Where nothing was typed it is the ``default``, whatever the limits."""
        text = self.typed.get(name, "").strip()
        if not text and default is not None:
            self.values[name] = default
            return default
        found = number_in(text)
        number = -1 if found is None else found
        if not smallest <= number <= largest:
            self.refuse(name, _("Enter a number from %(smallest)s to %(largest)s.", smallest=smallest, largest=largest))
        else:
            self.values[name] = number
        return number

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of some; the first one where nothing was chosen."""
        text = self.typed.get(name, next(iter(choices)))
        if text not in choices:
            self.refuse(name, _("Choose one of the list."))
        self.values[name] = text
        return text

    def row(self, name: str, ids: Collection[int]) -> int | None:
        """The number of a row that there is, or None."""
        text = self.typed.get(name, "")
        found = number_in(text)
        if text and found not in ids:
            self.refuse(name, _("Choose one of the list."))
        self.values[name] = found
        return found

    def tick(self, name: str) -> bool:
        """A box that is ticked or not."""
        self.values[name] = name in self.typed
        return name in self.typed

    def refuse(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, sentence)

    def _kept(self, name: str, text: str, longest: int) -> str:
        if len(text) > longest:
            self.refuse(name, _("This is too long; %(number)s characters fit.", number=longest))
        self.values[name] = text
        return text
