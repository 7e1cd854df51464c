"""What is said about a translation, in the reader's language: kept as codes, put into words when it is shown."""

from collections.abc import Sequence
from typing import Any

from helpdesk.api import gettext as _
from helpdesk_multilingual.protection import ADDED, CUT, LOST, TWICE


def in_words(warnings: Sequence[Any]) -> list[str]:
    """Each warning as a sentence; one that nobody knows is left out. No query."""
    return [sentence for one in warnings if (sentence := _sentence(*one))]


def _sentence(code: str, value: str = "") -> str:
    return {
        LOST: _("“%(text)s” is missing in the translation. Put it in by hand.", text=value),
        TWICE: _("“%(text)s” stands in the translation more than once.", text=value),
        ADDED: _("“%(text)s” was added by the engine and taken out.", text=value),
        CUT: _("Only the beginning was translated: the text is very long."),
    }.get(code, "")
