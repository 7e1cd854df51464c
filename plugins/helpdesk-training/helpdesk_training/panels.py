"""The plugin's places on the desk's pages: navigation, beside tickets, people and teams, on Home."""

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import NavItem, Panel, Team, Ticket, User, allowed, db, hookimpl, now
from helpdesk.api import lazy_gettext as _l
from helpdesk_training import offers, words
from helpdesk_training.blueprint import locale
from helpdesk_training.models import OPEN_STATES, Assignment, Certificate
from helpdesk_training.permissions import ASSIGN, USE
from helpdesk_training.scopes import may_see, scope_of

_SHOWN = 5


@hookimpl
def nav_items() -> list[NavItem]:
    """What the reader is to learn."""
    return [NavItem(_l("Training"), "training.index", icon="school", permission=USE, order=60)]


@hookimpl
def ticket_panels(ticket: Ticket, user: User) -> list[Panel]:
    """Lessons that fit the tags of a ticket. One query at most; none where the ticket has no tags."""
    found = offers.for_ticket(ticket, user, locale())
    if not found:
        return []
    return [Panel(_l("Lessons that fit"), "training/ticket_panel.html", {"offers": found}, "school", USE, 80)]


@hookimpl
def user_panels(person: User, user: User) -> list[Panel]:
    """What one of the team has earned, for who may see it. Two queries at most."""
    if person.role == "requester" or not may_see(user, person.id):
        return []
    query = select(Certificate).where(Certificate.user_id == person.id).options(joinedload(Certificate.course))
    rows = db.session.scalars(query.order_by(Certificate.earned_at.desc()).limit(_SHOWN)).all()
    context = {"rows": rows, "words": words, "here": locale()}
    return [Panel(_l("Training"), "training/person_panel.html", context, "school", USE, 60)]


@hookimpl
def team_panels(team: Team, user: User) -> list[Panel]:
    """How many courses of a team are open and late. One query."""
    if not allowed(user, ASSIGN):
        return []
    late = func.count().filter(Assignment.due_at < now())
    query = select(func.count(), late).where(
        Assignment.state.in_(OPEN_STATES), Assignment.person.has(User.teams.any(Team.id == team.id))
    )
    open_, over = db.session.execute(scope_of(user).within(query, Assignment.user_id)).one()
    context = {"open": open_, "late": over, "words": words}
    return [Panel(_l("Training"), "training/team_panel.html", context, "school", ASSIGN, 60)]


@hookimpl
def dashboard_widgets(user: User) -> list[Panel]:
    """What the reader is to learn next. One query; nothing where nothing waits."""
    query = (
        select(Assignment)
        .where(Assignment.user_id == user.id, Assignment.state.in_(OPEN_STATES))
        .options(joinedload(Assignment.course))
        .order_by(Assignment.due_at.is_(None), Assignment.due_at, Assignment.id)
        .limit(_SHOWN)
    )
    rows = db.session.scalars(query).all()
    if not rows:
        return []
    context = {"rows": rows, "words": words, "here": locale()}
    return [Panel(_l("My training"), "training/widget.html", context, "school", USE, 60)]
