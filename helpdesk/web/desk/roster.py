"""The roster: a week of shifts and absences, and the forms that change it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import pgettext as _p
from sqlalchemy import func, select

from helpdesk.core import day_ranges, labels, roster
from helpdesk.core.extensions import db
from helpdesk.core.models import Absence, Shift, Team, TeamMember, User
from helpdesk.core.models.user import STAFF
from helpdesk.core.models.working_time import KINDS
from helpdesk.core.permissions import allowed, require
from helpdesk.core.roster import ShiftDraft, Week
from helpdesk.core.workflow import Invalid
from helpdesk.core.working_time import hours_of, week
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

_MOST_PEOPLE = 200
_ONE = timedelta(days=1)


@desk.get("/roster")
def roster_week() -> Any:
    """The week that ``?day=`` is in, of a team or of everybody."""
    user = reader()
    team = _team(request.args.get("team", type=row_number))
    zone = hours_of(team.id if team else None).zone
    day = _day(request.args.get("day", "")) or day_ranges.today_in(zone)
    people = _people(team)
    shown = roster.week_with(day, people[:_MOST_PEOPLE], team.id if team else None)
    return render_template(
        "desk/roster.html",
        week=shown,
        team=team,
        teams=choices.teams(),
        more=len(people) > _MOST_PEOPLE,
        today=day_ranges.today_in(zone),
        hours=hours_of(team.id if team else None),
        holes=_holes(shown),
        edits=allowed(user, "roster.edit"),
        kinds=dict(_kinds()),
        days_from=lambda day, days: (day + days * _ONE).isoformat(),
    )


@desk.get("/roster/shifts/new")
def new_shift() -> Any:
    """The form of a new shift, for the person and the day that the address names."""
    require(reader(), "roster.edit")
    day = _day(request.args.get("day", "")) or day_ranges.today_in(hours_of(None).zone)
    typed = {
        "user": request.args.get("user", ""),
        "team": request.args.get("team", ""),
        "weekday": str(day.weekday()),
        "first_day": day.isoformat(),
        "begins": "09:00",
        "ends": "17:00",
        "last_day": "",
    }
    return _shift_form(None, typed, {})


@desk.post("/roster/shifts/new")
def add_shift() -> Any:
    """Put a shift on the roster."""
    require(reader(), "roster.edit")
    try:
        shift = roster.add_shift(_shift_draft(), reader())
    except Invalid as problem:
        return _shift_form(None, _typed(), {problem.field: str(problem)})
    flash(_("The shift was added."))
    return _back(_first_on(shift))


@desk.get("/roster/shifts/<int:shift_id>")
def shift(shift_id: int) -> Any:
    """One shift."""
    require(reader(), "roster.edit")
    found = _shift(shift_id)
    typed = {
        "user": str(found.user_id),
        "team": str(found.team_id or ""),
        "weekday": "" if found.weekday is None else str(found.weekday),
        "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat() if found.last_day and found.weekday is not None else "",
        "begins": found.begins,
        "ends": found.ends,
    }
    return _shift_form(found, typed, {})


@desk.post("/roster/shifts/<int:shift_id>")
def save_shift(shift_id: int) -> Any:
    """Change a shift."""
    require(reader(), "roster.edit")
    found = _shift(shift_id)
    try:
        roster.change_shift(found, _shift_draft(), reader())
    except Invalid as problem:
        return _shift_form(_shift(shift_id), _typed(), {problem.field: str(problem)})
    flash(_("The shift was changed."))
    return _back(_day(request.form.get("day", "")) or _first_on(found))


@desk.post("/roster/shifts/<int:shift_id>/remove")
def remove_shift(shift_id: int) -> Any:
    """Take a shift off the roster."""
    require(reader(), "roster.edit")
    found = _shift(shift_id)
    day = _day(request.form.get("day", "")) or _first_on(found)
    roster.remove_shift(found, reader())
    flash(_("The shift was removed."))
    return _back(day)


@desk.get("/roster/absences/new")
def new_absence() -> Any:
    """The form of an absence, one's own or of the person that the address names."""
    user = reader()
    day = _day(request.args.get("day", "")) or day_ranges.today_in(hours_of(None).zone)
    wanted = request.args.get("user", str(user.id)) if allowed(user, "roster.edit") else str(user.id)
    typed = {"user": wanted, "first": day.isoformat(), "last": day.isoformat(), "kind": KINDS[0]}
    return _absence_form(typed, {})


@desk.post("/roster/absences/new")
def add_absence() -> Any:
    """Note that somebody is away; for oneself without any permission."""
    user, form = reader(), request.form
    number = form.get("user", user.id, type=row_number)
    # Who may not edit the roster writes their own, whatever the form says.
    person = user if not allowed(user, "roster.edit") else _person(number)
    try:
        begin, end = _away()
        roster.add_absence(person, begin, end, user, kind=form.get("kind", ""), note=form.get("note", ""))
    except Invalid as problem:
        return _absence_form(form.to_dict(), {problem.field: str(problem)})
    flash(_("The absence was noted."))
    return _back(begin.astimezone(ZoneInfo(hours_of(None).zone)).date())


@desk.post("/roster/absences/<int:absence_id>/remove")
def remove_absence(absence_id: int) -> Any:
    """Take an absence back: one's own, or with the permission anybody's."""
    user = reader()
    found = db.session.get(Absence, absence_id)
    if found is None or not (found.user_id == user.id or allowed(user, "roster.edit")):
        abort(404)
    day = found.begins_at.astimezone(ZoneInfo(hours_of(None).zone)).date()
    roster.remove_absence(found, user)
    flash(_("The absence was removed."))
    return _back(day)


# ---- what is asked for


def _team(number: int | None) -> Team | None:
    return next((team for team in choices.teams() if team.id == number), None) if number else None


def _people(team: Team | None) -> Sequence[User]:
    query = select(User).where(User.role.in_(STAFF), User.active, ~User.is_service)
    if team is not None:
        query = query.join(TeamMember, TeamMember.user_id == User.id).where(TeamMember.team_id == team.id)
    return db.session.scalars(query.order_by(func.lower(User.name), User.id).limit(_MOST_PEOPLE + 1)).all()


def _person(number: int | None) -> User | None:
    return db.session.get(User, number) if number is not None else None


def _shift(shift_id: int) -> Shift:
    found = db.session.get(Shift, shift_id)
    if found is None:
        abort(404)
    return found


def _day(text: str) -> date | None:
    try:
        found = day_ranges.parse(text, date(2000, 1, 1)).first if text else None
    except day_ranges.InvalidRange:
        return None
    return found


def _first_on(shift: Shift) -> date:
    """The first day on which a shift stands."""
    if shift.weekday is None:
        return shift.first_day
    return shift.first_day + (shift.weekday - shift.first_day.weekday()) % 7 * _ONE


def _back(day: date) -> Any:
    return redirect(url_for("desk.roster_week", day=day.isoformat()), 303)


# ---- forms


def _typed() -> dict[str, str]:
    return request.form.to_dict()


def _shift_draft() -> ShiftDraft:
    form = request.form
    weekday = form.get("weekday", "")
    number = form.get("team", type=row_number) if form.get("team") else None
    team = _team(number)
    if number is not None and team is None:
        raise Invalid("team", _("This team is gone; choose another one."))
    if form.get("last_day", "").strip() and _day(form["last_day"]) is None:
        raise Invalid("last_day", _not_a_day())
    return ShiftDraft(
        _person(form.get("user", type=row_number)),
        form.get("begins", ""),
        form.get("ends", ""),
        _day(form.get("first_day", "")),
        int(weekday) if weekday in set("0123456") else None,
        _day(form.get("last_day", "").strip()),
        team,
    )


def _away() -> tuple[datetime, datetime]:
    """From the first day to the end of the last one, or from and to the times typed, by the desk's usual hours."""
    form, zone = request.form, hours_of(None).zone
    first, last = _day(form.get("first", "").strip()), _day(form.get("last", "").strip())
    if first is None:
        raise Invalid("first", _not_a_day())
    if last is None:
        raise Invalid("last", _not_a_day())
    if last < first:
        raise Invalid("last", _("The last day is before the first; choose a later one."))
    begin, end = day_ranges.DayRange(first, last).moments(zone)
    assert begin is not None and end is not None
    return _time("from", first, zone) or begin, _time("until", last, zone) or end


def _time(field: str, day: date, zone: str) -> datetime | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    try:
        minutes = week.minutes(text)
    except ValueError:
        raise Invalid(field, _("Write the time such as 09:00, or nothing for the whole day.")) from None
    wall = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(minutes=minutes)
    return wall.astimezone(UTC)


def _not_a_day() -> str:
    return _("This is no date; write it as year, month and day, such as %(example)s.", example="2026-03-31")


def _shift_form(found: Shift | None, typed: dict[str, str], errors: dict[str, str]) -> Any:
    monday = date(2024, 1, 1)
    days = [(str(number), format_date(monday + number * _ONE, "EEEE", rebase=False)) for number in range(7)]
    page = render_template(
        "desk/shift.html",
        shift=found,
        typed=typed,
        people=[(person.id, person.display_name) for person in choices.agents()],
        teams=[("", _("All teams")), *((team.id, labels.team_name(team)) for team in choices.teams())],
        weekdays=[*((number, _("Every %(weekday)s", weekday=name)) for number, name in days), ("", _("Once"))],
        day=typed.get("day") or request.args.get("day", ""),
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)


def _absence_form(typed: dict[str, str], errors: dict[str, str]) -> Any:
    user = reader()
    edits = allowed(user, "roster.edit")
    page = render_template(
        "desk/absence.html",
        typed=typed,
        people=[(person.id, person.display_name) for person in choices.agents()] if edits else [],
        kinds=_kinds(),
        zone=hours_of(None).zone,
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)


def _kinds() -> list[tuple[str, str]]:
    return [
        ("holiday", _p("absence", "Holiday")),
        ("sick", _p("absence", "Sick")),
        ("training", _p("absence", "Training")),
        ("other", _p("absence", "Other")),
    ]


def _holes(shown: Week) -> list[tuple[date, str]]:
    """When nobody is there: the day and the times, by the hours' clock."""
    zone = ZoneInfo(shown.zone)
    found = []
    for begin, end in shown.holes:
        first, last = begin.astimezone(zone), end.astimezone(zone)
        until = "24:00" if last.time() == datetime.min.time() else f"{last:%H:%M}"
        found.append((first.date(), f"{first:%H:%M}-{until}"))
    return found
