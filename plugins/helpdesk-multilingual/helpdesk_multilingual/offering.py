"""What other plugins may bring: engines that translate."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from helpdesk.api import hookimpl, hookspec


class EngineFault(Exception):
    """An engine has no translation; the text is a sentence for people. ``late``: it was given too little time.

    ``healthy``: this text or these languages do not suit it; it is not left alone for that.
    """

    def __init__(self, sentence: str, *, late: bool = False, healthy: bool = False) -> None:
        super().__init__(sentence)
        self.late, self.healthy = late, healthy


@dataclass(frozen=True)
class Engine:
    """Something that translates. ``key`` begins with the plugin's name.

    ``translate(texts, source, target, seconds)`` answers one text for each, in their order, within ``seconds``, or
    raises :class:`EngineFault`; it is called outside transactions. Marks such as ``[#0#]`` stay as they are.
    ``pairs()`` are the (source, target) pairs that it has, by the desk's codes; None: any. ``check()`` raises
    :class:`EngineFault` when the engine is not there. ``is_ready()``: whether the owner has set it up.
    """

    key: str
    label: Any
    translate: Callable[[Sequence[str], str, str, float], Sequence[str]]
    pairs: Callable[[], Collection[tuple[str, str]] | None] = lambda: None
    check: Callable[[], None] = lambda: None
    is_ready: Callable[[], bool] = lambda: True


@hookspec("slot")
def multilingual_engines() -> Sequence[Engine]:
    """Engines that translate, beside those that this plugin brings. Called at each translation; be quick."""


@hookimpl
def register_hookspecs() -> list[Any]:
    """One slot."""
    return [multilingual_engines]
