"""Teams and who is in them."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import selectinload

from helpdesk.core import labels
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, Ticket, User
from helpdesk.core.models.team import COLORS, HAND, LEAST_BUSY, ROUND_ROBIN
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.models.user import STAFF
from helpdesk.core.teams import CAPACITY, KEEP, change_team, make_team, set_capacities
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import Invalid
from helpdesk.core.working_time import all_hours, hours_of
from helpdesk.web.admin import names
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import SIZE, Slice
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@admin.get("/teams")
@needs("team.edit")
def teams() -> Any:
    """The teams with their members and what waits for each."""
    page = _page()
    ids = [found.id for found in page.rows]
    waiting = select(Ticket.team_id, func.count()).where(Ticket.category.in_(UNSOLVED), Ticket.team_id.in_(ids))
    counts = {team_id: count for team_id, count in db.session.execute(waiting.group_by(Ticket.team_id))}
    return render_template("admin/teams.html", page=page, counts=counts)


@admin.get("/teams/new")
@needs("team.edit")
def new_team() -> Any:
    """The form of a new team."""
    return _form(None, {"active": True}, [], {})


@admin.post("/teams/new")
@needs("team.edit")
def add_team() -> Any:
    """Make a team."""
    values, members = _values(), _members()
    try:
        new = {key: value for key, value in values.items() if key != "active"}
        new["hours"] = None if values["hours"] == KEEP else values["hours"]
        with transaction():
            make_team(actor=reader(), members=members, **new)
            set_capacities(_capacities(), reader())
    except Invalid as problem:
        return _form(None, values, members, {problem.field: str(problem)})
    flash(_("The team was made."))
    return redirect(url_for("admin.teams"), 303)


@admin.get("/teams/<int:team_id>")
@needs("team.edit")
def team(team_id: int) -> Any:
    """One team."""
    found = _team(team_id)
    values = {key: getattr(found, key) for key in ("name", "color", "private", "active", "assignment")}
    values["texts"] = labels.texts(labels.TEAM, found.id)
    values["hours"] = found.business_hours_id
    return _form(found, values, found.members, {})


@admin.post("/teams/<int:team_id>")
@needs("team.edit")
def save_team(team_id: int) -> Any:
    """Change a team."""
    found, values, members = _team(team_id), _values(), _members()
    try:
        with transaction():
            change_team(found, reader(), members=members, **values)
            set_capacities(_capacities(), reader())
    except Invalid as problem:
        return _form(_team(team_id), values, members, {problem.field: str(problem)})
    flash(_("The team was changed."))
    return redirect(url_for("admin.teams"), 303)


def _page() -> Slice:
    """The page after the team that ``?after=`` names: those in use first, then by name, which no two share."""
    query = select(Team).options(selectinload(Team.members)).order_by(Team.active.desc(), Team.name)
    after = request.args.get("after", type=row_number)
    last = db.session.get(Team, after) if after is not None else None
    if last is not None:
        further = and_(Team.active.is_(last.active), Team.name > last.name)
        query = query.where(or_(further, Team.active.is_(False)) if last.active else further)
    rows = db.session.scalars(query.limit(SIZE + 1)).all()
    return Slice(rows[:SIZE], rows[SIZE - 1].id if len(rows) > SIZE else None)


def _team(team_id: int) -> Team:
    found = db.session.get(Team, team_id, options=[selectinload(Team.members)]) if team_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _values() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "color": form.get("color", ""),
        "private": "private" in form,
        "active": "active" in form,
        "texts": names.typed(),
        "hours": _chosen_hours(),
        "assignment": form.get("assignment", ""),
    }


def _chosen_hours() -> int | None:
    """The business hours of the form; a form without them keeps what the team has."""
    if "hours" not in request.form:
        return KEEP
    if request.form["hours"] == "":
        return None
    # What is no number of hours is none that there are.
    return request.form.get("hours", 0, type=row_number)


def chosen_teams() -> list[Team]:
    """The teams that a form names, by name."""
    numbers = request.form.getlist("teams", type=row_number)
    return list(db.session.scalars(select(Team).where(Team.id.in_(numbers)).order_by(Team.name)))


def _members() -> list[User]:
    numbers = request.form.getlist("members", type=row_number)
    return list(db.session.scalars(select(User).where(User.id.in_(numbers), User.role.in_(STAFF)).order_by(User.name)))


def _capacities() -> dict[int, int | None]:
    """How much each of the people takes, as the form says for whom it asks. Raises Invalid."""
    found: dict[int, int | None] = {}
    for name, text in request.form.items():
        person = name.removeprefix("capacity_")
        if person == name or not (person.isascii() and person.isdecimal() and len(person) < 19):
            continue
        if text.strip() and not (text.strip().isdecimal() and len(text.strip()) < 9):
            raise Invalid(name, _("A number from 0 to %(number)s fits.", number=CAPACITY))
        found[int(person)] = int(text) if text.strip() else None
    return found


def _ways() -> list[tuple[str, str, str]]:
    return [
        (HAND, _("By hand"), _("Somebody takes them.")),
        (ROUND_ROBIN, _("In turn"), _("To whoever of those there waited longest.")),
        (LEAST_BUSY, _("To the least busy"), _("To whoever of those there has the fewest unsolved tickets.")),
    ]


def _colors() -> list[tuple[str, str]]:
    names = {
        "blue": _("Blue"),
        "violet": _("Violet"),
        "green": _("Green"),
        "orange": _("Orange"),
        "amber": _("Amber"),
        "grey": _("Grey"),
    }
    return [(color, names[color]) for color in COLORS]


def _hours() -> list[tuple[str, str]]:
    """Business hours to choose from; none where the desk has at most its usual ones."""
    known = all_hours()
    if len(known) < 2:
        return []
    usual = _("The desk's usual hours: %(name)s", name=hours_of(None).name)
    return [("", usual), *((str(number), found.name) for number, found in known.items())]


def _form(found: Team | None, values: dict[str, Any], members: list[User], errors: dict[str, str]) -> Any:
    # Members whose account is off are shown too: saving the form must not put them out.
    chosen = {member.id for member in members}
    offered = or_(User.active, User.id.in_(chosen))
    staff = select(User).where(User.role.in_(STAFF), offered).order_by(User.name, User.id)
    page = render_template(
        "admin/team.html",
        team=found,
        values=values,
        chosen=chosen,
        staff=db.session.scalars(staff).all(),
        colors=_colors(),
        ways=_ways(),
        capacities=request.form if errors else {},
        hours=_hours(),
        languages=names.languages(values.get("texts", {})),
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)
