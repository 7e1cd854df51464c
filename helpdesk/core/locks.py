"""Locks between processes that last no longer than who holds them: a killed process leaves none behind."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.1


class Taken(Exception):
    """Somebody else holds the lock."""


def take(path: Path, *, shared: bool = False, wait: float = 0.0) -> Callable[[], None]:
    """Take the lock that a file stands for, alone or together with others; answers what gives it back.

    The end of the process gives it back too. Raises :class:`Taken` after ``wait`` seconds, and OSError.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return lambda: os.close(handle)
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(handle)
                raise Taken(path.name) from None
            time.sleep(_PAUSE)
        except OSError:
            os.close(handle)
            raise


@contextmanager
def held(path: Path, *, shared: bool = False, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock in a ``with`` block. Raises :class:`Taken` after ``wait`` seconds, and OSError."""
    give_back = take(path, shared=shared, wait=wait)
    try:
        yield
    finally:
        give_back()
