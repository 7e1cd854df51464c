"""The authorization matrix: every address, with every object, by everybody, with every method, against access.toml.

docs/security/authorization.md says how to read it, and what to write when a page is added.
"""

from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import false

from helpdesk.cli.rules import access_rows
from helpdesk.cli.rules.access_rows import word
from helpdesk.plugins import manager
from helpdesk.plugins.hookspecs import hookimpl
from tests.security.actors import FORMS, FilledDesk
from tests.security.routes import METHODS, Case, cases, masked, shows, table_of

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

ACTORS = access_rows.read(access_rows.CORE).actors
# Ends the session, and leads to where a refusal leads.
_WAY_OUT = "auth.sign_out"


def test_every_address_has_a_row_and_every_row_an_address(filled: FilledDesk) -> None:
    """The core's and those of all plugins."""
    table = table_of(filled.app)
    assert list(access_rows.faults(access_rows.keys(filled.app.url_map), table)) == []


def test_an_address_without_a_row_is_found(make_app: Any, desk_plugins: Any) -> None:
    """And a row whose address is gone; so a new page cannot be forgotten."""
    app = make_app({})
    app.add_url_rule("/desk/forgotten/<int:number>", "desk.forgotten", lambda number: str(number))
    core = access_rows.read(access_rows.CORE)
    less = [key for key in access_rows.keys(app.url_map) if key != "desk.home"]
    assert list(access_rows.faults(less, core)) == [
        "Write a row for desk.forgotten: who gets what.",
        "Take out the row for desk.home; there is no such address.",
    ]


@pytest.mark.parametrize("actor", ACTORS)
def test_everybody_gets_what_the_table_says(filled: FilledDesk, actor: str) -> None:
    """The answer is the one of the table, shows nothing that is hidden from the actor, and a no leaves no trace."""
    table = table_of(filled.app)
    answers: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)
    faults: list[str] = []
    for case in cases(filled, table):
        for method in sorted(case.methods):
            label = f"{method} {case.path} ({case.row}, {case.thing}) as {actor}"
            answer = _ask(filled, actor, method, case)
            seen, expected = word(answer), case.expected[actor]
            if seen != expected:
                faults.append(f"{label}: expected {expected}, seen {seen}")
            text = masked(answer, case.path)
            said = f"{text[1]} {text[2]}"
            faults += [f"{label}: shows “{hidden}”" for hidden in filled.hidden.get(actor, ()) if shows(said, hidden)]
            faults += [f"{label}: {fault}" for fault in _traces(filled, method, case, seen)]
            if seen == "404":
                answers[(case.row, method, _choice(case))][case.thing] = text
    faults += [
        f"{method} {row} as {actor}: {fault}" for (row, method, _), same in answers.items() for fault in _told(same)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("actor", ["requester", "outsider"])
def test_head_and_options_tell_nothing(filled: FilledDesk, actor: str) -> None:
    """HEAD says what GET says, without a body; OPTIONS looks at no object, so that all are alike.

    Where the role alone refuses, no object is looked at, whatever the method.
    """
    table = table_of(filled.app)
    told: dict[tuple[str, str], set[Any]] = defaultdict(set)
    faults = []
    for case in cases(filled, table):
        if case.expected[actor] == "403":
            continue
        answer = filled.ask(actor, "OPTIONS", case.path)
        told[(case.row, _choice(case))].add((answer.status_code, answer.headers.get("Allow")))
        if word(answer) == "open" and answer.data:
            faults.append(f"OPTIONS {case.path} as {actor}: has a body")
        # What is the actor's own was asked by GET, which does the same.
        if "GET" in case.methods and case.expected[actor] != "open":
            head = filled.ask(actor, "HEAD", case.path)
            if word(head) != case.expected[actor] or head.data:
                faults.append(f"HEAD {case.path} as {actor}: expected {case.expected[actor]}, seen {word(head)}")
    for (row, _), answers in told.items():
        if len(answers) > 1:
            faults.append(f"OPTIONS {row} as {actor}: differs by object: {answers}")
    if filled.has_changed():
        faults.append(f"something was written: {filled.changes()}")
    filled.put_back()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("actor", ["stranger", "administrator"])
def test_methods_that_nobody_declared_are_refused(filled: FilledDesk, actor: str) -> None:
    """405, on every address, whoever asks."""
    table = table_of(filled.app)
    declared: dict[str, set[str]] = defaultdict(set)
    rows = set()
    for case in cases(filled, table):
        if (case.row, _choice(case)) not in rows or case.path in declared:
            declared[case.path] |= case.methods
        rows.add((case.row, _choice(case)))
    faults = []
    for path, methods in declared.items():
        # It is found out before anybody is known: one is enough for the second actor.
        for method in sorted(set(METHODS) - methods)[: None if actor == "stranger" else 1]:
            if (seen := filled.ask(actor, method, path).status_code) != 405:
                faults.append(f"{method} {path} as {actor}: expected 405, seen {seen}")
    assert not filled.has_changed()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("actor", ["stranger", "requester", "administrator"])
def test_forms_without_their_token_change_nothing(filled: FilledDesk, actor: str) -> None:
    """Each is refused with 400, but for those that access.toml lists with the reason; nothing is written."""
    table = table_of(filled.app)
    faults = []
    filled.app.config["WTF_CSRF_ENABLED"] = True
    try:
        for case in cases(filled, table):
            for method in case.methods - {"GET"}:
                answer = _ask(filled, actor, method, case)
                if case.row not in table.without_token and answer.status_code != 400:
                    faults.append(f"{method} {case.path} as {actor}: expected 400, seen {answer.status_code}")
                if filled.has_changed():
                    faults.append(f"{method} {case.path} as {actor}: wrote {filled.changes()}")
                    filled.put_back()
    finally:
        filled.app.config["WTF_CSRF_ENABLED"] = False
    assert not faults, "\n".join(faults)
    assert set(table.without_token) <= set(table.rows)


@pytest.mark.parametrize("actor", ["stranger", "administrator"])
@pytest.mark.parametrize("number", [2**63, 10**100], ids=["2**63", "10**100"])
def test_a_number_that_no_row_can_have_is_not_there(filled: FilledDesk, actor: str, number: int) -> None:
    """On every address with a number; the database is not asked for what it cannot hold."""
    faults = []
    for row, rule in access_rows.keys(filled.app.url_map).items():
        if "<int:" not in rule.rule:
            continue
        path = "/".join(_part(part, str(number)) for part in rule.rule.split("/"))
        for method in set(rule.methods or ()) & set(METHODS):
            if (seen := filled.ask(actor, method, path).status_code) != 404:
                faults.append(f"{method} {row} as {actor}: expected 404, seen {seen}")
    assert not faults, "\n".join(faults)


def test_a_plugin_that_hides_every_ticket_closes_all_their_addresses(filled: FilledDesk) -> None:
    """What ``limit_tickets`` takes away is not there for anybody, wherever they ask."""
    wanted = [case for case in cases(filled, table_of(filled.app)) if case.thing == "own" and "/tickets/" in case.path]
    plugins = filled.app.extensions[manager.EXTENSION]
    with filled.app.app_context():
        plugins.add("guard", SimpleNamespace(limit_tickets=hookimpl(lambda user: false())))
    try:
        faults = []
        for case in wanted:
            for actor in ("administrator", "requester", "program"):
                for method in case.methods if case.expected[actor] == "open" else ():
                    if (seen := word(_ask(filled, actor, method, case))) != "404":
                        faults.append(f"{method} {case.path} as {actor}: expected 404, seen {seen}")
        assert len(wanted) > 25 and not faults, "\n".join(faults)
    finally:
        plugins.leave_out("guard", "The test is over.")
        del plugins.plugins["guard"]
        filled.put_back()


def _ask(desk: FilledDesk, actor: str, method: str, case: Case) -> Any:
    form = FORMS.get(case.endpoint) if method != "GET" else None
    return desk.ask(actor, method, case.path, **(form(desk) if form else {}))


def _traces(desk: FilledDesk, method: str, case: Case, seen: str) -> Iterator[str]:
    """What was written though somebody only looked or was refused; everything is put back."""
    if not desk.has_changed():
        return
    if (method == "GET" or seen != "open") and case.row != _WAY_OUT:
        yield f"{seen}, and wrote into {', '.join(sorted(desk.changes()))}"
    desk.put_back()


def _told(same: dict[str, Any]) -> Iterator[str]:
    """Where not yours and not there are told apart."""
    first, *others = same.items()
    for thing, text in others:
        if text != first[1]:
            yield f"{thing} and {first[0]} are told apart"


def _choice(case: Case) -> str:
    """The last part of an address, where it is one of several words: they are compared one by one."""
    return case.path.rpartition("/")[2] if not case.path.rpartition("/")[2].isdigit() else ""


def _part(part: str, number: str) -> str:
    if part.startswith("<int:"):
        return number
    return "up" if part.startswith("<any(up") else part
