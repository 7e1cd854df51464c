"""Which ticket an incoming item belongs to. Only proof joins; a number in a subject is none."""

from dataclasses import dataclass, replace
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from helpdesk.core import accounts, links, settings
from helpdesk.core.channels import subjects
from helpdesk.core.clock import now
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.extensions import db
from helpdesk.core.i18n import speaking
from helpdesk.core.models import Delivery, Event, Follower, Ticket, User
from helpdesk.core.models.ticket import CLOSED, SOLVED
from helpdesk.core.permissions import allowed
from helpdesk.core.settings import IntakeSettings
from helpdesk.core.workflow import speaks_for_desk, survivor_of
from helpdesk.core.workflow.families import absorbed
from helpdesk.plugins import manager

_REFERENCES = 50
# A genuine mail has one reply address; whoever writes hundreds shall not keep us busy.
_TOKENS = 5
_CANDIDATES = 3
_RENAMINGS = 50


@dataclass(frozen=True)
class Thread:
    """The decision and its reason (a code, put into words by events.reasons). ``author`` is the proved participant."""

    ticket: Ticket | None
    author: User | None
    reason: str


def find_thread(intake: IntakeDraft) -> Thread:
    """Decide by the signed reply token, then by an identity that we issued, then by the plugins' ``find_ticket``.

    A token used from another address than it was made for does not join, nor does somebody who is no
    participant (any more). Without any of it the reason says what the item pretends. What is for a ticket that was
    merged joins the one in which it goes on. Reads only.
    """
    return _follow_merges(_find(intake))


def _follow_merges(thread: Thread) -> Thread:
    if thread.ticket is None or thread.ticket.merged_into_id is None:
        return thread
    survivor = survivor_of(thread.ticket)
    if allowed(thread.author, "ticket.reply", survivor):
        return replace(thread, ticket=survivor)
    # They were taken from the followers of the survivor: what they write is theirs alone again.
    return Thread(None, None, f"closed:{thread.ticket.id}")


def _find(intake: IntakeDraft) -> Thread:
    sender = intake.sender_address.strip().lower()
    reason = ""
    for text in intake.reply_tokens[:_TOKENS]:
        found = links.redeem(links.REPLY, text)
        if found is None:
            reason = "unknown_token"
            continue
        ticket, user = found
        if accounts.has_address(user, sender) and allowed(user, "ticket.reply", ticket):
            return Thread(ticket, user, "reply_token")
        reason = f"foreign_token:{ticket.id}"
    if (thread := _by_reference(intake, sender)) is not None:
        return thread
    named: Ticket | None = manager.current().answer("find_ticket", Ticket, intake=intake)
    if named is not None and (participant := _participant(named, sender)) is not None:
        return Thread(named, participant, "plugin")
    return Thread(None, None, reason or _mentioned(intake))


def doubt(thread: Thread, intake: IntakeDraft) -> str:
    """The code of the reason why a person decides whether an item joins its ticket, or "".

    The sender was disproved, or it is one of ours whom nothing proves, or who may not answer by mail: it would speak
    for the desk.
    """
    if thread.ticket is None or thread.author is None:
        return ""
    if intake.verified is False:
        return f"held_sender:{thread.ticket.id}"
    if not speaks_for_desk(thread.author, thread.ticket):
        return ""
    if intake.verified is None:
        return f"held_staff:{thread.ticket.id}"
    return "" if intake.staff_may_answer else f"held_switch:{thread.ticket.id}"


def departure(thread: Thread, intake: IntakeDraft) -> str:
    """The code of the reason why a customer's item begins a ticket of its own in spite of its proof, or "".

    The old one is closed for too long, or is at rest and the customer writes of something else. Reads only.
    """
    ticket = thread.ticket
    if ticket is None or speaks_for_desk(thread.author, ticket):
        return ""
    rules = settings.get(IntakeSettings)
    if not intake.machine and _rests(ticket, rules) and not _same_subject(ticket, thread.author, intake.subject):
        return f"new_subject:{ticket.id}"
    if ticket.is_closed and (intake.machine or not _closed_lately(ticket, rules)):
        return f"closed:{ticket.id}"
    return ""


def _by_reference(intake: IntakeDraft, sender: str) -> Thread | None:
    identities = [*intake.references[-_REFERENCES:], *([intake.in_reply_to] if intake.in_reply_to else [])]
    if not identities or not sender:
        return None
    query = (
        select(Delivery)
        .join(Delivery.user)
        .where(
            Delivery.identity.in_(identities),
            Delivery.ticket_id.is_not(None),
            func.coalesce(User.merged_into_id, User.id) == accounts.number_of(sender),
        )
        .options(joinedload(Delivery.ticket), contains_eager(Delivery.user).joinedload(User.merged_into))
        .order_by(Delivery.id.desc())
    )
    tickets = {row.ticket_id: row for row in reversed(db.session.scalars(query).all())}
    for row in sorted(tickets.values(), key=lambda row: -row.id)[:_CANDIDATES]:
        author = row.user.merged_into or row.user if row.user is not None else None
        if row.ticket is not None and author is not None and allowed(author, "ticket.reply", row.ticket):
            return Thread(row.ticket, author, "reference")
    return None


def _participant(ticket: Ticket, sender: str) -> User | None:
    follows = select(Follower.user_id).where(Follower.ticket_id == ticket.id)
    query = select(User).where(
        User.id == accounts.number_of(sender), (User.id == ticket.requester_id) | User.id.in_(follows)
    )
    return db.session.scalar(query)


def _mentioned(intake: IntakeDraft) -> str:
    numbers = subjects.numbers(intake.subject)
    if not numbers:
        return ""
    there = set(db.session.scalars(select(Ticket.id).where(Ticket.id.in_(numbers))))
    return next((f"mentions:{number}" for number in numbers if number in there), "")


def _rests(ticket: Ticket, rules: IntakeSettings) -> bool:
    if ticket.category in (SOLVED, CLOSED):
        return True
    return (ticket.last_message_at or ticket.created_at) < now() - timedelta(days=rules.new_subject_days)


def _closed_lately(ticket: Ticket, rules: IntakeSettings) -> bool:
    return ticket.closed_at is not None and ticket.closed_at > now() - timedelta(days=rules.reopen_days)


def _same_subject(ticket: Ticket, reader: User | None, subject: str) -> bool:
    """Whether a subject is the ticket's, that of our notice, or one that the ticket had before."""
    if subjects.same(subject, ticket.subject):
        return True
    known = [ticket.subject, *_earlier_subjects(ticket)]
    with speaking((reader.locale if reader is not None else None) or ticket.locale):
        known += [_("We have received your message: %(subject)s", subject=name) for name in known]
    return any(subjects.same(subject, name) for name in known)


def _earlier_subjects(ticket: Ticket) -> list[str]:
    """Those that the ticket had before, and those of tickets that were merged into it."""
    query = (
        select(Event.data)
        .where(Event.ticket_id == ticket.id, Event.kind == "ticket_updated")
        .order_by(Event.id.desc())
        .limit(_RENAMINGS)
    )
    renamed = [str(data.get("from")) for data in db.session.scalars(query) if data.get("field") == "subject"]
    merged = select(Ticket.subject).where(Ticket.id.in_(absorbed(ticket.id)), Ticket.id != ticket.id)
    return [*renamed, *db.session.scalars(merged.order_by(Ticket.id.desc()).limit(_RENAMINGS))]
