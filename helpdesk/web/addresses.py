"""Addresses of pages: read once a process, and what werkzeug compiles for building one when it is built first."""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.routing.converters import BaseConverter
from werkzeug.routing.rules import RulePart

# What a text is read as: the parts that are matched, what it is built of, and how each variable is converted.
_Read = tuple[tuple[RulePart, ...], list[tuple[bool, str]], dict[str, BaseConverter]]


class Address(Rule):
    """A rule of the URL map. Hundreds are made at each start of a process, and few of them are ever built.

    Those of plugins are made twice, first for an application that is thrown away. A werkzeug that reads or compiles in
    another way does so at once, as it did before.
    """

    # The texts stand in code, so that there is an end to them.
    _known: dict[Any, _Read] = {}

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        assert self.map is not None
        # An application may mean another thing by the same text.
        key = (rule, *self.map.converters.items())
        if key not in self._known:
            self._known[key] = _read(rule, self.map)
        parts, trace, converters = self._known[key]
        self._trace.extend(trace)
        self._converters.update(converters)
        self.arguments.update(converters)
        return parts

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: Callable[..., tuple[str, str]] | None = None
        compile_now = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            if compiled is None:
                compiled = compile_now(append_unknown)
            return compiled(rule, **values)

        return build


def _read(text: str, meant: Map) -> _Read:
    alone = Rule("/")
    # What is kept holds on to no application.
    alone.map = Map(converters=meant.converters)
    alone._trace, alone._converters = [], {}
    parts = tuple(alone._parse_rule(text))
    return parts, alone._trace, alone._converters
