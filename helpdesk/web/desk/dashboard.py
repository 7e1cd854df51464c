"""Home: what waits for the reader and for their teams, then what plugins add."""

from collections.abc import Sequence
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import labels
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, TeamMember, User
from helpdesk.core.models.ticket import NEW, OPEN, PENDING, UNSOLVED
from helpdesk.core.pages import Page, ticket_page
from helpdesk.core.permissions import allowed
from helpdesk.core.views import TicketFilter
from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.figures import figures, list_url
from helpdesk.web.session import reader

# A filter takes so many teams; a table of them, and a list of what is next, should be seen at a glance.
TEAMS, SHOWN, NEXT = 50, 12, 8
_MINE = TicketFilter(category=(NEW, OPEN), assignee=("me",))


@desk.get("/dashboard")
def dashboard() -> str:
    """The reader's own figures and next tickets, and the load of the teams."""
    user = reader()
    teams, own = _teams(user)
    shown = figures(_wanted(teams, own), user)
    loads = [(team, shown.pop(f"team-{team.id}"), shown.pop(f"free-{team.id}")) for team in teams[:SHOWN]]
    waiting = _next(user)
    return render_template(
        "desk/dashboard.html",
        figures=shown,
        loads=loads,
        own=own,
        waiting=waiting,
        badges=places.ticket_badges((row.ticket for row in waiting.rows), user),
        all_mine=list_url(_MINE),
        widgets=places.is_filled("dashboard_widgets"),
    )


@desk.get("/dashboard/widgets")
def widgets() -> str:
    """What plugins put on the dashboard: loaded after it, so that a slow one holds up nothing."""
    template = "desk/parts/widgets.html" if wants_part() else "desk/widgets.html"
    return render_template(template, boxes=places.dashboard_widgets(reader()))


def _teams(user: User) -> tuple[Sequence[Team], bool]:
    """The reader's own teams; who is in none and sees every team gets all. And whether they are the reader's own."""
    query = select(Team).where(Team.active).order_by(func.lower(Team.name), Team.id).limit(TEAMS)
    mine = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
    found = db.session.scalars(query.where(Team.id.in_(mine))).all()
    if found or not allowed(user, "team.read"):
        return found, bool(found)
    return db.session.scalars(query).all(), False


def _wanted(teams: Sequence[Team], own: bool) -> dict[str, tuple[Any, TicketFilter]]:
    # What has no team is everybody's: it would be nobody's otherwise.
    ours = (*(str(team.id) for team in teams), "none") if own else ()
    free = _("Unassigned in my teams") if own else _("Unassigned")
    wanted: dict[str, tuple[Any, TicketFilter]] = {
        "mine": (_("Waiting for me"), _MINE),
        "free": (free, TicketFilter(category=UNSOLVED, assignee=("none",), team=ours)),
        "urgent": (_("Urgent and unsolved"), TicketFilter(category=UNSOLVED, priority=("urgent",), team=ours)),
        "pending": (_("Waiting for my customers"), TicketFilter(category=(PENDING,), assignee=("me",))),
        "unsolved": (_("All unsolved"), TicketFilter(category=UNSOLVED)),
    }
    for team in teams[:SHOWN]:
        of_team = TicketFilter(category=UNSOLVED, team=(str(team.id),))
        without = TicketFilter(category=UNSOLVED, team=(str(team.id),), assignee=("none",))
        wanted[f"team-{team.id}"] = (labels.team_name(team), of_team)
        wanted[f"free-{team.id}"] = (labels.team_name(team), without)
    return wanted


def _next(user: User) -> Page:
    """The tickets that wait for the reader, the most urgent first."""
    return ticket_page(user, _MINE, "-priority", size=NEXT)
