"""Each test makes a desk of its own: what werkzeug compiles for an address is the same in all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def compile_once() -> None:
    """Keep what an address compiles to for the whole test run: that was a third of the time that a desk takes.

    It is keyed by all that goes into it. A werkzeug that does it in another way is left alone.
    """
    from werkzeug.routing.rules import Rule

    original: Callable[..., Any] | None = getattr(Rule, "_compile_builder", None)
    if original is None:
        return
    compiled: dict[Any, Any] = {}

    def remembered(self: Any, append_unknown: bool = True) -> Any:
        key = (tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = original(self, append_unknown)
        return compiled[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign]
