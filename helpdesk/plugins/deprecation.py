"""Names that plugins used and that are going to go: they work for one more release, and each use says what to write.

A row in one of the tables is all it takes. It stays until the release that it names.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Renamed:
    """What replaces an old name, and the release in which the old one goes."""

    new: str
    gone_in: str

    def __str__(self) -> str:
        return f"which goes in helpdesk {self.gone_in}; use “{self.new}” instead"


# Old names of helpdesk.api; old hooks; old arguments of hooks, by hook and name.
NAMES: Final[dict[str, Renamed]] = {}
HOOKS: Final[dict[str, Renamed]] = {}
ARGUMENTS: Final[dict[tuple[str, str], Renamed]] = {}

_notes: ContextVar[list[str] | None] = ContextVar("helpdesk_deprecations", default=None)


def old_hooks(hook: str) -> list[str]:
    """The names that a hook had before."""
    return [old for old, renamed in HOOKS.items() if renamed.new == hook]


def old_name(module: str, names: Mapping[str, Any], name: str) -> Any:
    """What an old name of a module means now, with a DeprecationWarning. Raises AttributeError for any other name."""
    renamed = NAMES.get(name)
    if renamed is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    say(f"It uses “{name}” of {module}, {renamed}.", stacklevel=4)
    return names[renamed.new]


def say(sentence: str, stacklevel: int = 2) -> None:
    """Warn, and tell the plugin that is being loaded, if one is."""
    notes = _notes.get()
    if notes is not None and sentence not in notes:
        notes.append(sentence)
    warnings.warn(sentence, DeprecationWarning, stacklevel=stacklevel)


@contextmanager
def told_to(notes: list[str]) -> Iterator[None]:
    """What is said inside stands in ``notes`` as well."""
    token = _notes.set(notes)
    try:
        yield
    finally:
        _notes.reset(token)
