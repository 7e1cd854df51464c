"""When teams work: business hours, public holidays, days that differ."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import holidays as library
from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import day_ranges, hours_editing, i18n
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.hours_editing import HoursDraft
from helpdesk.core.models import BusinessHours, Team
from helpdesk.core.settings import zone_choices
from helpdesk.core.workflow import Invalid
from helpdesk.core.working_time import Hours, all_hours, holidays, hours_of, special_lines, week
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.confirm import ask
from helpdesk.web.session import reader

PREVIEW_DAYS = 14
_USUAL_WEEK = ("09:00-17:00",) * 5 + ("", "")


@dataclass(frozen=True)
class DayShown:
    """A day of the preview: its times, and why they are not the weekday's."""

    day: date
    times: str
    reason: str
    differs: bool


@admin.get("/hours")
@needs("team.edit")
def hours_list() -> Any:
    """All business hours, with who works by them and whether they are open now."""
    known = all_hours()
    default = hours_of(None)
    teams = db.session.scalars(select(Team).where(Team.active).order_by(Team.name)).all()
    users: dict[int | None, list[Team]] = {}
    for team in teams:
        users.setdefault(hours_of(team.id).id, []).append(team)
    moment = now()
    return render_template(
        "admin/hours_list.html",
        rows=[(found, found.is_open(moment), users.get(found.id, [])) for found in known.values()],
        default=default,
        today=day_ranges.today_in(default.zone),
    )


@admin.get("/hours/new")
@needs("team.edit")
def new_hours() -> Any:
    """The form of new hours, filled with a usual week."""
    return _form(None, HoursDraft("", _USUAL_WEEK), {})


@admin.post("/hours/new")
@needs("team.edit")
def add_hours() -> Any:
    """Make business hours, or show what the typed ones come to."""
    draft = _draft()
    if "preview" in request.form:
        return _preview(None, draft)
    try:
        hours_editing.make_hours(draft, reader())
    except Invalid as problem:
        return _form(None, draft, {problem.field: str(problem)})
    flash(_("The hours were made."))
    return redirect(url_for("admin.hours_list"), 303)


@admin.get("/hours/<int:hours_id>")
@needs("team.edit")
def hours(hours_id: int) -> Any:
    """One set of hours with its next days."""
    found = _hours(hours_id)
    known = all_hours()[found.id]
    draft = HoursDraft(
        found.name,
        tuple(week.shown(spans) for spans in known.week),
        found.time_zone,
        found.country,
        found.subdivision,
        special_lines.write(known.special),
        found.is_default,
    )
    return _form(found, draft, {}, known)


@admin.post("/hours/<int:hours_id>")
@needs("team.edit")
def save_hours(hours_id: int) -> Any:
    """Change business hours, or show what the typed ones come to."""
    found, draft = _hours(hours_id), _draft()
    if "preview" in request.form:
        return _preview(found, draft)
    try:
        hours_editing.change_hours(found, draft, reader())
    except Invalid as problem:
        return _form(_hours(hours_id), draft, {problem.field: str(problem)})
    flash(_("The hours were changed."))
    return redirect(url_for("admin.hours_list"), 303)


@admin.get("/hours/<int:hours_id>/delete")
@needs("team.edit")
def confirm_delete_hours(hours_id: int) -> str:
    """The question before hours are deleted."""
    found = _hours(hours_id)
    return ask(
        heading=_("Delete these hours?"),
        code=found.name,
        lead=_("The days that differ go with them. Hours that a team works by cannot be deleted."),
        button=_("Delete"),
        action=url_for("admin.delete_hours", hours_id=found.id),
        back=url_for("admin.hours", hours_id=found.id),
        danger=True,
    )


@admin.post("/hours/<int:hours_id>/delete")
@needs("team.edit")
def delete_hours(hours_id: int) -> Any:
    """Delete hours that nobody works by."""
    found = _hours(hours_id)
    try:
        hours_editing.delete_hours(found, reader())
    except Invalid as problem:
        flash(str(problem), "error")
        return redirect(url_for("admin.hours", hours_id=hours_id), 303)
    flash(_("The hours were deleted."))
    return redirect(url_for("admin.hours_list"), 303)


def _hours(hours_id: int) -> BusinessHours:
    found = db.session.get(BusinessHours, hours_id)
    if found is None or found.id not in all_hours():
        abort(404)
    return found


def _draft() -> HoursDraft:
    form = request.form
    country, part = form.get("country", ""), form.get("subdivision", "")
    return HoursDraft(
        form.get("name", ""),
        tuple(form.get(f"day_{number}", "") for number in range(7)),
        form.get("time_zone", ""),
        country,
        # What is left of a country that is not meant any more.
        part if part in holidays.countries().get(country, ()) else "",
        form.get("special", ""),
        "is_default" in form,
    )


def _preview(found: BusinessHours | None, draft: HoursDraft) -> Any:
    """The form as it was typed with the days that it comes to; nothing is saved."""
    try:
        meant = hours_editing.understood(draft)
    except Invalid as problem:
        return _form(found, draft, {problem.field: str(problem)})
    return _form(found, draft, {}, meant)


def _form(found: BusinessHours | None, draft: HoursDraft, errors: dict[str, str], meant: Hours | None = None) -> Any:
    monday = date(2024, 1, 1)
    page = render_template(
        "admin/hours.html",
        hours=found,
        draft=replace(draft, week=tuple(text.strip() for text in draft.week)),
        weekdays=[format_date(monday + timedelta(days=number), "EEEE", rebase=False) for number in range(7)],
        zones=[("", _("The desk's: %(zone)s", zone=i18n.default_zone())), *zone_choices()],
        countries=_countries(),
        parts=_parts(draft.country),
        days=_days(meant) if meant is not None else [],
        zone=meant.zone if meant is not None else "",
        missing=[
            year for hours, year in hours_editing.without_holidays() if found is not None and hours.id == found.id
        ],
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)


def _countries() -> list[tuple[str, str]]:
    names = get_locale().territories
    found = sorted(((code, str(names.get(code, code))) for code in holidays.countries()), key=lambda pair: pair[1])
    return [("", _("No public holidays")), *found]


def _parts(country: str) -> list[tuple[str, str]]:
    parts = holidays.countries().get(country, ())
    if not parts:
        return []
    names = {code: name for name, code in library.country_holidays(country).subdivisions_aliases.items()}
    return [
        ("", _("The whole country")),
        *((code, f"{names[code]} ({code})" if code in names else code) for code in parts),
    ]


def _days(meant: Hours) -> list[DayShown]:
    today = day_ranges.today_in(meant.zone)
    return [_day(meant, today + timedelta(days=number)) for number in range(PREVIEW_DAYS)]


def _day(meant: Hours, day: date) -> DayShown:
    spans = meant.spans_on(day)
    special = meant.special.get(day)
    public = (
        holidays.public_days(meant.country, meant.subdivision, day.year, str(get_locale())) if meant.country else {}
    )
    if special is not None:
        reason = special.name or public.get(day, "") or _("Differs")
    elif day in public:
        reason = public[day]
    else:
        reason = _("Working weekend") if spans and not meant.week[day.weekday()] else ""
    return DayShown(day, week.shown(spans), reason, spans != meant.week[day.weekday()])
