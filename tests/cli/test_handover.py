"""`helpdesk user handover` gives what a leaver has in hand to a colleague or a team."""

from collections.abc import Callable
from typing import Any

import pytest

from helpdesk.core import workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket
from tests.cli.conftest import Said

# Commands look at the desk of the home.
pytestmark = pytest.mark.sqlite


def _holders() -> set[tuple[str | None, str | None]]:
    db.session.rollback()
    tickets = db.session.scalars(db.select(Ticket))
    return {(one.assignee and one.assignee.email, one.team and one.team.name) for one in tickets}


def test_a_leavers_tickets_go_to_whom_is_named(
    helpdesk: Callable[..., Said], make_user: Any, make_ticket: Any, make_team: Any
) -> None:
    jo, mia = make_user("agent", email="jo@desk.example"), make_user("agent", email="mia@desk.example")
    make_team("Workshop", [mia])
    for number in range(3):
        workflow.assign(make_ticket(f"Bell {number}"), jo, jo)
    said = helpdesk("user", "handover", jo.email, "--dry-run", "--json")
    assert said.json[0]["tickets"] == 3 and _holders() == {("jo@desk.example", None)}
    said = helpdesk("user", "handover", jo.email, "--to", "mia@desk.example")
    assert said.status == 0 and "3 tickets" in said.out, said.err
    helpdesk("job", "run-due")
    assert _holders() == {("mia@desk.example", None)}
    assert helpdesk("user", "handover", "mia@desk.example", "--team", "Workshop").status == 0
    helpdesk("job", "run-due")
    assert {team for _agent, team in _holders()} == {"Workshop"}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["jo@desk.example", "--to", "nobody@desk.example"], "nobody@desk.example"),
        (["jo@desk.example", "--team", "Nowhere"], "Nowhere"),
        (["jo@desk.example", "--to", "jo@desk.example"], ""),
        (["jo@desk.example"], ""),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    helpdesk: Callable[..., Said], make_user: Any, words: list[str], part: str
) -> None:
    make_user("agent", email="jo@desk.example")
    said = helpdesk("user", "handover", *words)
    assert said.status != 0 and part in said.err and "Traceback" not in said.err
