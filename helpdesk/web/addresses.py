"""Addresses of pages: what werkzeug compiles for building one is compiled when it is built first."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class Address(Rule):
    """A rule of the URL map. Hundreds are made at each start of a process, and few of them are ever built.

    A werkzeug that compiles in another way does so at once, as it did before.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: Callable[..., tuple[str, str]] | None = None
        compile_now = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            if compiled is None:
                compiled = compile_now(append_unknown)
            return compiled(rule, **values)

        return build
