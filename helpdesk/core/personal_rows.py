"""What the desk's own tables say of a person, as JSON."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core.extensions import db
from helpdesk.core.mentions import Mentions
from helpdesk.core.models import (
    Absence,
    ApiToken,
    AuditEntry,
    BulkAct,
    CannedResponse,
    Delivery,
    Event,
    Follower,
    Intake,
    Macro,
    Message,
    Notification,
    NotificationChoice,
    Promise,
    ReplyDraft,
    SecondFactor,
    Shift,
    SignInSession,
    Ticket,
    TicketField,
    TicketFieldValue,
    TicketRead,
    TrustedDevice,
    User,
    View,
)
from helpdesk.core.workflow.editing import field_value


def rows_of(user: User) -> dict[str, Any]:
    """Everything by kind; times are ISO 8601 in UTC. A number of queries that does not grow. Reads only."""
    return {
        "profile": _profile(user),
        "organization": _organization(user),
        "teams": [team.name for team in user.teams],
        "tickets": list(_tickets(user)),
        "messages": [_message(message) for message in db.session.scalars(_messages(user))],
        "follows": list(db.session.scalars(select(Follower.ticket_id).where(Follower.user_id == user.id))),
        "has_read": list(_reads(user)),
        "events": [
            _event(event) for event in db.session.scalars(_by_id(select(Event), Event, Event.actor_id == user.id))
        ],
        "deliveries": [_delivery(row) for row in db.session.scalars(_by_id(select(Delivery), Delivery, sent_to(user)))],
        "incoming": [_incoming(row) for row in db.session.scalars(_by_id(select(Intake), Intake, came_from(user)))],
        "views": [
            {"name": view.name, "shared_with": view.shared_with, "filters": view.filters}
            for view in db.session.scalars(_by_id(select(View), View, View.owner_id == user.id))
        ],
        "canned_responses": [
            {"name": row.name, "folder": row.folder, "texts": {text.locale: text.text for text in row.texts}}
            for row in db.session.scalars(_canned(user))
        ],
        "macros": [
            {"name": macro.name, "shared_with": macro.shared_with, "actions": macro.actions}
            for macro in db.session.scalars(_by_id(select(Macro), Macro, Macro.owner_id == user.id))
        ],
        "bulk_acts": [
            {"at": _at(act.created_at), "actions": act.actions, "tickets": act.total, "state": act.state}
            for act in db.session.scalars(_by_id(select(BulkAct), BulkAct, BulkAct.actor_id == user.id))
        ],
        "reply_drafts": [
            {"ticket": row.ticket_id, "visibility": row.visibility, "text": row.text, "at": _at(row.updated_at)}
            for row in db.session.scalars(_by_id(select(ReplyDraft), ReplyDraft, ReplyDraft.user_id == user.id))
        ],
        "promises": [
            _promise(row) for row in db.session.scalars(_by_id(select(Promise), Promise, Promise.owner_id == user.id))
        ],
        "shifts": [_shift(row) for row in db.session.scalars(_by_id(select(Shift), Shift, Shift.user_id == user.id))],
        "absences": [
            {"from": row.begins_at.isoformat(), "to": row.ends_at.isoformat(), "kind": row.kind, "note": row.note}
            for row in db.session.scalars(_by_id(select(Absence), Absence, Absence.user_id == user.id))
        ],
        "notices": [
            _notice(row)
            for row in db.session.scalars(_by_id(select(Notification), Notification, Notification.user_id == user.id))
        ],
        "notice_choices": [
            {"kind": row.kind, "page": row.page, "browser": row.browser, "mail": row.mail}
            for row in db.session.scalars(
                select(NotificationChoice)
                .where(NotificationChoice.user_id == user.id)
                .order_by(NotificationChoice.kind)
            )
        ],
        "sign_in": _sign_in(user),
        "tokens": [
            _token(row) for row in db.session.scalars(_by_id(select(ApiToken), ApiToken, ApiToken.user_id == user.id))
        ],
        "audit": list(_audits(user)),
    }


# ---- which rows are about a person


def sent_to(user: User) -> ColumnElement[bool]:
    """The deliveries to a person, or to their address."""
    return or_(Delivery.user_id == user.id, *([Delivery.address == user.email] if user.email else []))


def came_from(user: User) -> ColumnElement[bool]:
    """The incoming items that a person sent."""
    written = select(Message.intake_id).where(Message.author_id == user.id, Message.intake_id.is_not(None))
    sender = [func.lower(Intake.sender) == user.email] if user.email else []
    return or_(Intake.id.in_(written), *sender)


# ---- rows as JSON


def _promise(row: Promise) -> dict[str, Any]:
    return {
        "ticket": row.ticket_id,
        "due_at": _at(row.due_at),
        "words": row.words,
        "outcome": row.outcome,
        "made_at": _at(row.made_at),
        "settled_at": _at(row.settled_at),
    }


def _profile(user: User) -> dict[str, Any]:
    columns = (
        "id email name role active phone locale time_zone color_scheme signature care_mail bounce_reason "
        "quiet_from quiet_until digest_at"
    )
    return {
        **{column: getattr(user, column) for column in columns.split()},
        "has_password": user.password_hash is not None,
        "created_at": _at(user.created_at),
        "last_sign_in_at": _at(user.last_sign_in_at),
        "bounced_at": _at(user.bounced_at),
    }


def _sign_in(user: User) -> dict[str, Any]:
    """How the person signs in, and where; no secret of it."""
    factors = db.session.scalars(_by_id(select(SecondFactor), SecondFactor, SecondFactor.user_id == user.id))
    browsers = {
        kind: db.session.scalars(_by_id(select(model), model, model.user_id == user.id))
        for kind, model in (("sessions", SignInSession), ("remembered", TrustedDevice))
    }
    return {
        "second_factors": [
            {"kind": factor.kind, "confirmed_at": _at(factor.confirmed_at), "used_at": _at(factor.used_at)}
            for factor in factors
        ],
        **{
            kind: [
                {
                    "browser": row.agent,
                    "address": row.address,
                    "created_at": _at(row.created_at),
                    "expires_at": _at(row.expires_at),
                }
                for row in rows
            ]
            for kind, rows in browsers.items()
        },
    }


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "scopes": token.scopes,
        "created_at": _at(token.created_at),
        "expires_at": _at(token.expires_at),
        "revoked_at": _at(token.revoked_at),
        "used_at": _at(token.used_at),
        "used_from": token.used_from,
    }


def _organization(user: User) -> dict[str, Any] | None:
    found = user.organization
    return {"id": found.id, "name": found.name, "domain": found.domain} if found is not None else None


def _tickets(user: User) -> Iterator[dict[str, Any]]:
    mine = Ticket.requester_id == user.id
    values: dict[int, dict[str, Any]] = {}
    query = select(TicketFieldValue, TicketField.label).join(TicketField).join(Ticket).where(mine)
    for value, label in db.session.execute(query):
        values.setdefault(value.ticket_id, {})[label] = field_value(value)
    options = [joinedload(Ticket.status), joinedload(Ticket.team), selectinload(Ticket.tags)]
    for ticket in db.session.scalars(_by_id(select(Ticket).options(*options), Ticket, mine)):
        yield {
            "number": ticket.id,
            "subject": ticket.subject,
            "status": ticket.status.key,
            "priority": ticket.priority,
            "channel": ticket.channel,
            "team": ticket.team.name if ticket.team is not None else None,
            "tags": [tag.name for tag in ticket.tags],
            "fields": values.get(ticket.id, {}),
            "created_at": _at(ticket.created_at),
            "solved_at": _at(ticket.solved_at),
            "closed_at": _at(ticket.closed_at),
        }


def _canned(user: User) -> Any:
    query = select(CannedResponse).options(selectinload(CannedResponse.texts))
    return _by_id(query, CannedResponse, CannedResponse.owner_id == user.id)


def _messages(user: User) -> Any:
    return _by_id(select(Message).options(selectinload(Message.attachments)), Message, Message.author_id == user.id)


def _message(message: Message) -> dict[str, Any]:
    return {
        "ticket": message.ticket_id,
        "visibility": message.visibility,
        "channel": message.channel,
        "written_at": _at(message.created_at),
        "text": message.text,
        "quoted": message.quoted,
        "attachments": [
            {"name": file.name, "type": file.content_type, "size": file.size} for file in message.attachments
        ],
    }


def _reads(user: User) -> Iterator[dict[str, Any]]:
    query = select(TicketRead).where(TicketRead.user_id == user.id).order_by(TicketRead.ticket_id)
    for row in db.session.scalars(query):
        yield {"ticket": row.ticket_id, "at": _at(row.read_at)}


def _notice(row: Notification) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "ticket": row.ticket_id,
        "at": _at(row.created_at),
        "read_at": _at(row.read_at),
        "mailed_at": _at(row.mailed_at),
    }


def _event(event: Event) -> dict[str, Any]:
    return {"kind": event.kind, "ticket": event.ticket_id, "at": _at(event.created_at), "data": event.data}


def _shift(row: Shift) -> dict[str, Any]:
    last = row.last_day.isoformat() if row.last_day else None
    days = {"weekday": row.weekday, "first_day": row.first_day.isoformat(), "last_day": last}
    return {**days, "begins": row.begins, "ends": row.ends, "team_id": row.team_id}


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "channel": row.channel,
        "address": row.address,
        "ticket": row.ticket_id,
        "state": row.state,
        "created_at": _at(row.created_at),
        "sent_at": _at(row.sent_at),
    }


def _incoming(row: Intake) -> dict[str, Any]:
    return {
        "channel": row.channel,
        "sender": row.sender,
        "subject": row.subject,
        "size": row.size,
        "state": row.state,
        "ticket": row.ticket_id,
        "received_at": _at(row.received_at),
    }


def _audits(user: User) -> Iterator[dict[str, Any]]:
    """The entries of the record by a person, or about them: not those about a longer address that ends like theirs."""
    named = [AuditEntry.subject.icontains(user.email, autoescape=True)] if user.email else []
    mentions = Mentions(user.email, "", "")
    query = _by_id(select(AuditEntry), AuditEntry, or_(AuditEntry.actor_id == user.id, *named))
    for row in db.session.scalars(query):
        if row.actor_id == user.id or mentions.has_address(row.subject):
            yield _audit(row)


def _audit(row: AuditEntry) -> dict[str, Any]:
    return {
        "action": row.action,
        "subject": row.subject,
        "data": row.data,
        "address": row.address,
        "at": _at(row.at),
    }


def _by_id(query: Any, model: Any, criterion: Any) -> Any:
    return query.where(criterion).order_by(model.id)


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None
