"""What installed distributions say that they bring (entry points); none of them is imported."""

import importlib.metadata
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint
from pathlib import Path

# The folders of sys.path, each with what changes when something is installed in it or removed.
State = tuple[tuple[str, tuple[int, int] | None], ...]


def state() -> State:
    """What differs as soon as something was installed or removed: the only sign that costs little."""
    return tuple((folder, _stamp(folder)) for folder in sys.path)


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, by their names. Every distribution is read, but only once as long as
    :func:`state` is the same: a process asks again at each look for themes, and tests make many desks."""
    return _read(group, state())


@lru_cache(maxsize=8)
def _read(group: str, _state: State) -> tuple[EntryPoint, ...]:
    return tuple(sorted(importlib.metadata.entry_points(group=group), key=lambda entry: entry.name))


def _stamp(folder: str) -> tuple[int, int] | None:
    try:
        found = Path(folder or ".").stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size
