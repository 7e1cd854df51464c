"""A ticket that is hidden from somebody changes nothing of what they are shown: no list, no count, no search, no news.

Every page is asked twice, with the private ticket and on the same desk without it, and has to say the same, byte for
byte after tokens are masked.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

from helpdesk.core.clock import now
from tests.security.actors import SECRET, FilledDesk
from tests.security.routes import cases, masked, table_of

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

_PART = {"HX-Request": "true"}


@pytest.mark.parametrize("actor", ["stranger", "requester", "colleague", "neighbour", "outsider", "program"])
def test_a_hidden_ticket_changes_no_answer(filled: FilledDesk, actor: str) -> None:
    """Lists with each filter and sort, counts, news, searches, suggestions, reports, people, teams, and the rest."""
    with_it, without_it = _twice(filled, actor)
    assert len(with_it) > 10
    assert [
        _difference(look, answer, without_it[look]) for look, answer in with_it.items() if answer != without_it[look]
    ] == []


def test_who_sees_the_ticket_sees_the_difference(filled: FilledDesk) -> None:
    """Or the test above would compare what is always the same: counts, lists, searches and news differ for an agent."""
    with_it, without_it = _twice(filled, "agent")
    differ = {look for look, answer in with_it.items() if answer != without_it[look]}
    team = filled.values["team_id"]["private"]
    for part in ("/desk/counts", "/desk/dashboard", "text=Zinnober", "tag=brakes", "priority=urgent", f"team={team}"):
        assert any(part in look for look in differ), part
    assert len(differ) > 20


def _twice(desk: FilledDesk, actor: str) -> tuple[dict[str, Any], dict[str, Any]]:
    # Pages say how long ago things were.
    with time_machine.travel(now(), tick=False):
        with_it = _answers(desk, actor)
        desk.without_the_private_ticket()
        try:
            return with_it, _answers(desk, actor)
        finally:
            desk.put_back()


def _answers(desk: FilledDesk, actor: str) -> dict[str, Any]:
    """What somebody is answered, by what was asked for; the headers, with the length, are part of it."""
    found = {}
    for path, headers in _looks(desk, actor):
        answer = desk.ask(actor, "GET", path, headers=headers)
        found[f"{path} {' '.join(headers)}"] = masked(answer, path)
    return found


def _looks(desk: FilledDesk, actor: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every page that is open to the actor, but those of the private ticket itself; then lists, narrowed down."""
    hidden = {desk.values[name]["private"] for name in ("number", "attachment_id", "message_id")}
    for case in cases(desk, table_of(desk.app)):
        of_it = case.thing == "private" and not hidden.isdisjoint(map(int, re.findall(r"[0-9]+", case.path)))
        if "GET" in case.methods and case.expected[actor] == "open" and not of_it:
            yield case.path, {}
    if actor in ("agent", "outsider"):
        for query in _queries(desk):
            yield f"/desk/views/all?part=rows&{query}", _PART
            yield f"/desk/views/all/news?since=0&{query}", _PART
        for text in ("Zinnober", "Karl"):
            yield f"/desk/views/all?f=1&text={text}", {}
            yield f"/desk/people?text={text}", {}
    if actor == "program":
        for query in (
            "text=Zinnober",
            f"text={SECRET}",
            "text=Kundmark",
            "tag=brakes",
            "category=new",
            "priority=urgent",
        ):
            yield f"/api/v1/tickets?{query}", {}


def _difference(look: str, one: Any, other: Any) -> str:
    """The first lines that are not the same."""
    lines = zip(str(one).split("\\n"), str(other).split("\\n"), strict=False)
    return f"{look}: {next(((a, b) for a, b in lines if a != b), 'longer')}"


def _queries(desk: FilledDesk) -> Iterator[str]:
    narrow = {
        "text": ["Zinnober", SECRET, "Kundmark", str(desk.values["number"]["private"])],
        "tag": ["brakes", SECRET.lower()],
        "priority": ["urgent"],
        "requester": [str(desk.people["customer"])],
        "assignee": ["none", str(desk.people["agent"])],
        "team": [str(desk.values["team_id"]["private"]), "none"],
        "category": ["new", "open", "pending", "solved"],
    }
    for key, values in narrow.items():
        for value in values:
            yield urlencode({"f": 1, key: value})
    for sort in ("updated", "-updated", "created", "-created", "priority", "-priority"):
        yield urlencode({"f": 1, "sort": sort})
