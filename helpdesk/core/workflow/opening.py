"""Open a ticket."""

from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from helpdesk.core import deliveries, routing, statuses
from helpdesk.core.abreast import FLUSH, Ask, Way, alone
from helpdesk.core.clock import now
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Status, Team, Ticket, TicketType, Topic, User
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.models.ticket import CLOSED, NEW, OPEN, PRIORITIES, SOLVED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.editing import store_fields, tags_named
from helpdesk.core.workflow.errors import Invalid, Refused
from helpdesk.core.workflow.following import add_followers
from helpdesk.core.workflow.messages import speaks_for_desk, writing
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Reject

SUBJECT_LENGTH = 300
TEXT_LENGTH = 1_000_000
# In seconds: a day.
LONGEST_CALL = 86_400


def prepare_ticket(draft: TicketDraft, actor: User | None) -> TicketDraft:
    """Check a draft and ask the plugins, before any transaction opens.

    Raises :class:`Invalid` or :class:`Refused`. :func:`open_ticket` calls it for a draft that is not prepared.
    """
    draft = replace(draft, subject=" ".join(draft.subject.split())[:SUBJECT_LENGTH] or _("(no subject)"))
    if not draft.text.strip() and not draft.html.strip() and not draft.files:
        raise Invalid("text", _("Write what it is about."))
    if len(draft.text) > TEXT_LENGTH or len(draft.html) > 2 * TEXT_LENGTH:
        raise Invalid("text", _("This text is too long; a million characters fit. Attach it as a file instead."))
    if draft.priority not in PRIORITIES:
        raise Invalid("priority", _("There is no priority “%(name)s”.", name=draft.priority))
    if draft.call_seconds is not None and not 0 <= draft.call_seconds <= LONGEST_CALL:
        raise Invalid("call", _("A call takes between 0 seconds and 24 hours."))
    try:
        draft = manager.current().before("before_ticket_opened", "draft", draft=draft, actor=actor)
    except Reject as rejection:
        raise Refused(rejection.reason) from rejection
    if draft.team_id is None:
        team: Team | None = manager.current().answer("choose_team", Team, draft=draft)
        draft.team_id = team.id if team is not None else None
    draft.prepared = True
    return draft


def open_ticket(draft: TicketDraft, actor: User | None) -> Ticket:
    """Open a ticket with its first message; record ``ticket_opened`` and ``message_added``.

    One transaction writes ticket, message, attachments, tags, fields, followers, events and deliveries
    (it joins the open one). When staff write the first message publicly it is sent to the requester; with
    ``draft.notice`` the requester is told that it was received.

    Raises :class:`Invalid`, :class:`Refused`, :class:`NotAllowed`.
    """
    if actor is not None and actor.is_staff:
        require(actor, "ticket.open")
    if not draft.prepared:
        draft = prepare_ticket(draft, actor)
    with transaction():
        return alone(way_to_open(draft, actor))


def way_to_open(draft: TicketDraft, actor: User | None) -> Way[Ticket]:
    """What :func:`open_ticket` does in the transaction with a prepared draft, as a way that may go beside others."""
    requester = db.session.get(User, draft.requester_id)
    if requester is None:
        raise Invalid("requester", _("Choose who is asking."))
    author = db.session.get(User, draft.author_id) if draft.author_id else requester
    ticket = yield from _ticket(draft, requester)
    given = yield from _given(ticket)
    message = yield from _first_message(ticket, draft, author)
    # They see the first message too: the ticket begins with them.
    add_followers(ticket, draft.follower_ids, message.created_at)
    record("ticket_opened", ticket, actor or author, _opened_data(draft, given), message)
    record("message_added", ticket, author, {"visibility": message.visibility}, message)
    if message.visibility == PUBLIC and speaks_for_desk(author, ticket):
        deliveries.queue_message(ticket, message)
    elif draft.notice:
        data = {"text": draft.notice_text} if draft.notice_text else None
        yield from deliveries.queueing("notice", [requester], ticket=ticket, data=data)
    yield FLUSH
    return ticket


def _ticket(draft: TicketDraft, requester: User) -> Way[Ticket]:
    status = yield Ask(_statuses, draft.status)
    if status is None:
        raise Invalid("status", _("There is no status “%(name)s”.", name=draft.status or ""))
    ticket = Ticket(
        subject=draft.subject,
        status=status,
        category=status.category,
        priority=draft.priority,
        priority_rank=PRIORITIES.index(draft.priority),
        requester=requester,
        organization_id=requester.organization_id,
        team_id=draft.team_id,
        assignee_id=draft.assignee_id,
        type_id=_still_there(TicketType, draft.type_id),
        topic_id=_still_there(Topic, draft.topic_id),
        channel=draft.channel,
        account=draft.account or None,
        locale=draft.locale or requester.locale,
        solved_at=now() if status.category in (SOLVED, CLOSED) else None,
        closed_at=now() if status.category == CLOSED else None,
    )
    ticket.tags = tags_named(draft.tags)
    db.session.add(ticket)
    yield FLUSH
    if ticket.assignee_id is None:
        _let_plugins_assign(ticket)
    store_fields(ticket, draft.fields)
    return ticket


def _still_there(model: type[TicketType | Topic], number: int | None) -> int | None:
    """The number of a type or topic, or None for one that was deleted since the draft was written."""
    return number if number is not None and db.session.get(model, number) is not None else None


def _statuses(keys: list[str | None]) -> list[Status | None]:
    """The statuses that new tickets shall have; None where there is none of that key."""
    found = {key: statuses.by_key(key) if key else statuses.of_category(NEW) for key in set(keys)}
    return [found[key] for key in keys]


def _let_plugins_assign(ticket: Ticket) -> None:
    agent: User | None = manager.current().answer("choose_assignee", User, ticket=ticket)
    if agent is None or not agent.is_staff or not agent.active or agent.is_service:
        return
    left = routing.able_to_take([ticket], [agent]).get(ticket.id)
    if left is None or agent.id in left:
        ticket.assignee_id = agent.id


def _first_message(ticket: Ticket, draft: TicketDraft, author: User | None) -> Way[Message]:
    message = yield from writing(ticket, draft, author)
    ticket.updated_at = message.created_at
    if ticket.first_response_at is not None and ticket.category == NEW:
        status = statuses.of_category(OPEN)
        ticket.status, ticket.category = status, status.category
    return message


def _given(ticket: Ticket) -> Way[routing.Given]:
    """Who takes it, where neither the draft nor a plugin says so: as its team does."""
    if ticket.assignee_id is not None or ticket.team_id is None:
        return routing.Given(routing.HAND)
    given: routing.Given = yield Ask(routing.give_out, ticket)
    if given.agent is not None:
        ticket.assignee_id = given.agent.id
    return given


def _opened_data(draft: TicketDraft, given: routing.Given) -> dict[str, Any]:
    return {"channel": draft.channel, **({"reason": draft.reason} if draft.reason else {}), **given.data()}
