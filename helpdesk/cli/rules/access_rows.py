"""``access.toml``: who gets what from each address, a row for each; beside the code of the core and of each plugin.

The matrix in tests/security asks every address as everybody and compares; `helpdesk plugin check` wants the rows.
docs/security/authorization.md says how the file is read.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.routing import Map, Rule

import helpdesk

FILE = "access.toml"
CORE = Path(helpdesk.__file__).parent / "web" / FILE
# open: the page, or the form is looked at; sign-in: sent to the page of sign-in; the others are the status.
_STATUSES = ("401", "403", "404")
WORDS = frozenset({"open", "sign-in", *_STATUSES})
# A form that is looked at may answer what is wrong with it.
_OPEN = frozenset({200, 201, 202, 204, 301, 302, 303, 308, 400, 409, 413, 415, 422, 429})
_SIGN_IN = "/auth/sign-in"


class BadTable(Exception):
    """A table cannot be read; the text is a sentence that says what to change, and where."""


@dataclass(frozen=True)
class Table:
    """``groups``: what each actor gets, by group and object; ``rows``: the group of each address."""

    actors: tuple[str, ...]
    groups: Mapping[str, Mapping[str, Mapping[str, str]]]
    rows: Mapping[str, str]
    # Forms that are taken without the token of our pages, and why that is safe.
    without_token: Mapping[str, str]


def read(file: Path, core: Table | None = None) -> Table:
    """The table in ``file``; that of a plugin may use the groups of the ``core``. Raises :class:`BadTable`."""
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        found = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTable(f"{file} cannot be read: {error}.") from None
    actors = core.actors if core else tuple(found["actors"].split())
    own = {name: dict(_group(file, name, group, actors)) for name, group in found.get("groups", {}).items()}
    groups = {**(core.groups if core else {}), **own}
    rows = found.get("rows", {})
    for address, name in rows.items():
        if name not in groups:
            raise BadTable(f"{file}: {address} names the group “{name}”, which is not there.")
    return Table(actors, groups, rows, found.get("without_token", {}))


def keys(url_map: Map, plugin: str = "") -> dict[str, Rule]:
    """Every address of an application, or of one plugin, by what its row is called. Folders of files are left out.

    That is its endpoint, and where an endpoint has several addresses also the methods and the address.
    """
    found = {}
    for rule in url_map.iter_rules():
        if rule.endpoint == f"{rule.endpoint.partition('.')[0]}.static" or not _belongs(rule, plugin):
            continue
        several = len(list(url_map.iter_rules(rule.endpoint))) > 1
        methods = " ".join(sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}))
        found[f"{rule.endpoint} {methods} {rule.rule}" if several else str(rule.endpoint)] = rule
    return found


def word(answer: Any) -> str:
    """What an answer (of Flask's test client) says in the words of the table; what has no word is told as it is."""
    if answer.status_code in (302, 303) and answer.location.partition("?")[0].endswith(_SIGN_IN):
        return "sign-in"
    if str(answer.status_code) in _STATUSES:
        return str(answer.status_code)
    return "open" if answer.status_code in _OPEN else f"broken ({answer.status_code})"


def faults(addresses: Iterable[str], table: Table) -> Iterator[str]:
    """A sentence for each address without a row, and for each row without an address."""
    there = set(addresses)
    for address in sorted(there - set(table.rows)):
        yield f"Write a row for {address}: who gets what."
    for address in sorted(set(table.rows) - there):
        yield f"Take out the row for {address}; there is no such address."


def _belongs(rule: Rule, plugin: str) -> bool:
    return not plugin or rule.endpoint.startswith(f"{plugin}.")


def _group(
    file: Path, name: str, group: Mapping[str, str], actors: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, str]]]:
    for thing, line in group.items():
        words = line.split()
        if len(words) != len(actors) or not WORDS.issuperset(words):
            raise BadTable(
                f"{file}: {thing} of the group “{name}” needs one of {', '.join(sorted(WORDS))} for each of "
                f"{', '.join(actors)}."
            )
        yield thing, dict(zip(actors, words, strict=True))
