"""When a call can be promised: open, worked, and not taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.api import Attendance, Invalid, Team, attendance_between, db, now, settings
from helpdesk.api import gettext as _
from helpdesk_callbacks import cells
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.zones import day_begins, quarter_up, zone_named

# Nobody looks through more days at once.
MOST_DAYS = 92
# So far is looked ahead for the next time that is free.
_AHEAD = timedelta(days=14)


@dataclass(frozen=True)
class Slot:
    """A time at which a call can be promised, in UTC."""

    start: datetime
    end: datetime


def free_slots(
    team_id: int | None,
    agent_id: int | None,
    day_from: date,
    days: int,
    zone: str,
    *,
    earliest: datetime | None = None,
    but: int | None = None,
) -> list[Slot]:
    """The times that are free on ``days`` days from ``day_from`` on, as the clocks of ``zone`` (IANA) show them.

    Within the hours of the team (None: of the desk), without its holidays; with ``agent_id`` while that agent is there
    and has no other call, else while anybody of the team is there, as many as the team takes. From ``earliest`` on
    (None: now). The time of call ``but``, which is to be moved, counts as free. A fixed number of queries.

    Raises :class:`Invalid` for an unknown zone.
    """
    place = zone_named(zone)
    first = max(earliest or now(), now())
    begin = day_begins(day_from, place)
    end = day_begins(day_from + timedelta(days=min(max(days, 0), MOST_DAYS)), place)
    return list(_free(team_id, agent_id, max(begin, quarter_up(first)), end, but))


def first_free(team_id: int | None, agent_id: int | None, earliest: datetime) -> Slot | None:
    """The first time from ``earliest`` on that is free within two weeks; None where there is none."""
    return next(all_free(team_id, agent_id, earliest), None)


def all_free(
    team_id: int | None, agent_id: int | None, earliest: datetime, ahead: timedelta = _AHEAD
) -> Iterator[Slot]:
    """The times from ``earliest`` on that are free within two weeks (or ``ahead``), one after the other."""
    start = quarter_up(max(earliest, now()))
    return _free(team_id, agent_id, start, start + ahead, None)


def check_free(start: datetime, end: datetime, team_id: int | None, agent_id: int | None, but: int | None) -> None:
    """Raise :class:`Invalid` unless it is one of the times that :func:`free_slots` shows: customers take no other."""
    shown = _free(team_id, agent_id, start, start + timedelta(minutes=1), but)
    if Slot(start, end) not in list(shown):
        raise Invalid("start", _("This time is no longer free. Choose another."))


def check_time(start: datetime, end: datetime, team_id: int | None, agent_id: int | None, anyway: bool) -> None:
    """Raise :class:`Invalid` for a window in which nobody works, unless it is meant ``anyway``."""
    if anyway:
        return
    there = attendance_between([agent_id] if agent_id else [], start, end)
    if not there.is_open(start, end, team_id):
        raise Invalid(
            "start", _("Nobody works at that time. Choose another, or say that the call is promised all the same.")
        )
    if agent_id is not None and not there.stays(agent_id, start, end, team_id):
        raise Invalid(
            "start", _("Whoever should call is not there at that time. Choose another time, or somebody else.")
        )


def members_of(team_id: int | None) -> list[int]:
    """The numbers of those who make calls for a team; empty for none. Two queries."""
    return members_of_teams([team_id]).get(team_id, []) if team_id is not None else []


def members_of_teams(team_ids: Sequence[int | None]) -> Mapping[int, list[int]]:
    """The same of several teams. Two queries."""
    query: Any = (
        select(Team).where(Team.id.in_({number for number in team_ids if number})).options(selectinload(Team.members))
    )
    return {
        team.id: [user.id for user in team.members if user.active and not user.is_service]
        for team in db.session.scalars(query)
    }


def _free(team_id: int | None, agent_id: int | None, start: datetime, end: datetime, but: int | None) -> Iterator[Slot]:
    length = timedelta(minutes=settings(CallbackSettings).slot)
    people = [agent_id] if agent_id is not None else members_of(team_id)
    # From the beginning of the day on, so that slots begin at the same times whenever one looks.
    there = attendance_between(people, start.replace(hour=0, minute=0), end)
    wanted = cells.owners(agent_id, team_id)
    theirs = {user: cells.of_agent(user) for user in people}
    taken = cells.taken_between({*wanted, *theirs.values()}, start, end + length, but)
    places = cells.capacity(team_id)
    for slot in _open(there, team_id, start, end, length):
        if people and not any(
            there.stays(user, slot.start, slot.end, team_id) and _has_place(taken.get(name, {}), slot, 1)
            for user, name in theirs.items()
        ):
            continue
        if all(_has_place(taken.get(owner, {}), slot, places) for owner in wanted if not owner.startswith("a")):
            yield slot


def _open(there: Attendance, team_id: int | None, start: datetime, end: datetime, length: timedelta) -> Iterator[Slot]:
    """The slots one after the other: each opening begins a row of its own, on a quarter of an hour."""
    for opens, closes in there.openings(team_id):
        at = quarter_up(opens)
        if at < start:
            at += -(-(start - at) // length) * length
        while at + length <= closes and at < end:
            yield Slot(at, at + length)
            at += length


def _has_place(taken: Mapping[datetime, set[int]], slot: Slot, places: int) -> bool:
    times = cells.quarters(slot.start, slot.end)
    return any(not any(place in taken.get(at, ()) for at in times) for place in range(places))
