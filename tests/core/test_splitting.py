"""A part of a ticket becomes one of its own; tickets that belong together are linked."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Message, Ticket, TicketLink


def texts(ticket: Ticket) -> list[str]:
    query = select(Message.text).where(Message.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(Message.created_at, Message.id)))


def links() -> list[tuple[int, int, str]]:
    rows = db.session.scalars(select(TicketLink).order_by(TicketLink.id))
    return [(row.ticket_id, row.other_id, row.kind) for row in rows]


@pytest.mark.db
def test_a_message_and_what_follows_become_a_ticket_and_go_back_by_merging(make_user: Any, make_ticket: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    ticket = make_ticket(requester=rita, text="The lock.", priority="high")
    second = workflow.reply(ticket, MessageDraft("And the bell."), rita)
    workflow.note(ticket, MessageDraft("Bells are out."), jonas)
    sent = len(db.session.scalars(select(Delivery)).all())
    new = workflow.split(ticket, second, " The  bell ", jonas)
    assert texts(ticket) == ["The lock."] and texts(new) == ["And the bell.", "Bells are out."]
    assert (new.subject, new.requester_id, new.priority, new.category) == ("The bell", rita.id, "high", "open")
    assert (ticket.snippet, new.snippet, new.last_message_by) == ("The lock.", "Bells are out.", "note")
    assert links() == [(new.id, ticket.id, "split")]
    assert len(db.session.scalars(select(Delivery)).all()) == sent, "nobody is told"
    workflow.merge(ticket, [new], jonas)
    assert texts(ticket) == ["The lock.", "And the bell.", "Bells are out."]
    with pytest.raises(workflow.Invalid, match="not on this ticket any more"):
        workflow.split(new, second, "Again", jonas)


def test_something_stays_and_one_message_of_another_customer_becomes_theirs(make_user: Any, make_ticket: Any) -> None:
    rita, otto, jonas = make_user(), make_user(), make_user("agent")
    ticket = make_ticket(requester=rita, text="The lock.")
    workflow.follow(ticket, otto, jonas)
    first = db.session.scalars(select(Message).where(Message.ticket_id == ticket.id)).one()
    for onwards in (True, False):
        with pytest.raises(workflow.Invalid, match="Something must stay"):
            workflow.split(ticket, first, "All", jonas, onwards)
    with pytest.raises(workflow.Invalid, match="needs a subject"):
        workflow.split(ticket, first, " ", jonas)
    aside = workflow.reply(ticket, MessageDraft("I have another question."), otto)
    workflow.reply(ticket, MessageDraft("Still stuck."), rita)
    new = workflow.split(ticket, aside, "Another", jonas, onwards=False)
    assert new.requester_id == otto.id and texts(new) == ["I have another question."]
    assert texts(ticket) == ["The lock.", "Still stuck."]


def test_what_a_merge_brought_stays_unreadable_after_a_split(make_user: Any, make_ticket: Any) -> None:
    rita, otto, jonas = make_user(), make_user(), make_user("agent")
    ritas, ottos = make_ticket(requester=rita, text="of rita"), make_ticket(requester=otto, text="of otto")
    (merge,) = workflow.merge(ritas, [ottos], jonas, different_people=True)
    brought = db.session.scalars(select(Message).where(Message.text == "of otto")).one()
    new = workflow.split(ritas, brought, "Part", jonas)
    readable = select(Message.text).where(workflow.readable_by(rita, new))
    assert new.requester_id == rita.id and list(db.session.scalars(readable)) == []
    workflow.unmerge(merge, jonas)
    assert texts(new) == ["of otto"] and texts(ottos) == [], "it was taken out of the merge by the split"


@pytest.mark.db
def test_links_are_there_once_whichever_way_round(make_user: Any, make_ticket: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    one, other = make_ticket(requester=rita), make_ticket(requester=rita)
    workflow.link(one, other, jonas)
    workflow.link(other, one, jonas, "duplicate")
    assert links() == [(other.id, one.id, "duplicate")]
    for bad in ({"kind": "split"}, {"kind": "x"}):
        with pytest.raises(workflow.Invalid):
            workflow.link(one, other, jonas, **bad)
    with pytest.raises(workflow.Invalid, match="itself"):
        workflow.link(one, one, jonas)
    workflow.unlink(one, other, jonas)
    workflow.unlink(one, other, jonas)
    assert links() == []
