"""Opening a ticket: one transaction writes all of it, plugins have their say before."""

from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.api import Reject
from helpdesk.core import files, workflow
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Follower, Message, Status, Tag, Ticket, TicketField, TicketFieldValue
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction


@pytest.mark.db
def test_a_ticket_is_written_with_all_that_belongs_to_it(app: Any, make_user: Any, make_team: Any) -> None:
    rita, jonas, team = make_user(), make_user("agent"), make_team()
    with transaction():
        db.session.add(TicketField(key="serial", label="Serial number"))
    draft = TicketDraft(
        subject="  Rear brake\n rubs ",
        requester_id=rita.id,
        text="It rubs.",
        files=[files.store_bytes(b"\x89PNG\r\n\x1a\nxx", "brake.png", "image/png")],
        team_id=team.id,
        assignee_id=jonas.id,
        priority="high",
        tags=["Brakes", "brakes", " warranty "],
        fields={"serial": "LW-7"},
        follower_ids=[jonas.id, rita.id],
        channel="email",
        locale="es",
        external_id="m1@post.example",
        reason="closed:7",
        notice=True,
    )
    ticket = workflow.open_ticket(draft, None)
    db.session.rollback()
    assert (ticket.subject, ticket.category, ticket.priority_rank) == ("Rear brake rubs", "new", 2)
    assert (ticket.team, ticket.assignee, ticket.requester) == (team, jonas, rita)
    assert [tag.name for tag in ticket.tags] == ["brakes", "warranty"]
    assert (ticket.last_message_by, ticket.last_author_id, ticket.snippet) == ("requester", rita.id, "It rubs.")
    assert ticket.first_response_at is None and len(ticket.access_key) == 32
    message = db.session.scalars(select(Message)).one()
    assert (message.author, message.visibility, message.external_id) == (rita, "public", "m1@post.example")
    assert [(file.name, file.content_type) for file in message.attachments] == [("brake.png", "image/png")]
    assert db.session.scalars(select(TicketFieldValue.text)).all() == ["LW-7"]
    assert db.session.scalars(select(Follower.user_id)).all() == [jonas.id]  # the requester gets everything anyway
    events = db.session.scalars(select(Event).order_by(Event.id)).all()
    assert [(event.kind, event.actor_id, event.version) for event in events] == [
        ("ticket_opened", rita.id, 1),
        ("message_added", rita.id, 1),
    ]
    assert events[0].data == {"channel": "email", "reason": "closed:7"}
    assert [(row.kind, row.user_id) for row in db.session.scalars(select(Delivery))] == [("notice", rita.id)]


def test_an_agent_who_writes_first_has_answered(make_user: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    draft = TicketDraft("Your order", rita.id, "It is late, sorry.", author_id=jonas.id)
    ticket = workflow.open_ticket(draft, jonas)
    assert (ticket.category, ticket.last_message_by) == ("open", "agent")
    assert ticket.first_response_at is not None
    assert [(row.kind, row.address) for row in db.session.scalars(select(Delivery))] == [("reply", rita.email)]


def test_a_note_as_first_message_is_sent_to_nobody(make_user: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    draft = TicketDraft("Called us", rita.id, "She is angry.", author_id=jonas.id, visibility="internal")
    ticket = workflow.open_ticket(draft, jonas)
    assert (ticket.category, ticket.last_message_by, ticket.first_response_at) == ("new", "note", None)
    assert db.session.scalars(select(Delivery)).all() == []


def test_a_member_of_staff_may_be_the_customer(make_user: Any) -> None:
    jonas = make_user("agent")
    ticket = workflow.open_ticket(TicketDraft("My own chair", jonas.id, "It squeaks."), None)
    assert (ticket.category, ticket.last_message_by, ticket.first_response_at) == ("new", "requester", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": " \n"}, "text"),
        ({"text": "x" * 1_000_001}, "text"),
        ({"priority": "critical"}, "priority"),
        ({"status": "finished"}, "status"),
        ({"requester_id": 12345}, "requester"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": [str(number) for number in range(31)]}, "tags"),
        ({"fields": {"nothing": "1"}}, "field:nothing"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_written(
    make_user: Any, change: dict[str, Any], field: str
) -> None:
    draft = TicketDraft(**{"subject": "A question", "requester_id": make_user().id, "text": "Hello", **change})
    with pytest.raises(workflow.Invalid) as problem:
        workflow.open_ticket(draft, None)
    assert problem.value.field == field and str(problem.value).endswith((".", "?"))
    db.session.rollback()
    for model in (Ticket, Message, Event, Delivery, Tag):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0, model


def test_a_missing_subject_has_words_and_a_file_is_enough(make_user: Any) -> None:
    rita = make_user()
    file = files.store_bytes(b"x", "x.txt", "text/plain")
    ticket = workflow.open_ticket(TicketDraft("", rita.id, "", files=[file]), None)
    assert ticket.subject == "(no subject)"
    assert len(workflow.open_ticket(TicketDraft("s" * 999, rita.id, "x"), None).subject) == 300


def test_every_kind_of_status_may_be_the_first(make_user: Any) -> None:
    rita = make_user()
    for status in db.session.scalars(select(Status)).all():
        ticket = workflow.open_ticket(TicketDraft("s", rita.id, "x", status=status.key), None)
        assert ticket.category == status.category
        assert (ticket.solved_at is not None) == (status.category in ("solved", "closed"))
        assert (ticket.closed_at is not None) == (status.category == "closed")


# ---- plugins


def test_a_plugin_may_change_the_draft_and_choose_team_and_agent(
    plug: Any, make_ticket: Any, make_team: Any, make_user: Any
) -> None:
    team, jonas = make_team(), make_user("agent")

    def before_ticket_opened(draft: TicketDraft) -> None:
        draft.tags.append("brakes")
        draft.priority = "high"

    plug(
        "probe",
        before_ticket_opened=before_ticket_opened,
        choose_team=lambda draft: team if "brake" in draft.subject else None,
        choose_assignee=lambda ticket: jonas,
    )
    ticket = make_ticket("Rear brake rubs")
    assert [tag.name for tag in ticket.tags] == ["brakes"] and ticket.priority == "high"
    assert (ticket.team_id, ticket.assignee_id) == (team.id, jonas.id)
    assert make_ticket("Chain").team_id is None


def test_what_was_chosen_by_a_person_is_not_chosen_again(
    plug: Any, make_ticket: Any, make_team: Any, make_user: Any
) -> None:
    ours, theirs, jonas, mia = make_team("Ours"), make_team("Theirs"), make_user("agent"), make_user("agent")
    plug("probe", choose_team=lambda draft: theirs, choose_assignee=lambda ticket: mia)
    ticket = make_ticket(team=ours, assignee=jonas)
    assert (ticket.team_id, ticket.assignee_id) == (ours.id, jonas.id)


def test_a_plugin_may_refuse_with_a_reason(plug: Any, make_ticket: Any) -> None:
    def before_ticket_opened(draft: TicketDraft) -> None:
        raise Reject("We are closed on Sundays.")

    plug("probe", before_ticket_opened=before_ticket_opened)
    with pytest.raises(workflow.Refused, match="closed on Sundays"):
        make_ticket()
    assert db.session.scalar(select(func.count(Ticket.id))) == 0


def test_a_plugin_that_fails_changes_nothing_and_stops_nobody(plug: Any, make_ticket: Any) -> None:
    def spoil(draft: TicketDraft) -> None:
        draft.subject = "spoiled"
        draft.tags.append("spoiled")
        raise RuntimeError("broken")

    def mark(draft: TicketDraft) -> None:
        draft.tags.append("seen")

    broken = plug("broken", before_ticket_opened=spoil, choose_team=lambda draft: 1 / 0)
    plug("sound", before_ticket_opened=mark)
    ticket = make_ticket("Chain")
    assert ticket.subject == "Chain" and [tag.name for tag in ticket.tags] == ["seen"]
    assert broken.health["before_ticket_opened"].errors == 1 and broken.health["choose_team"].errors == 1


@pytest.mark.db
def test_a_plugin_whose_statement_fails_does_not_spoil_the_ticket(plug: Any, make_ticket: Any) -> None:
    def choose_assignee(ticket: Ticket) -> Any:
        return db.session.execute(db.text("SELECT * FROM no_such_table")).one()

    plug("broken", choose_assignee=choose_assignee)
    ticket = make_ticket()
    db.session.rollback()
    assert db.session.get(Ticket, ticket.id) is not None


def test_a_guard_keeps_an_agent_from_opening(plug: Any, make_user: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    plug("probe", veto=lambda user, permission: False if permission == "ticket.open" else None)
    with pytest.raises(NotAllowed):
        workflow.open_ticket(TicketDraft("s", rita.id, "x"), jonas)
    assert workflow.open_ticket(TicketDraft("s", rita.id, "x"), rita).id  # guards are about what roles may do
