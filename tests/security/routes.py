"""Every address with every object and every method, and what an answer says, in the words of access.toml."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.routing import AnyConverter, Rule

from helpdesk.cli.rules import access_rows
from helpdesk.plugins import manager
from tests.security.actors import FilledDesk

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What differs from one answer to the next though it says the same.
_OF_THE_MOMENT = ("Set-Cookie", "Date", "Expires")
_TOKENS = re.compile(
    r'(?<=nonce=")[^"]+|(?<=nonce-)[\w+/=-]+|(?<=csrf_token" value=")[^"]+|(?<=name="once" hidden>)[^<]+'
    r'|(?<=name="nonce" value=")[^"]+'
    r'|"X-CSRFToken": ?"[^"]+"'
)


@dataclass(frozen=True)
class Case:
    """One address with one object. ``expected``: the word for each actor."""

    row: str
    endpoint: str
    thing: str
    path: str
    methods: frozenset[str]
    expected: Mapping[str, str]


def table_of(app: Flask) -> access_rows.Table:
    """The rows of the core and of every plugin together. A plugin's groups are its own."""
    core = access_rows.read(access_rows.CORE)
    groups, rows, without = dict(core.groups), dict(core.rows), dict(core.without_token)
    for plugin in app.extensions[manager.EXTENSION].plugins.values():
        table = access_rows.read(Path(str(files(plugin.module.__name__) / access_rows.FILE)), core)
        own = {f"{plugin.name}: {name}": lines for name, lines in table.groups.items() if name not in core.groups}
        groups |= own
        for key, name in table.rows.items():
            rows[key] = name if name in core.groups else f"{plugin.name}: {name}"
        without |= table.without_token
    return access_rows.Table(core.actors, groups, rows, without)


def cases(desk: FilledDesk, table: access_rows.Table) -> Iterator[Case]:
    """All of them, in the order of the map."""
    adapter = desk.app.url_map.bind("desk.example")
    for row, rule in access_rows.keys(desk.app.url_map).items():
        # One without a row is found by test_every_address_has_a_row.
        lines = table.groups[table.rows[row]] if row in table.rows else {}
        for thing, expected in lines.items():
            for values in _values(desk, rule, thing):
                path = adapter.build(rule.endpoint, values)
                methods = frozenset(rule.methods or ()).intersection(METHODS)
                yield Case(row, rule.endpoint, thing, path, methods, expected)


def _values(desk: FilledDesk, rule: Rule, thing: str) -> Iterator[dict[str, Any]]:
    """What stands for the arguments; one of several words is tried with each."""
    found: list[dict[str, Any]] = [{}]
    for name in sorted(rule.arguments):
        converter = rule._converters[name]
        options = sorted(converter.items) if isinstance(converter, AnyConverter) else [_value(desk, rule, name, thing)]
        found = [{**values, name: option} for values in found for option in options]
    yield from found


def _value(desk: FilledDesk, rule: Rule, name: str, thing: str) -> Any:
    blueprint = rule.endpoint.partition(".")[0]
    known = (desk.values.get(key) for key in (f"{name} of {rule.endpoint}", f"{name} of {blueprint}", name))
    found = next((values for values in known if values), None)
    assert found, f"Say in tests/security/actors.py what stands for <{name}> of {rule.rule}."
    for option in (thing, "any"):
        if option in found:
            return found[option]
    raise AssertionError(f"Say in tests/security/actors.py what stands for <{name}> of {rule.rule} when it is {thing}.")


def shows(text: str, hidden: str) -> bool:
    """Whether a word, or a number, stands in a text. Digits inside a moment or another number are not meant."""
    return re.search(rf"(?<![\d.]){re.escape(hidden)}(?!\d)", text, re.IGNORECASE) is not None


def masked(answer: Any, path: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, body and headers without what is new each time, and without the address that was asked for."""
    hide = {path, path.replace("/", "%2F"), path.partition("?")[0]}
    headers = [(name, value) for name, value in answer.headers if name not in _OF_THE_MOMENT]

    def clean(text: str) -> str:
        for one in sorted(hide, key=len, reverse=True):
            if len(one) > 1:
                text = text.replace(one, "{path}")
        return _TOKENS.sub("{token}", text)

    kept = [(name, clean(value)) for name, value in headers]
    return answer.status_code, clean(answer.get_data(as_text=True)), kept
