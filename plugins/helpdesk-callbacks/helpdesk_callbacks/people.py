"""Who can make a call, and in which zone a customer is."""

from sqlalchemy import func, select

from helpdesk.api import DeskSettings, Team, Ticket, User, db, hours_of, settings
from helpdesk.api import gettext as _

_STAFF = ("agent", "supervisor", "admin")
_MOST = 300


def makers(team_id: int | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices of who makes a call, in groups: teams, then agents; the team of the ticket first. Two queries."""
    teams = db.session.execute(
        select(Team.id, Team.name).where(Team.active).order_by(func.lower(Team.name), Team.id).limit(_MOST)
    ).all()
    agents = db.session.execute(
        select(User.id, User.name, User.email)
        .where(User.role.in_(_STAFF), User.active, ~User.is_service)
        .order_by(func.lower(User.name), User.id)
        .limit(_MOST)
    ).all()
    first = sorted(teams, key=lambda team: team.id != team_id)
    groups = [
        (_("Team"), [(f"team:{team.id}", _("Whoever is free of %(team)s", team=team.name)) for team in first]),
        (_("Agent"), [(f"agent:{one.id}", one.name or one.email or f"#{one.id}") for one in agents]),
    ]
    return [group for group in groups if group[1]]


def zone_of(person: User, ticket: Ticket | None) -> str:
    """The zone that a customer chose; else that of the team's hours; else the desk's."""
    if person.time_zone:
        return person.time_zone
    hours = hours_of(ticket.team_id if ticket is not None else None)
    return hours.zone or settings(DeskSettings).time_zone
