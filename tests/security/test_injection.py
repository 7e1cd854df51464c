"""Sort keys, filters, cursors and names out of a query: what no list offers is refused or left out, and runs nowhere.

And fields that a form does not have assign nothing, whoever sends them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict

from helpdesk.core.models import Ticket, User
from tests.security.actors import FORMS, FilledDesk
from tests.security.routes import Case, cases, shows, table_of

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

HOSTILE = [
    "' OR '1'='1",
    "1; DROP TABLE ticket--",
    "updated desc, (select password_hash from user limit 1)",
    "password_hash",
    "-requester.password_hash",
    "ticket.id) OR 1=1 --",
    "%",
    "_%\\",
    "\x00",
    "-1",
    "9" * 40,
    "1e309",
    "NaN",
    "2026-02-30",
    "2026-01-01T00:00:00+99:99",
    "9999999999999-1",
    "[]",
    '{"$gt": ""}',
    "../../../../etc/passwd",
    "..%2f..%2fsecret.key",
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "a\r\nX-Injected: yes",
    "{{ config }}${7*7}<%= 7*7 %>",
    "%s%n%(secret)s",
    "\u202e\ufeff\U0001f600",
    "a" * 3000,
]
WIDENING = ["' OR '1'='1", "ticket.id) OR 1=1 --", "%", "-1"]
# As bytes that are no text.
RAW = ["%FF%FE", "%ED%A0%80", "%zz"]
LEAKS = ("Traceback", "sqlalchemy", "sqlite3.", "psycopg", "SELECT ", "Error:", "jinja2")


class Read:
    """Which names of the query each endpoint has looked at."""

    names: dict[str, set[str]] = defaultdict(set)
    endpoint = ""


class Recording(ImmutableMultiDict[str, str]):
    """A query that notes what it is asked for."""

    def get(self, key: str, *words: Any, **named: Any) -> Any:  # type: ignore[override]
        Read.names[Read.endpoint].add(key)
        return super().get(key, *words, **named)

    def getlist(self, key: str, *words: Any, **named: Any) -> Any:  # type: ignore[override]
        Read.names[Read.endpoint].add(key)
        return super().getlist(key, *words, **named)

    def __getitem__(self, key: str) -> str:
        Read.names[Read.endpoint].add(key)
        return str(super().__getitem__(key))


class RecordingRequest(Request):
    parameter_storage_class = Recording


@pytest.fixture
def recorded(filled: FilledDesk, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    monkeypatch.setattr(filled.app, "request_class", RecordingRequest)
    monkeypatch.setitem(filled.app.config, "SHOW_ERROR_PAGES", True)
    Read.names = defaultdict(set)
    return Read.names


def pages(desk: FilledDesk, actor: str) -> Iterator[Case]:
    """One address of each page that somebody may open."""
    seen = set()
    for case in cases(desk, table_of(desk.app)):
        if case.expected.get(actor) == "open" and "GET" in case.methods and case.row not in seen:
            seen.add(case.row)
            yield case


@pytest.mark.parametrize("actor", ["administrator", "outsider", "requester"])
def test_no_query_breaks_a_page_or_shows_more(filled: FilledDesk, recorded: dict[str, set[str]], actor: str) -> None:
    """Every page, every name that its view reads, hostile values: no 500, no word of a database, nobody else's rows.

    What breaks a page breaks it for the administrator. Others are asked whether they are shown more.
    """
    faults: list[str] = []
    for turn, case in enumerate(pages(filled, actor)):
        Read.endpoint = case.row
        names: list[str] = []
        # What is read may depend on what there is.
        for _turn in range(2):
            filled.ask(actor, "GET", _with(case.path, urlencode(dict.fromkeys(names, "1"))))
            if not (names := sorted(recorded[case.row])):
                break
        breaks = actor == "administrator" or case.expected["administrator"] != "open"
        for query in _queries(names, turn) if breaks else _widening(names):
            answer = filled.ask(actor, "GET", _with(case.path, query))
            faults += [f"{case.path}?{query[:80]} as {actor}: {fault}" for fault in _faults(filled, actor, answer)]
    filled.put_back()
    assert len([names for names in recorded.values() if names]) >= (15 if actor == "administrator" else 3)
    assert not faults, "\n".join(faults)


def _queries(names: list[str], turn: int) -> Iterator[str]:
    if not names:
        return
    # Each page gets some of them, so that all of them meet a few pages of each kind.
    for value in HOSTILE[turn % 3 :: 3]:
        yield urlencode(dict.fromkeys(names, value))
    # They are made text before any view is called: one of them is enough for a page.
    yield "&".join(f"{quote(name)}={RAW[turn % len(RAW)]}" for name in names)
    yield urlencode([(name, value) for name in names for value in ("1", "2", *HOSTILE[:5])])
    # Each alone: another one may have been refused first.
    for name in names:
        yield urlencode({name: "9" * 40})


def _widening(names: list[str]) -> Iterator[str]:
    """What would find more than one may see, if it were taken for a part of the question to the database."""
    for value in WIDENING if names else ():
        yield urlencode(dict.fromkeys(names, value))


def _with(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _faults(desk: FilledDesk, actor: str, answer: Any) -> Iterator[str]:
    if answer.status_code >= 500:
        yield f"status {answer.status_code}"
    if "X-Injected" in answer.headers:
        yield "writes headers"
    place = urlsplit(answer.headers.get("Location", ""))
    if place.netloc not in ("", "desk.example", "localhost") or place.path.startswith(("//", "/\\")):
        yield f"leads to {answer.headers['Location']}"
    text = answer.get_data(as_text=True)
    yield from (f"says “{leak}”" for leak in LEAKS if leak in text and answer.mimetype == "text/html")
    yield from (f"shows “{hidden}”" for hidden in desk.hidden.get(actor, ()) if shows(text, hidden))


@pytest.mark.parametrize("actor", ["administrator", "agent", "requester", "stranger"])
def test_no_form_breaks(filled: FilledDesk, recorded: dict[str, set[str]], actor: str) -> None:
    """Every form, hostile values in every field that its view reads: no 500, and no other site to be led to.

    Agents are shown nothing else than the administrator: they are asked for the forms that are theirs alone.
    """
    faults: list[str] = []
    seen = set()
    for case in cases(filled, table_of(filled.app)):
        if case.expected[actor] != "open" or case.methods == {"GET"} or case.row in seen or case.row in NOT_ALL_AT_ONCE:
            continue
        if actor == "agent" and case.expected["administrator"] == "open":
            continue
        seen.add(case.row)
        Read.endpoint = case.row
        method = min(case.methods - {"GET"})
        options = FORMS[case.row](filled) if case.row in FORMS else {"data": {}}
        known = options.get("data", {})
        filled.ask(actor, method, case.path, data=known)
        step = 9 if actor == "administrator" else 6
        for place, value in enumerate(HOSTILE[len(seen) % step :: step]):
            # In turn everywhere, and only in what a good form does not say.
            data = dict.fromkeys(recorded[case.row], value) | (known if place % 2 else {})
            answer = filled.ask(actor, method, case.path, data=data)
            faults += [f"{method} {case.path} {value[:40]!r}: {fault}" for fault in _faults(filled, actor, answer)]
        filled.put_back()
    assert seen and not faults, "\n".join(faults)


# Ends the session that the others are asked in.
NOT_ALL_AT_ONCE = {"auth.sign_out"}

# What somebody would like to be, have or own.
WISHES = {
    "role": "admin",
    "roles": "admin",
    "is_service": "1",
    "is_admin": "1",
    "active": "",
    "id": "1",
    "user_id": "1",
    "owner_id": "1",
    "actor_id": "1",
    "author_id": "1",
    "password_hash": "x",
    "verified": "1",
    "scopes": "plugin.edit",
    "permissions": "plugin.edit",
    "created_at": "1990-01-01",
    "version": "0",
    "author_kind": "agent",
    "internal": "",
    "public": "1",
    **{
        column.name: "1"
        for model in (User, Ticket)
        for column in model.__table__.columns
        if column.name.endswith("_id")
    },
}
# Tables and columns that no form of somebody without these rights may write.
KEPT = {
    "user": ("id", "role", "is_service", "active", "organization_id", "email"),
    "team_member": ("team_id", "user_id"),
    "team": ("id", "name", "private"),
    "organization": ("id", "shares_tickets"),
    "setting": ("*",),
    "plugin_state": ("*",),
    "status": ("*",),
    "email_mailbox": ("*",),
    "email_server": ("*",),
}


@pytest.mark.parametrize("actor", ["stranger", "requester", "outsider", "program"])
def test_fields_that_a_form_does_not_have_assign_nothing(filled: FilledDesk, actor: str) -> None:
    """Every form as everybody but an administrator, with what they would like to be in it."""
    faults = []
    for case in cases(filled, table_of(filled.app)):
        for method in sorted(case.methods - {"GET"}):
            options = FORMS[case.row](filled) if case.row in FORMS else {"data": {}}
            kind = "json" if "json" in options else "data"
            before = _kept(filled)
            answer = filled.ask(actor, method, case.path, **{kind: {**WISHES, **options[kind]}})
            if answer.status_code >= 500:
                faults.append(f"{method} {case.path} as {actor}: {answer.status_code}")
            after = _kept(filled)
            if changed := [name for name in before if before[name] - after[name]]:
                faults.append(f"{method} {case.path} ({answer.status_code}) as {actor}: changed {changed}")
            if [row for row in after["user"] - before["user"] if row[1] != "requester"]:
                faults.append(f"{method} {case.path} as {actor}: made somebody with rights")
            if kind == "json" and case.expected[actor] == "open" and answer.status_code != 422:
                faults.append(f"{method} {case.path} as {actor}: takes unknown fields ({answer.status_code})")
            filled.put_back()
    assert not faults, "\n".join(faults)


def _kept(desk: FilledDesk) -> dict[str, set[Any]]:
    return {
        table: set(desk._watch.execute(f'SELECT {", ".join(columns)} FROM "{table}"').fetchall())
        for table, columns in KEPT.items()
    }
