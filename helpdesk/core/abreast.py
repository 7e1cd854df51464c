"""Work that is written for one and done for many at once.

A way is a generator that goes through the work for one thing. Where many can be served by one call (a query, a flush)
it yields an :class:`Ask` and goes on with the answer. So one alone and a hundred abreast are the same lines, and the
hundred need as many statements as the one.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from helpdesk.core.extensions import db

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Ask:
    """``of`` is called once with what each of those asks ``about`` who ask the same; it answers in their order."""

    of: Callable[[list[Any]], Sequence[Any]]
    about: Any = None

    def answer(self) -> Any:
        """The answer for one that asks alone."""
        return self.of([self.about])[0]


Way = Generator[Ask, Any, _Answer]


def alone(way: Way[_Answer]) -> _Answer:
    """Go one way to its end and return what it comes to."""
    return together({None: way})[None]


def together(ways: Mapping[_Key, Way[_Answer]]) -> dict[_Key, _Answer]:
    """Go many ways side by side and return what each comes to. Raises what any of them or of the answers raises.

    They must not depend on one another: what one writes, another may have asked about before.
    """
    ended: dict[_Key, _Answer] = {}
    answers: dict[_Key, Any] = dict.fromkeys(ways)
    while answers:
        asks: dict[_Key, Ask] = {}
        for key, answer in answers.items():
            try:
                asks[key] = ways[key].send(answer)
            except StopIteration as end:
                ended[key] = end.value
        answers = answered(asks)
    return ended


def answered(asks: Mapping[_Key, Ask]) -> dict[_Key, Any]:
    """The answers to many questions, those of one kind by one call."""
    kinds: dict[Callable[[list[Any]], Sequence[Any]], dict[_Key, Any]] = {}
    for key, ask in asks.items():
        kinds.setdefault(ask.of, {})[key] = ask.about
    found: dict[_Key, Any] = {}
    for of, about in kinds.items():
        found.update(zip(about, of(list(about.values())), strict=True))
    return found


def _flush(every: list[Any]) -> list[Any]:
    db.session.flush()
    return every


# Inside a transaction: from here on what was added has its number.
FLUSH = Ask(_flush)
