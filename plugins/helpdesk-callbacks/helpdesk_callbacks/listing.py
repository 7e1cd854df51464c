"""Lists of calls: what waits, what was, and what a figure counted, page by page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_, union_all
from sqlalchemy.orm import joinedload

from helpdesk.api import Ticket, User, db, now, visible_tickets
from helpdesk_callbacks.models import CALL, CANCELLED, DONE, OPEN, REACHED, Call
from helpdesk_callbacks.zones import day_begins

SIZE = 50
MINE, TEAM, ALL = "mine", "team", "all"
WHOSE = (MINE, TEAM, ALL)
# What waits; then what figures count.
WAITING = ("open", "overdue", "today", "problem")
COUNTED = ("promised", "kept", "late", "undecided", "try1", "try2", "try3", "never")
# Whatever became of them: all that a day of the week has.
EVERY = "every"
SHOWS = (*WAITING, "done", "cancelled", *COUNTED, EVERY)
NOBODY = 0
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Nobody has more to do today.
_MOST_DUE = 20_000


@dataclass(frozen=True)
class Wanted:
    """Which calls: whose, in which state, and of whom or about what. ``NOBODY`` is those without."""

    who: str = MINE
    show: str = "open"
    agent: int | None = None
    team: int | None = None
    reason: int | None = None
    person: int | None = None
    # By the day that was promised, both included, in ``zone``.
    first: date | None = None
    last: date | None = None
    # By the day on which they come.
    day: date | None = None

    def query(self, **changes: Any) -> dict[str, str]:
        """The arguments of an address that leads to these."""
        one = replace(self, **changes)
        usual = Wanted()
        return {
            field.name: str(getattr(one, field.name))
            for field in fields(one)
            if getattr(one, field.name) not in (None, getattr(usual, field.name))
        }


@dataclass(frozen=True)
class Page:
    """Calls of one page; ``after`` is where the next one begins, None where there is none."""

    calls: Sequence[Call]
    after: str | None = None


def visible_calls(user: User) -> Select[Any]:
    """The start of every query for calls: those on tickets that the user may see."""
    return visible_tickets(user).join(Call, Call.ticket_id == Ticket.id)


def page(user: User, wanted: Wanted, zone: str, after: str = "", size: int = SIZE) -> Page:
    """One page of the calls that ``user`` may see, oldest first while they wait, newest first when they are past.

    One query. ``zone``: in which days are counted. A cursor that cannot be read begins at the start.
    """
    backwards = wanted.show not in WAITING
    query = visible_calls(user).where(*criteria(user, wanted, zone))
    if (place := _place(after)) is not None:
        key = tuple_(Call.starts_at, Call.id)
        query = query.where(key < place if backwards else key > place)
    order = (Call.starts_at.desc(), Call.id.desc()) if backwards else (Call.starts_at, Call.id)
    # By state, so that each part is read from an index in its order, and only as far as the page goes.
    parts = [
        select(
            query.where(Call.state == state)
            .with_only_columns(Call.id.label("id"), Call.starts_at.label("at"))
            .order_by(*order)
            .limit(size + 1)
            .subquery()
        )
        for state in _states(wanted.show)
    ]
    found = (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()
    rows = db.session.scalars(whole(select(Call).join(found, Call.id == found.c.id)).order_by(*order).limit(size + 1))
    calls = rows.all()
    more = len(calls) > size
    return Page(calls[:size], _cursor(calls[size - 1]) if more else None)


def whole(query: Select[Any]) -> Select[Any]:
    """With all that a line of a list shows, in the same query."""
    return query.options(
        joinedload(Call.ticket).load_only(Ticket.subject),
        joinedload(Call.person).load_only(User.name, User.email, User.phone),
        joinedload(Call.agent).load_only(User.name, User.email),
        joinedload(Call.team),
        joinedload(Call.reason_row),
    )


def criteria(user: User, wanted: Wanted, zone: str) -> Iterator[ColumnElement[bool]]:
    """What the calls have to meet."""
    if wanted.who != ALL:
        yield _whose(user, wanted.who)
    if wanted.show not in (DONE, CANCELLED):
        # A mail that asks is nothing that somebody has to call for; what became of it stands among what is done.
        yield Call.kind == CALL
    yield from _shown(wanted.show, zone)
    for column, number in ((Call.agent_id, wanted.agent), (Call.team_id, wanted.team), (Call.reason_id, wanted.reason)):
        if number is not None:
            yield column.is_(None) if number == NOBODY else column == number
    if wanted.person is not None:
        yield Call.person_id == wanted.person
    if wanted.first is not None:
        yield Call.promised_from >= day_begins(wanted.first, ZoneInfo(zone))
    if wanted.last is not None:
        yield Call.promised_from < day_begins(wanted.last + timedelta(days=1), ZoneInfo(zone))
    if wanted.day is not None:
        yield Call.starts_at >= day_begins(wanted.day, ZoneInfo(zone))
        yield Call.starts_at < day_begins(wanted.day + timedelta(days=1), ZoneInfo(zone))


def today(zone: str) -> date:
    """The day that it is in a zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def due_today(user: User, zone: str, most: int) -> tuple[Sequence[Call], int, int]:
    """What concerns the user until the day is over: the first calls, how many are overdue, how many come. One query."""
    late = Call.ends_at < now()
    query: Any = (
        _until_tonight(user, zone)
        .with_only_columns(Call, *(func.sum(one_if(one)).over() for one in (late, ~late)))
        .order_by(Call.starts_at, Call.id)
        .limit(most)
    )
    rows = db.session.execute(whole(query)).all()
    return [row[0] for row in rows], int(rows[0][1]) if rows else 0, int(rows[0][2]) if rows else 0


def due_counts(user: User, zone: str) -> tuple[int, int]:
    """The same two numbers, without the calls. One query."""
    late = Call.ends_at < now()
    sums = [func.coalesce(func.sum(one_if(one)), 0) for one in (late, ~late)]
    found: Any = db.session.execute(_until_tonight(user, zone).with_only_columns(*sums)).one()
    return int(found[0]), int(found[1])


def _until_tonight(user: User, zone: str) -> Select[Any]:
    tonight = day_begins(today(zone) + timedelta(days=1), ZoneInfo(zone))
    # Few calls are open and due. They are looked for first, by state: by the index of agents all that ever were would
    # be read.
    due = select(Call.id).where(Call.state.in_(OPEN), Call.starts_at < tonight).limit(_MOST_DUE)
    return visible_calls(user).where(Call.id.in_(due), Call.kind == CALL, _whose(user, MINE, Call.agent_id + 0))


def counted(show: str) -> ColumnElement[bool]:
    """The criterion of a figure: the list behind it has the same one."""
    reached = and_(Call.state == DONE, Call.outcome == REACHED)
    found = {
        "promised": Call.kind == CALL,
        "kept": Call.kept.is_(True),
        "late": Call.kept.is_(False),
        "undecided": Call.kept.is_(None),
        "try1": and_(reached, Call.tries == 1),
        "try2": and_(reached, Call.tries == 2),
        "try3": and_(reached, Call.tries >= 3),
        "never": and_(Call.state == DONE, Call.outcome != REACHED),
    }[show]
    return and_(Call.kind == CALL, Call.state != CANCELLED, found)


def _whose(user: User, who: str, agent: Any = Call.agent_id) -> ColumnElement[bool]:
    teams = [team.id for team in user.teams]
    if who == TEAM:
        return or_(agent == user.id, Call.team_id.in_(teams))
    # What nobody has been given concerns everybody who may make it.
    free = and_(agent.is_(None), or_(Call.team_id.is_(None), Call.team_id.in_(teams)))
    return or_(agent == user.id, free)


def _states(show: str) -> Sequence[str]:
    if show in WAITING:
        return OPEN
    if show in ("done", "cancelled"):
        return (DONE,) if show == "done" else (CANCELLED,)
    return (*OPEN, DONE)


def _shown(show: str, zone: str) -> Iterator[ColumnElement[bool]]:
    if show == "overdue":
        yield Call.ends_at < now()
    elif show == "today":
        yield Call.starts_at < day_begins(today(zone) + timedelta(days=1), ZoneInfo(zone))
        yield Call.ends_at >= now()
    elif show == "problem":
        yield Call.problem != ""
    elif show in COUNTED:
        yield counted(show)


def one_if(criterion: ColumnElement[bool]) -> ColumnElement[int]:
    """1 for a row that meets it, else 0: to be summed up."""
    return case((criterion, 1), else_=0)


def _place(text: str) -> tuple[datetime, int] | None:
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    try:
        return _EPOCH + int(match[1]) * _MICROSECOND, int(match[2])
    except OverflowError:
        return None


def _cursor(call: Call) -> str:
    return f"{(call.starts_at - _EPOCH) // _MICROSECOND}-{call.id}"
