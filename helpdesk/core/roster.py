"""The roster: who works when, who is away, and when nobody is there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import audit
from helpdesk.core.day_ranges import DayRange
from helpdesk.core.extensions import db
from helpdesk.core.models import Absence, Shift, Team, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.working_time import KINDS
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.working_time import Hours, hours_of, week
from helpdesk.core.working_time.presence import is_for, is_on, shifts_between, span_of, week_of

NOTE_LENGTH = 200
# Further ahead or back nobody plans.
_FIRST, _LAST = date(1970, 1, 1), date(2999, 12, 31)
_LONGEST_ABSENCE = timedelta(days=5 * 366)
_ONE = timedelta(days=1)
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class ShiftDraft:
    """What somebody typed: ``weekday`` None is once, on ``first_day``; times such as 09:00."""

    user: User | None
    begins: str
    ends: str
    first_day: date | None
    weekday: int | None = None
    last_day: date | None = None
    team: Team | None = None


@dataclass(frozen=True)
class Row:
    """Somebody's week: the shifts that begin on each day, the absences that touch it, and both as stretches of time."""

    user: User
    shifts: Mapping[date, Sequence[Shift]]
    away: Mapping[date, Sequence[Absence]]
    working: Sequence[Stretch]
    absent: Sequence[Stretch]

    @property
    def absences(self) -> list[Absence]:
        """What they are away in this week, each once."""
        return list(dict.fromkeys(absence for day in self.away.values() for absence in day))

    @property
    def is_rostered(self) -> bool:
        """Whether any shift stands in this week; otherwise the hours count."""
        return any(self.shifts.values())


@dataclass(frozen=True)
class Week:
    """A week of the roster; ``holes``: when it is open and nobody is there, by the hours' zone."""

    days: Sequence[date]
    zone: str
    rows: Sequence[Row]
    holes: Sequence[Stretch] = field(default_factory=tuple)


def week_with(day: date, people: Sequence[User], team_id: int | None = None) -> Week:
    """The week of ``day`` for some people, by the hours of a team (None: the desk's usual ones). Two queries."""
    hours = hours_of(team_id)
    days = week_of(day)
    ids = [person.id for person in people]
    shifts = shifts_between(days[0] - _ONE, days[-1], ids)
    begin, end = DayRange(days[0] - _ONE, days[-1] + _ONE).moments(hours.zone)
    assert begin is not None and end is not None
    absences = absences_between(begin, end, ids)
    rows = []
    for person in people:
        own = [shift for shift in shifts if shift.user_id == person.id]
        away = [absence for absence in absences if absence.user_id == person.id]
        rows.append(_row(person, days, own, away, hours.zone, team_id))
    return Week(days, hours.zone, rows, _holes(rows, hours) if people else ())


def absences_between(begin: datetime, end: datetime, users: Collection[int]) -> Sequence[Absence]:
    """Absences of some people that touch a span of time, the early ones first. One query."""
    query = select(Absence).where(Absence.user_id.in_(users), Absence.begins_at < end, Absence.ends_at > begin)
    return db.session.scalars(query.order_by(Absence.begins_at, Absence.id)).all()


def add_shift(draft: ShiftDraft, actor: User | None) -> Shift:
    """Put a shift on the roster. Joins or opens the transaction; audited. Raises :class:`Invalid` and NotAllowed."""
    require(actor, "roster.edit")
    with transaction():
        shift = Shift()
        _write(shift, draft)
        db.session.add(shift)
        db.session.flush()
        audit.record("roster.shift_added", actor, shift.user.display_name, _said(shift))
    return shift


def change_shift(shift: Shift, draft: ShiftDraft, actor: User | None) -> None:
    """Make a shift what ``draft`` says, for all its weeks. Joins or opens the transaction; audited.

    Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "roster.edit")
    with transaction():
        before = _said(shift)
        _write(shift, draft)
        db.session.flush()
        audit.record("roster.shift_changed", actor, shift.user.display_name, {**_said(shift), "before": before})


def remove_shift(shift: Shift, actor: User | None) -> None:
    """Take a shift off the roster, in all its weeks. Joins or opens the transaction; audited. Raises NotAllowed."""
    require(actor, "roster.edit")
    with transaction():
        audit.record("roster.shift_removed", actor, shift.user.display_name, _said(shift))
        db.session.delete(shift)


def add_absence(
    user: User | None,
    begins_at: datetime,
    ends_at: datetime,
    actor: User | None,
    *,
    kind: str = "holiday",
    note: str = "",
) -> Absence:
    """Note that somebody is away; one's own, or with ``roster.edit`` anybody's. Joins or opens; audited.

    Raises :class:`Invalid` (no such person, an end that is not after the begin, an unknown kind) and NotAllowed.
    """
    _require_own(user, actor)
    user = _rostered(user)
    note = " ".join(storable(note).split())
    if kind not in KINDS:
        raise Invalid("kind", _("Choose one of the list."))
    if len(note) > NOTE_LENGTH:
        raise Invalid("note", _("This is too long; %(number)s characters fit.", number=NOTE_LENGTH))
    if ends_at <= begins_at:
        raise Invalid("last", _("The end is not after the beginning; choose a later one."))
    if ends_at - begins_at > _LONGEST_ABSENCE:
        raise Invalid("last", _("Nobody is away for more than five years; choose an earlier end."))
    with transaction():
        absence = Absence(
            user=user,
            begins_at=begins_at.astimezone(UTC),
            ends_at=ends_at.astimezone(UTC),
            kind=kind,
            note=note,
            created_by_id=actor.id if actor else None,
        )
        db.session.add(absence)
        db.session.flush()
        audit.record("roster.absence_added", actor, user.display_name, _span_said(absence))
    return absence


def remove_absence(absence: Absence, actor: User | None) -> None:
    """Take an absence back; one's own, or with ``roster.edit`` anybody's. Joins or opens; audited.

    Raises NotAllowed.
    """
    _require_own(absence.user, actor)
    with transaction():
        audit.record("roster.absence_removed", actor, absence.user.display_name, _span_said(absence))
        db.session.delete(absence)


# ---- a week


def _row(
    person: User, days: Sequence[date], own: Sequence[Shift], away: Sequence[Absence], zone: str, team_id: int | None
) -> Row:
    here = [shift for shift in own if is_for(shift, team_id)]
    spans = [span_of(shift, day) for shift in here for day in (days[0] - _ONE, *days) if is_on(shift, day)]
    return Row(
        person,
        {day: [shift for shift in own if is_on(shift, day)] for day in days},
        {day: [absence for absence in away if _touches(absence, day, zone)] for day in days},
        [span for span in spans if span is not None],
        [(absence.begins_at, absence.ends_at) for absence in away],
    )


def _touches(absence: Absence, day: date, zone: str) -> bool:
    begin, end = DayRange(day, day).moments(zone)
    return begin is not None and end is not None and absence.begins_at < end and absence.ends_at > begin


def _holes(rows: Sequence[Row], hours: Hours) -> Sequence[Stretch]:
    days = list(rows[0].shifts)
    begin, end = DayRange(days[0], days[-1]).moments(hours.zone)
    assert begin is not None and end is not None
    opened = [(opens, min(closes, end)) for opens, closes in hours.openings(begin, 7 * _ONE) if opens < end]
    left = opened
    for row in rows:
        # Who stands on no shift in this week is there whenever it is open.
        left = without(left, without(row.working if row.is_rostered else opened, row.absent))
    return left


def without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of some stretches of time when others are taken out of them."""
    left = list(stretches)
    for begin, end in taken:
        parts = []
        for first, last in left:
            if end <= first or last <= begin:
                parts.append((first, last))
                continue
            if first < begin:
                parts.append((first, begin))
            if end < last:
                parts.append((end, last))
        left = parts
    return sorted(left)


# ---- what was typed


def _write(shift: Shift, draft: ShiftDraft) -> None:
    user = _rostered(draft.user)
    if draft.first_day is None or not _FIRST <= draft.first_day <= _LAST:
        raise Invalid("first_day", _("Choose the first day."))
    if draft.weekday is not None and not 0 <= draft.weekday <= 6:
        raise Invalid("weekday", _("Choose one of the list."))
    if draft.last_day is not None and not draft.first_day <= draft.last_day <= _LAST:
        raise Invalid("last_day", _("The last day is before the first; choose a later one."))
    try:
        ((begin, end),) = week.typed(f"{draft.begins.strip()}-{draft.ends.strip()}")
    except ValueError:
        raise Invalid("begins", _("Write the times such as 09:00 and 17:00.")) from None
    if draft.team is not None and draft.team not in user.teams:
        raise Invalid("team", _("%(name)s is not in this team; choose another one.", name=user.display_name))
    shift.user, shift.team = user, draft.team
    shift.weekday, shift.first_day = draft.weekday, draft.first_day
    shift.last_day = draft.last_day if draft.weekday is not None else draft.first_day
    ((shift.begins, shift.ends),) = week.kept([(begin, end)])


def _rostered(user: User | None) -> User:
    if user is None or not user.is_staff or not user.active or user.is_service:
        raise Invalid("user", _("Choose somebody of the staff."))
    return user


def _require_own(user: User | None, actor: User | None) -> None:
    if actor is not None and user is not None and user.id == actor.id:
        require(actor, "desk.use")
    else:
        require(actor, "roster.edit")


def _said(shift: Shift) -> dict[str, object]:
    return {
        "weekday": shift.weekday,
        "times": f"{shift.begins}-{shift.ends}",
        "first_day": shift.first_day.isoformat(),
        "last_day": shift.last_day.isoformat() if shift.last_day else None,
    }


def _span_said(absence: Absence) -> dict[str, object]:
    # Not why: the record is kept for long.
    return {"from": absence.begins_at.isoformat(), "to": absence.ends_at.isoformat()}
