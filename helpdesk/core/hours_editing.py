"""Making, changing and deleting business hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update

from helpdesk.core import audit, generation, i18n
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import BusinessHours, SpecialDay, Team, User
from helpdesk.core.models.columns import storable
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.working_time import Day, Hours, all_hours, holidays, special_lines, week

NAME_LENGTH = 80
# From this month on the next year's holidays should be known.
_FROM_MONTH = 10


@dataclass(frozen=True)
class HoursDraft:
    """What somebody typed: seven lines of times, Monday first, and the days that differ, one on a line."""

    name: str
    week: Sequence[str] = ("",) * 7
    time_zone: str = ""
    country: str = ""
    subdivision: str = ""
    special: str = ""
    is_default: bool = False


def understood(draft: HoursDraft) -> Hours:
    """The hours that a draft means. Raises :class:`Invalid` with the field that cannot be understood."""
    spans = tuple(_typed(number, text) for number, text in enumerate(draft.week))
    if not any(spans):
        raise Invalid("day_0", _("Write the times of one day at least."))
    if draft.time_zone and not i18n.is_zone(draft.time_zone):
        raise Invalid("time_zone", _("Choose one of the list."))
    known = holidays.countries()
    if draft.country and draft.country not in known:
        raise Invalid("country", _("Choose one of the list."))
    if draft.subdivision and draft.subdivision not in known.get(draft.country, ()):
        raise Invalid("subdivision", _("This country has no such part; choose one of the list."))
    try:
        special = special_lines.parse(draft.special, next((found for found in spans if found), ()))
    except special_lines.InvalidLine as problem:
        raise Invalid("special", str(problem)) from None
    zone = draft.time_zone or i18n.default_zone()
    return Hours(zone, spans, special, draft.country, draft.subdivision, name=draft.name)


def make_hours(draft: HoursDraft, actor: User | None) -> BusinessHours:
    """Make business hours; the first ones are the desk's usual ones. Joins or opens the transaction; audited.

    Raises :class:`Invalid` (no name, one that is taken, times that cannot be read) and NotAllowed.
    """
    require(actor, "team.edit")
    meant = understood(draft)
    with transaction():
        found = BusinessHours(name=_free_name(draft.name, None))
        first = db.session.scalar(select(BusinessHours.id).limit(1)) is None
        db.session.add(found)
        _write(found, draft, meant, draft.is_default or first)
        audit.record("hours.created", actor, found.name)
    return found


def change_hours(found: BusinessHours, draft: HoursDraft, actor: User | None) -> None:
    """Make business hours what ``draft`` says. Joins or opens the transaction; audited.

    The usual ones stay the usual ones until others are. Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "team.edit")
    meant = understood(draft)
    with transaction():
        before = (found.week, found.time_zone, found.country, found.subdivision)
        found.name = _free_name(draft.name, found)
        special = all_hours()[found.id].special if found.id in all_hours() else {}
        _write(found, draft, meant, draft.is_default or found.is_default)
        changed = before != (found.week, found.time_zone, found.country, found.subdivision)
        days = sorted(
            day.isoformat() for day in {*special, *meant.special} if special.get(day) != meant.special.get(day)
        )
        audit.record("hours.changed", actor, found.name, {"week": changed, "days": days[:50]})


def delete_hours(found: BusinessHours, actor: User | None) -> None:
    """Delete hours that nobody uses. Joins or opens the transaction; audited.

    Raises :class:`Invalid` for the usual ones and for those of a team, and NotAllowed.
    """
    require(actor, "team.edit")
    with transaction():
        db.session.refresh(found, with_for_update={"of": type(found)})
        if found.is_default:
            raise Invalid("hours", _("These are the usual hours; make others the usual ones first."))
        if db.session.scalar(select(Team.id).where(Team.business_hours_id == found.id).limit(1)) is not None:
            raise Invalid("hours", _("A team works by these hours; give it others first."))
        audit.record("hours.deleted", actor, found.name)
        db.session.delete(found)
        generation.bump()


def without_holidays() -> list[tuple[Hours, int]]:
    """Hours whose public holidays of the coming year the library does not know yet, each with that year.

    Asked from October on. Who has written days of that year themselves is not asked again. No query.
    """
    found = []
    for hours in all_hours().values():
        today = now().date()
        year = today.year + 1 if today.month >= _FROM_MONTH else today.year
        if not hours.country or any(day.year == year for day in hours.special):
            continue
        if not holidays.is_announced(hours.country, hours.subdivision, year):
            found.append((hours, year))
    return found


def _write(found: BusinessHours, draft: HoursDraft, meant: Hours, is_default: bool) -> None:
    found.time_zone, found.country, found.subdivision = draft.time_zone, draft.country, draft.subdivision
    found.week = {str(number): week.kept(spans) for number, spans in enumerate(meant.week) if spans}
    if is_default and not found.is_default:
        db.session.execute(update(BusinessHours).values(is_default=False))
    found.is_default = is_default
    db.session.flush()
    _write_days(found.id, meant.special)
    generation.bump()


def _write_days(hours_id: int, days: Mapping[date, Day]) -> None:
    db.session.execute(delete(SpecialDay).where(SpecialDay.business_hours_id == hours_id))
    db.session.add_all(
        SpecialDay(business_hours_id=hours_id, day=day, name=meant.name, times=week.kept(meant.spans))
        for day, meant in sorted(days.items())
    )
    db.session.flush()


def _typed(number: int, text: str) -> tuple[tuple[int, int], ...]:
    try:
        return week.typed(text)
    except week.InvalidTimes:
        sentence = _("Write times such as 09:00-12:30, 13:30-17:00, which do not overlap; nothing for a closed day.")
        raise Invalid(f"day_{number}", sentence) from None


def _free_name(name: str, found: BusinessHours | None) -> str:
    clean = " ".join(storable(name).split())
    if not clean:
        raise Invalid("name", _("Give the hours a name."))
    if len(clean) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    taken = db.session.scalar(select(BusinessHours).where(func.lower(BusinessHours.name) == func.lower(clean)))
    if taken is not None and taken is not found:
        raise Invalid("name", _("There are hours “%(name)s” already.", name=clean))
    return clean
