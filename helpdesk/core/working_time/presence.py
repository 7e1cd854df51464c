"""Who of the staff is there: shifts and absences."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Absence, Shift, User
from helpdesk.core.working_time import week
from helpdesk.core.working_time.hours import moment_of
from helpdesk.core.working_time.loading import hours_of

_ONE = timedelta(days=1)


def is_available(user: User | int, at: datetime, team_id: int | None = None) -> bool:
    """Whether somebody is there at a moment, for a team if one is named; see :func:`available_users`."""
    return bool(available_users([user], at, team_id))


def available_users(users: Collection[User | int], at: datetime, team_id: int | None = None) -> set[int]:
    """The ids of those who are there at a moment: not absent, and on a shift.

    Who has no shift in that week (Monday to Sunday) is there during the hours of the team (None: the desk's usual
    hours). On a shift for one team nobody is there for another. Two queries, whatever the number.
    """
    ids = {_number(user) for user in users}
    here = ids - absent(ids, at)
    if not here:
        return set()
    shifts = _shifts(here, at)
    working = {shift.user_id for shift in shifts if is_for(shift, team_id) and covers(shift, at)}
    day = _local(at, team_id).date()
    rostered = {shift.user_id for shift in shifts if any(is_on(shift, other) for other in week_of(day))}
    if here - rostered and hours_of(team_id).is_open(at):
        working |= here - rostered
    return working


def on_shift(users: Collection[User | int], at: datetime, team_id: int | None = None) -> set[int]:
    """The ids of those who have a shift at a moment, absent or not. One query."""
    shifts = _shifts({_number(user) for user in users}, at)
    return {shift.user_id for shift in shifts if is_for(shift, team_id) and covers(shift, at)}


def absent(users: Collection[User | int], at: datetime) -> set[int]:
    """The ids of those who are away at a moment. One query."""
    query = select(Absence.user_id).where(
        Absence.user_id.in_({_number(user) for user in users}), Absence.begins_at <= at, Absence.ends_at > at
    )
    return set(db.session.scalars(query))


def is_for(shift: Shift, team_id: int | None) -> bool:
    """Whether a shift is for a team (None: for any)."""
    return team_id is None or shift.team_id in (None, team_id)


def covers(shift: Shift, at: datetime) -> bool:
    """Whether a shift runs at a moment."""
    day = _local(at, shift.team_id).date()
    return any(is_on(shift, begun) and _runs(shift, begun, at) for begun in (day - _ONE, day))


def is_on(shift: Shift, day: date) -> bool:
    """Whether a shift begins on a day."""
    if shift.weekday is None:
        return shift.first_day == day
    within = shift.first_day <= day and (shift.last_day is None or day <= shift.last_day)
    return within and shift.weekday == day.weekday()


def span_of(shift: Shift, day: date) -> tuple[datetime, datetime] | None:
    """When a shift that begins on ``day`` begins and ends, in UTC. None where its times cannot be read."""
    spans = week.read([[shift.begins, shift.ends]])
    if not spans:
        return None
    zone = ZoneInfo(hours_of(shift.team_id).zone)
    return moment_of(day, spans[0][0], zone), moment_of(day, spans[0][1], zone)


def week_of(day: date) -> Sequence[date]:
    """Monday to Sunday of the week of a day."""
    monday = day - day.weekday() * _ONE
    return [monday + number * _ONE for number in range(7)]


def shifts_between(first: date, last: date, users: Iterable[int] | None = None) -> Sequence[Shift]:
    """The shifts that may begin on a day from ``first`` to ``last``, the early ones first. One query."""
    weekly = (Shift.weekday.is_not(None)) & or_(Shift.last_day.is_(None), Shift.last_day >= first)
    once = Shift.weekday.is_(None) & (Shift.first_day >= first)
    query = select(Shift).where(Shift.first_day <= last, or_(weekly, once))
    if users is not None:
        query = query.where(Shift.user_id.in_(list(users)))
    return db.session.scalars(query.order_by(Shift.begins, Shift.id)).all()


def _shifts(users: Collection[int], at: datetime) -> Sequence[Shift]:
    # Two days more on both sides: shifts are in zones of their own, and one of yesterday may still run.
    days = week_of(at.date())
    return shifts_between(days[0] - 2 * _ONE, days[-1] + 2 * _ONE, users)


def _runs(shift: Shift, begun: date, at: datetime) -> bool:
    span = span_of(shift, begun)
    return span is not None and span[0] <= at < span[1]


def _local(at: datetime, team_id: int | None) -> datetime:
    return at.astimezone(ZoneInfo(hours_of(team_id).zone))


def _number(user: User | int) -> int:
    return user if isinstance(user, int) else user.id
