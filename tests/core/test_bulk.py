"""Actions on many tickets: each for itself, the reasons of those left out, and the way back."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import actions, bulk, workflow
from helpdesk.core.extensions import db
from helpdesk.core.filters import TicketFilter
from helpdesk.core.jobs import runner
from helpdesk.core.models import BulkAct, BulkItem, Ticket
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.db


def _actions(actor: Any, **values: str) -> list[actions.Action]:
    return actions.parse([{"do": do, "value": value} for do, value in values.items()], actor)


def _fresh(ticket: Ticket) -> Ticket:
    found = db.session.get(Ticket, ticket.id, populate_existing=True)
    assert found is not None
    return found


def _tags(ticket: Ticket) -> list[str]:
    return [tag.name for tag in ticket.tags]


def test_each_ticket_for_itself_and_back_again(make_ticket: Any, make_user: Any, make_team: Any) -> None:
    jonas, mia, private = make_user("agent"), make_user("agent"), make_team(private=True)
    one, two = make_ticket("One", tags=["old", "x"]), make_ticket("Two", priority="high")
    closed, hidden = make_ticket("Closed", status="closed"), make_ticket("Hidden", team=private)
    wanted = _actions(jonas, set_status="closed", assign="me", add_tags="x, batch", remove_tags="old")

    act = bulk.begin([one.id, two.id, closed.id, hidden.id, 987654], wanted, jonas)

    sums = bulk.sums(act)
    assert (act.state, sums.done, sums.skipped, sums.waiting) == ("done", 3, 2, 0)
    assert {item.ticket_id for item in bulk.told_of(act)} == {hidden.id, 987654}
    assert (_fresh(one).category, one.assignee_id, [tag.name for tag in one.tags]) == (
        "closed",
        jonas.id,
        ["batch", "x"],
    )
    assert _fresh(hidden).category == "new"
    with pytest.raises(NotAllowed):
        bulk.undo(act, mia)

    # Somebody goes on with one of them meanwhile.
    workflow.assign(_fresh(two), mia, mia)
    bulk.undo(act, jonas)
    bulk.undo(act, jonas)

    assert (act.state, bulk.sums(act).undone) == ("undone", 3)
    assert (_fresh(one).category, one.assignee_id, _tags(one)) == ("new", None, ["old", "x"])
    assert one.reopened == 0
    assert (_fresh(two).category, two.assignee_id) == ("new", mia.id)
    assert _fresh(closed).category == "closed"
    assert [item.ticket_id for item in bulk.told_of(act) if "Assignee" in item.reason] == [two.id]


def test_more_than_a_request_waits_for_are_a_job_that_a_kill_does_not_repeat(
    make_ticket: Any, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    jonas = make_user("agent")
    tickets = [make_ticket(f"Number {number}") for number in range(5)]
    act = bulk.begin(TicketFilter(category=("new",)), _actions(jonas, set_priority="urgent"), jonas)
    assert (act.state, bulk.sums(act).waiting) == ("running", 5)
    # As if a worker had been killed after the first.
    with transaction():
        item = db.session.scalars(select(BulkItem).where(BulkItem.act_id == act.id)).first()
        assert item is not None
        item.state = "done"
    runner.run_due()
    assert db.session.get(BulkAct, act.id, populate_existing=True).state == "done"  # type: ignore[union-attr]
    assert [_fresh(ticket).priority for ticket in tickets].count("urgent") == 4
    bulk.undo(act, jonas)
    assert act.state == "undoing"
    runner.run_due()
    assert {_fresh(ticket).priority for ticket in tickets} == {"normal"}
    assert {ticket.version for ticket in tickets} == {1, 3}


def test_what_cannot_be_done_is_said(make_ticket: Any, make_user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jonas = make_user("agent")
    for raw in ([], [{"do": "explode", "value": "1"}], [{"do": "assign", "value": "99"}], "x", [7]):
        with pytest.raises(actions.InvalidAction):
            actions.parse(raw, jonas)
    for do, value in {
        "set_due": "the other day",
        "set_status": "nice",
        "add_tags": " ,",
        "reply": "{{ boss }}",
    }.items():
        with pytest.raises(actions.InvalidAction) as problem:
            _actions(jonas, **{do: value})
        assert problem.value.field == do and str(problem.value)
    for which in ([], TicketFilter(category=("closed",))):
        with pytest.raises(bulk.NothingChosen):
            bulk.begin(which, _actions(jonas, set_priority="low"), jonas)
    monkeypatch.setattr(bulk, "MOST", 1)
    with pytest.raises(bulk.NothingChosen):
        bulk.begin([make_ticket().id, make_ticket().id], _actions(jonas, set_priority="low"), jonas)
    assert not db.session.scalars(select(BulkAct)).all(), "nothing is left of what was refused"
