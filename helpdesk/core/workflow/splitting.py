"""Make a ticket of its own out of a part of one."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, tuple_, update

from helpdesk.core import search, statuses
from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket, User
from helpdesk.core.models.merge import SPLIT as LINK
from helpdesk.core.models.ticket import OPEN
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import showing
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.families import locked
from helpdesk.core.workflow.linking import write_link
from helpdesk.core.workflow.locking import touch
from helpdesk.core.workflow.opening import SUBJECT_LENGTH

SPLIT = "ticket_split"


def split(ticket: Ticket, message: Message, subject: str, actor: User | None, onwards: bool = True) -> Ticket:
    """Move a message, and with ``onwards`` what was written after it, into a new ticket that is linked with this one.

    The new one is open, with the same team, agent and priority. It is the requester's of the old one; a single message
    that another customer wrote makes it theirs. Followers stay behind, and messages that a merge brought stay when
    that is undone. Records ``ticket_opened`` and
    ``ticket_split`` on the new one and ``ticket_split`` on the old one, and sends nothing. Merging it back undoes it.
    Any number of messages takes the same few statements. Joins or opens the transaction.

    Raises :class:`Invalid` (the first message onwards: nothing would stay; no subject; a merged ticket),
    :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    require(actor, "ticket.open")
    subject = " ".join(subject.split())[:SUBJECT_LENGTH]
    if not subject:
        raise Invalid("subject", _("A ticket needs a subject."))
    with transaction():
        locked((ticket.id,))
        db.session.refresh(message)
        chosen = _chosen(ticket, message, onwards)
        new = _opened(ticket, subject, ticket.requester if onwards else _asker(ticket, message))
        moved: Any = db.session.execute(
            update(Message)
            .where(Message.id.in_(chosen))
            # The mark of a merge stays: it says whose it was, and so who may read it.
            .values(ticket_id=new.id)
            .execution_options(synchronize_session=False)
        )
        showing.forget_messages()
        search.mark_messages(select(Message.id).where(Message.ticket_id == new.id))
        touch(ticket)
        showing.show_newest(ticket)
        showing.show_newest(new)
        write_link(new, ticket, LINK, actor)
        data = {"from": ticket.id, "to": new.id, "messages": moved.rowcount}
        record("ticket_opened", new, actor, {"channel": new.channel, "split_from": ticket.id})
        for one in (ticket, new):
            record(SPLIT, one, actor, data)
    return new


def _chosen(ticket: Ticket, message: Message, onwards: bool) -> Any:
    """A query for the messages that go; a message must stay."""
    if ticket.merged_into_id is not None or message.ticket_id != ticket.id:
        raise Invalid("message", _("This message is not on this ticket any more. Load the page again."))
    order = tuple_(Message.created_at, Message.id)
    here = select(Message.id).where(Message.ticket_id == ticket.id)
    place = (message.created_at, message.id)
    stays: Sequence[int] = db.session.scalars(
        here.where(order < place if onwards else Message.id != message.id).limit(1)
    ).all()
    if not stays:
        raise Invalid("message", _("Something must stay on this ticket. Choose a later message."))
    return here.where(order >= place) if onwards else here.where(Message.id == message.id)


def _asker(ticket: Ticket, message: Message) -> User:
    author = message.author
    return ticket.requester if author is None or author.is_staff or message.is_note else author


def _opened(ticket: Ticket, subject: str, requester: User) -> Ticket:
    status = statuses.of_category(OPEN)
    new = Ticket(
        subject=subject,
        status=status,
        category=status.category,
        priority=ticket.priority,
        priority_rank=ticket.priority_rank,
        requester=requester,
        organization_id=requester.organization_id,
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        type_id=ticket.type_id,
        topic_id=ticket.topic_id,
        channel=ticket.channel,
        account=ticket.account,
        locale=requester.locale or ticket.locale,
        created_at=now(),
    )
    db.session.add(new)
    db.session.flush()
    return new
