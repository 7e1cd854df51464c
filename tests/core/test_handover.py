"""What a leaver has in hand goes to a person or a team, completely, however much it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from helpdesk.core import handover, staff, workflow
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.handover import Receiver, hand_over, holdings
from helpdesk.core.models import AuditEntry, Event, Job, Macro, Promise, ReplyDraft, Ticket, User, View
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.teams import make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import Invalid

pytestmark = pytest.mark.db


@pytest.fixture
def world(app: Any, make_user: Callable[..., Any], make_ticket: Callable[..., Any]) -> dict[str, Any]:
    jo, mia = make_user("agent", name="Jo"), make_user("agent", name="Mia")
    tickets = [make_ticket(assignee=jo, subject=f"Bell {number}") for number in range(3)]
    other = make_ticket(assignee=mia)
    workflow.solve(tickets[2], jo)
    workflow.promise_answer(other, now() + timedelta(days=1), jo)
    with transaction():
        texts = {"text": "Dear", "visibility": "public"}
        db.session.add_all(
            [
                ReplyDraft(ticket_id=tickets[0].id, user_id=jo.id, **texts),
                ReplyDraft(ticket_id=tickets[1].id, user_id=jo.id, send_at=now() + timedelta(minutes=1), **texts),
                View(name="Shared", owner_id=jo.id, shared_with="everybody"),
                View(name="Mine", owner_id=jo.id),
                Macro(name="Both", owner_id=jo.id, shared_with="everybody"),
            ]
        )
    return {"jo": jo, "mia": mia, "tickets": tickets, "other": other}


def owners(model: Any, column: str = "owner_id") -> set[Any]:
    db.session.rollback()
    return set(db.session.scalars(db.select(getattr(model, column))))


def test_everything_goes_to_a_colleague(world: dict[str, Any], make_user: Any) -> None:
    jo, mia, admin = world["jo"], world["mia"], make_user("admin")
    assert holdings(jo) == handover.Holdings(tickets=2, drafts=2, promises=1, shared=2)
    for wrong in (
        Receiver(),
        Receiver(person=jo),
        Receiver(person=make_user()),
        Receiver(person=mia, team=make_team("A", None)),
    ):
        with pytest.raises(Invalid):
            hand_over(jo, wrong, admin)
    with pytest.raises(NotAllowed):
        hand_over(jo, Receiver(mia), mia)
    assert hand_over(jo, Receiver(mia), admin) is None
    assert holdings(jo).is_empty and owners(ReplyDraft, "user_id") == owners(Promise) == owners(Macro) == {mia.id}
    # What was to be sent waits for whoever reads it over; what is solved tells who solved it; what is private stays.
    assert owners(ReplyDraft, "send_at") == {None} and owners(View) == {mia.id, jo.id}
    assert [db.session.get_one(Ticket, one.id).assignee_id for one in world["tickets"]] == [mia.id, mia.id, jo.id]
    events = db.session.scalars(db.select(Event).where(Event.kind == "ticket_assigned", Event.actor_id == admin.id))
    assert [event.data["to_name"] for event in events] == ["Mia", "Mia"]
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "user.handed_over")).one()
    assert (entry.data["tickets"], entry.data["to"]) == (2, "Mia")


def test_a_team_gives_it_out_and_keeps_what_nobody_takes(world: dict[str, Any], make_user: Any) -> None:
    jo, ann = world["jo"], make_user("agent", name="Ann")
    ann.capacity = 1
    with transaction():
        db.session.get_one(User, ann.id).capacity = 1
    team = make_team("Shop", None, members=[ann, jo], assignment="round_robin")
    workflow.move(world["tickets"][1], team, None)
    staff.change_person(jo, None, name="Jo", role="agent", active=False)
    assert hand_over(jo, Receiver(team=team), None) is None
    db.session.rollback()
    first, second = (db.session.get_one(Ticket, one.id) for one in world["tickets"][:2])
    assert (first.team_id, first.assignee_id, second.team_id, second.assignee_id) == (team.id, ann.id, team.id, None)
    drafts = {
        ticket_id: user_id
        for ticket_id, user_id in db.session.execute(db.select(ReplyDraft.ticket_id, ReplyDraft.user_id))
    }
    # The draft of the ticket that nobody has lies on it still, where all can read it.
    assert drafts == {first.id: ann.id, second.id: jo.id}
    assert owners(Macro) == {None} and owners(Promise) == {world["mia"].id}


def test_much_is_a_job_that_goes_on_where_it_was(
    world: dict[str, Any], make_ticket: Any, make_user: Any, run_jobs: Any, monkeypatch: Any
) -> None:
    jo, mia, admin = world["jo"], world["mia"], make_user("admin")
    monkeypatch.setattr(handover, "AT_ONCE", 2)
    monkeypatch.setattr(handover, "_BATCH", 1)
    job = hand_over(jo, Receiver(mia), admin)
    assert job is not None and not holdings(jo).is_empty
    # It dies at the second ticket, and goes on.
    passed, real = [], handover._pass_on

    def dies_once(ticket_id: int, *rest: Any) -> None:
        passed.append(ticket_id)
        if len(passed) == 2:
            raise RuntimeError("killed")
        real(ticket_id, *rest)

    monkeypatch.setattr(handover, "_pass_on", dies_once)
    run_jobs()
    with transaction():
        db.session.get_one(Job, job.id).run_at = now()
    run_jobs()
    job = db.session.get_one(Job, job.id)
    assert (job.state, job.progress_done, job.progress_total, job.result) == ("done", 3, 3, {"tickets": 3, "kept": 0})
    assert holdings(jo).is_empty and len(passed) == 4
