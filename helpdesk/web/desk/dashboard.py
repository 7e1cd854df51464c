"""Home: what waits for the reader, what is late or promised, the load of their teams, then what plugins add."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import labels
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.filters import ME, TicketFilter
from helpdesk.core.lateness import BROKEN, LATE, OVERDUE
from helpdesk.core.models import Message, NotificationChoice, Team, TeamMember, User
from helpdesk.core.models.ticket import NEW, OPEN, PENDING, UNSOLVED
from helpdesk.core.pages import ticket_page
from helpdesk.core.permissions import allowed
from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.figures import figures, list_url
from helpdesk.web.session import reader

# A filter takes so many teams; a table of them, and a list of what is next, should be seen at a glance.
TEAMS, SHOWN, NEXT = 50, 12, 8
# For so long somebody is shown what to do first.
IS_NEW = timedelta(days=14)
_MINE = TicketFilter(category=(NEW, OPEN), assignee=("me",), snoozed="no")


@desk.get("/dashboard")
def dashboard() -> str:
    """The reader's own figures and next tickets, and the load of the teams."""
    user = reader()
    teams, own = _teams(user)
    shown = figures(_wanted(teams, own), user)
    loads = [
        (team, *(shown.pop(f"{what}-{team.id}") for what in ("team", "free", "late-of"))) for team in teams[:SHOWN]
    ]
    waiting = ticket_page(user, _MINE, "-priority", size=NEXT)
    pressing = _pressing(user)
    late = ticket_page(user, pressing, "due", size=NEXT)
    return render_template(
        "desk/dashboard.html",
        figures=shown,
        loads=loads,
        own=own,
        waiting=waiting,
        badges=places.ticket_badges((row.ticket for row in waiting.rows), user),
        all_mine=list_url(_MINE),
        late=late,
        all_late=list_url(pressing),
        steps=_first_steps(user),
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
        "late": (_("Overdue"), TicketFilter(late=(OVERDUE, BROKEN), team=ours)),
        "urgent": (_("Urgent and unsolved"), TicketFilter(category=UNSOLVED, priority=("urgent",), team=ours)),
        "pending": (_("Waiting for my customers"), TicketFilter(category=(PENDING,), assignee=("me",))),
        "unsolved": (_("All unsolved"), TicketFilter(category=UNSOLVED)),
    }
    for team in teams[:SHOWN]:
        of_team = TicketFilter(category=UNSOLVED, team=(str(team.id),))
        without = TicketFilter(category=UNSOLVED, team=(str(team.id),), assignee=("none",))
        wanted[f"team-{team.id}"] = (labels.team_name(team), of_team)
        late = TicketFilter(late=(OVERDUE, BROKEN), team=(str(team.id),))
        wanted[f"free-{team.id}"] = (labels.team_name(team), without)
        wanted[f"late-of-{team.id}"] = (labels.team_name(team), late)
    return wanted


def _pressing(user: User) -> TicketFilter:
    """What is late, due soon or promised: of the reader alone, or of all for who leads."""
    return TicketFilter(late=LATE, assignee=() if allowed(user, "team.read") else (ME,))


@dataclass(frozen=True)
class Step:
    """What somebody who is new does first."""

    words: str
    url: str
    done: bool


def _first_steps(user: User) -> list[Step]:
    """What is left to do for who came not long ago; nothing once all is done. One query."""
    if now() - user.created_at > IS_NEW:
        return []
    chosen = select(NotificationChoice.user_id).where(NotificationChoice.user_id == user.id).limit(1)
    answered = select(Message.id).where(Message.author_id == user.id).limit(1)
    has_chosen, has_answered = db.session.execute(select(chosen.exists(), answered.exists())).one()
    steps = [
        Step(_("Write the signature of your replies"), url_for("desk.me"), bool(user.signature)),
        Step(_("Choose what you are told, and how"), url_for("desk.notification_choices"), has_chosen),
        Step(_("Answer a first ticket"), url_for("desk.view_list", key="unassigned"), has_answered),
    ]
    return [] if all(step.done for step in steps) else steps
