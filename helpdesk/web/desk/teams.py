"""A team: who is in it, what waits for it, and what plugins know of it."""

from collections.abc import Sequence
from typing import Any

from flask import abort, render_template
from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from helpdesk.core.extensions import db
from helpdesk.core.filters import TicketFilter
from helpdesk.core.models import Team, TeamMember, User
from helpdesk.core.models.ticket import NEW, ON_HOLD, OPEN, PENDING, UNSOLVED
from helpdesk.core.permissions import allowed
from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.figures import figures
from helpdesk.web.session import reader

MEMBERS = 100


@desk.get("/teams/<int:team_id>")
def team(team_id: int) -> str:
    """A team with its members and figures. A private one that is not the reader's is not there."""
    user = reader()
    found = visible_team(team_id, user)
    if found is None:
        abort(404)
    members = _members(found)
    shown = figures(_wanted(found, members), user)
    return render_template(
        "desk/team.html",
        team=found,
        members=[(member, shown.pop(f"of-{member.id}")) for member in members[:MEMBERS]],
        more=len(members) > MEMBERS,
        figures=list(shown.values()),
        panels=places.team_panels(found, user),
    )


def visible_team(team_id: int, user: User) -> Team | None:
    """The team if ``user`` may see its page: a private one is for its members and for those who see every team."""
    if team_id >= 2**63:
        return None
    query = select(Team).where(Team.id == team_id)
    if not allowed(user, "team.read"):
        mine = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
        query = query.where(or_(Team.private.is_(False), Team.id.in_(mine)))
    return db.session.scalar(query)


def _members(found: Team) -> Sequence[User]:
    query = select(User).join(TeamMember, TeamMember.user_id == User.id)
    query = query.where(TeamMember.team_id == found.id, User.active).order_by(func.lower(User.name), User.id)
    return db.session.scalars(query.limit(MEMBERS + 1)).all()


def _wanted(found: Team, members: Sequence[User]) -> dict[str, tuple[Any, TicketFilter]]:
    """The figures of the team, then those of its members."""
    team = (str(found.id),)
    wanted: dict[str, tuple[Any, TicketFilter]] = {
        "unsolved": (_("Unsolved"), TicketFilter(category=UNSOLVED, team=team)),
        "unassigned": (_("Unassigned"), TicketFilter(category=UNSOLVED, team=team, assignee=("none",))),
        "ours": (_("Waiting for the team"), TicketFilter(category=(NEW, OPEN), team=team)),
        "theirs": (_("Waiting for others"), TicketFilter(category=(PENDING, ON_HOLD), team=team)),
    }
    for member in members[:MEMBERS]:
        of_member = TicketFilter(category=UNSOLVED, team=team, assignee=(str(member.id),))
        wanted[f"of-{member.id}"] = (member.display_name, of_member)
    return wanted
