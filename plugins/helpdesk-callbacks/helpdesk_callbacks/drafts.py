"""What somebody wants of a call, and whether it can be had: plain data and its checks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from helpdesk.api import PRIORITIES, Invalid, Team, Ticket, User, allowed, db, now, settings
from helpdesk.api import gettext as _
from helpdesk_callbacks.calls import is_customer
from helpdesk_callbacks.merged import is_on
from helpdesk_callbacks.models import AGENT, CALL, CUSTOMER, KINDS, OPEN, SOURCES, Call, Reason
from helpdesk_callbacks.permissions import USE
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.zones import quarter_up, zone_named

PHONE_LENGTH, REASON_LENGTH = 64, 2_000
# Fewer digits are no number that can be dialled.
_DIGITS = 3
_LONGEST = timedelta(hours=8)
FURTHEST = timedelta(days=366)


@dataclass
class CallDraft:
    """A call about to be promised. ``start`` is aware; what is empty is chosen: the person's number, the ticket's team,
    the length of the settings.
    """

    start: datetime
    phone: str = ""
    reason_id: int | None = None
    reason: str = ""
    priority: str = "normal"
    agent_id: int | None = None
    team_id: int | None = None
    zone: str = ""
    source: str = AGENT
    kind: str = CALL
    end: datetime | None = None
    # Outside the hours, on purpose.
    anyway: bool = False
    rule_id: int | None = None


def window(start: datetime, end: datetime | None) -> tuple[datetime, datetime]:
    """From when to when, in UTC. Raises :class:`Invalid` for what has passed, is too far away, or no quarter."""
    if start.tzinfo is None:
        raise Invalid("start", _("Write a day and a time, such as 2026-03-01 14:30."))
    # In UTC before anything is added: clocks that change would stretch the window.
    start = start.astimezone(UTC)
    until = end.astimezone(UTC) if end is not None else start + timedelta(minutes=settings(CallbackSettings).slot)
    if start <= now():
        raise Invalid("start", _("This time has passed. Choose one that is still to come."))
    if start > now() + FURTHEST:
        raise Invalid("start", _("This is more than a year away. Look at the year once more."))
    if quarter_up(start) != start or quarter_up(until) != until:
        raise Invalid("start", _("Calls begin at a quarter of an hour, such as 14:00, 14:15, 14:30 or 14:45."))
    if not timedelta(0) < until - start <= _LONGEST:
        raise Invalid("start", _("A call ends after it begins, and within eight hours."))
    return start, until


def check_customer(start: datetime, ticket: Ticket, person: User, moved: Call | None = None) -> None:
    """What a customer may not: too soon, too late, several at once. Raises :class:`Invalid`."""
    chosen = settings(CallbackSettings)
    if not chosen.customers_book:
        raise Invalid("start", _("Times cannot be chosen here at the moment. Please write to us instead."))
    if start < now() + timedelta(minutes=chosen.notice_minutes):
        raise Invalid("start", _("This is too soon for us. Choose a later time."))
    if start > now() + timedelta(days=chosen.horizon_days + 1):
        raise Invalid("start", _("This is too far away. Choose an earlier time."))
    mine = select(Call.id).where(is_on(ticket), Call.person_id == person.id, Call.state.in_(OPEN))
    if moved is not None:
        mine = mine.where(Call.id != moved.id)
    if db.session.scalar(mine.limit(1)) is not None:
        raise Invalid("start", _("We have promised you a call already. Move it if another time suits you better."))


def clean_phone(text: str, person: User, kind: str) -> str:
    """The number to call. Raises :class:`Invalid`."""
    number = " ".join(text.split()) or (person.phone or "")
    if kind != CALL:
        return number[:PHONE_LENGTH]
    if not number:
        raise Invalid("phone", _("Write the number that is to be called."))
    if len(number) > PHONE_LENGTH:
        raise Invalid("phone", _("This is too long; %(number)s characters fit.", number=PHONE_LENGTH))
    if sum(sign.isdecimal() for sign in number) < _DIGITS:
        raise Invalid("phone", _("“%(phone)s” is no phone number.", phone=number))
    return number


def clean_reason(text: str) -> str:
    """What it is about. Raises :class:`Invalid`."""
    words = text.strip()
    if len(words) > REASON_LENGTH:
        raise Invalid("reason", _("This is too long; %(number)s characters fit.", number=REASON_LENGTH))
    return words


def check_choices(draft: CallDraft) -> None:
    """Raise :class:`Invalid` for a priority, a zone or a reason that there is not."""
    if draft.priority not in PRIORITIES:
        raise Invalid("priority", _("Choose one of the list."))
    if draft.kind not in KINDS or draft.source not in SOURCES:
        raise ValueError(f"There is no call of the kind {draft.kind!r} from {draft.source!r}.")
    if draft.zone:
        zone_named(draft.zone)
    if draft.reason_id is not None:
        reason = db.session.get(Reason, draft.reason_id)
        if reason is None or not reason.active:
            raise Invalid("reason_id", _("This reason is no longer there. Choose another."))


def agent_for(agent_id: int | None, ticket: Ticket) -> User | None:
    """The agent of that number, who may make a call on the ticket. Raises :class:`Invalid`."""
    if agent_id is None:
        return None
    agent = db.session.get(User, agent_id)
    if agent is None or agent.is_service or not agent.active or not allowed(agent, USE, ticket):
        raise Invalid("agent_id", _("This person cannot make the call: they do not see the ticket. Choose another."))
    return agent


def team_for(team_id: int | None) -> Team | None:
    """The team of that number. Raises :class:`Invalid`."""
    if team_id is None:
        return None
    team = db.session.get(Team, team_id)
    if team is None or not team.active:
        raise Invalid("team_id", _("This team is no longer there. Choose another."))
    return team


def usual_maker(ticket: Ticket) -> tuple[int | None, int | None]:
    """The team and the agent who call about a ticket unless somebody says who: its team shares its calls, else whoever
    is responsible makes them. Nobody in particular for a team that was closed and an agent who cannot.
    """
    if ticket.team is not None and ticket.team.active:
        return ticket.team_id, None
    agent = ticket.assignee
    can_call = agent is not None and not agent.is_service and allowed(agent, USE, ticket)
    return None, ticket.assignee_id if can_call else None


def source_of(draft: CallDraft, actor: User | None) -> str:
    """Who made it: a customer cannot say anything else."""
    return CUSTOMER if is_customer(actor) else draft.source
