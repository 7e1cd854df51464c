"""Who is there when, of many people over a span of time, read at once."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from helpdesk.core.extensions import db
from helpdesk.core.models import Absence, User
from helpdesk.core.working_time.hours import Hours
from helpdesk.core.working_time.loading import hours_of
from helpdesk.core.working_time.presence import is_on, shifts_between, span_of, week_of

_ONE = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
# Begin, end, and the team that a shift is for.
_Shift = tuple[datetime, datetime, int | None]
_Span = tuple[datetime, datetime]


class Attendance:
    """Who is there in a span of time, by the rules of :func:`available_users`; it asks the database nothing more."""

    def __init__(
        self,
        start: datetime,
        end: datetime,
        absences: Mapping[int, Sequence[_Span]],
        shifts: Mapping[int, Sequence[_Shift]],
        rostered: Mapping[int, Collection[date]],
    ) -> None:
        self.start, self.end = start, end
        self._absences, self._shifts = absences, shifts
        # The days on which each has a shift in that week.
        self._rostered = rostered
        self._open: dict[int | None, Sequence[_Span]] = {}

    def is_there(self, user_id: int, at: datetime, team_id: int | None = None) -> bool:
        """Whether somebody is there at a moment, for a team if one is named."""
        return self.stays(user_id, at, at + _MOMENT, team_id)

    def stays(self, user_id: int, start: datetime, end: datetime, team_id: int | None = None) -> bool:
        """Whether somebody is there from ``start`` to ``end`` without a gap: not absent, on a shift, or, without any
        in that week, during the hours of the team (None: the desk's).
        """
        if any(begins < end and start < ends for begins, ends in self._absences.get(user_id, ())):
            return False
        if start.astimezone(ZoneInfo(hours_of(team_id).zone)).date() not in self._rostered.get(user_id, ()):
            return self.is_open(start, end, team_id)
        mine = self._shifts.get(user_id, ())
        return any(
            begins <= start and end <= ends and (team_id is None or team in (None, team_id))
            for begins, ends, team in mine
        )

    def is_open(self, start: datetime, end: datetime, team_id: int | None = None) -> bool:
        """Whether the hours of a team are open from ``start`` to ``end`` without a gap."""
        found = self.openings(team_id)
        place = bisect_right(found, start, key=lambda span: span[0]) - 1
        return place >= 0 and end <= found[place][1]

    def openings(self, team_id: int | None = None) -> Sequence[_Span]:
        """When the hours of a team are open in the span, in order; what touches is one."""
        if team_id not in self._open:
            self._open[team_id] = _joined(hours_of(team_id), self.start, self.end)
        return self._open[team_id]


def attendance_between(users: Collection[User | int], start: datetime, end: datetime) -> Attendance:
    """Who of ``users`` is there between two moments, for any of the teams. Two queries, whatever the numbers."""
    ids = {user if isinstance(user, int) else user.id for user in users}
    away = select(Absence).where(Absence.user_id.in_(ids), Absence.begins_at < end, Absence.ends_at > start)
    absences: dict[int, list[_Span]] = {}
    shifts: dict[int, list[_Shift]] = {}
    rostered: dict[int, set[date]] = {}
    if ids:
        for row in db.session.scalars(away):
            absences.setdefault(row.user_id, []).append((row.begins_at, row.ends_at))
        first, last = week_of((start - _ONE).date())[0] - 2 * _ONE, week_of((end + _ONE).date())[-1] + 2 * _ONE
        days = [first + number * _ONE for number in range((last - first).days + 1)]
        for shift in shifts_between(first, last, ids):
            for day in (one for one in days if is_on(shift, one)):
                rostered.setdefault(shift.user_id, set()).update(week_of(day))
                if (span := span_of(shift, day)) is not None:
                    shifts.setdefault(shift.user_id, []).append((*span, shift.team_id))
    return Attendance(start, end, absences, shifts, rostered)


def _joined(hours: Hours, start: datetime, end: datetime) -> Sequence[_Span]:
    found: list[_Span] = []
    # A day earlier: an opening is cut off where one begins to look.
    for opens, closes in hours.openings(start - _ONE, end - start + 2 * _ONE):
        if found and found[-1][1] == opens:
            found[-1] = (found[-1][0], closes)
        else:
            found.append((opens, closes))
    return found
