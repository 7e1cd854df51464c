"""What the desk's menus offer: statuses, teams, agents, fields; plain data, kept while nothing of it changes."""

from dataclasses import dataclass

from sqlalchemy import func, select

from helpdesk.core import generation, statuses
from helpdesk.core.extensions import db
from helpdesk.core.models import Status, Team, User
from helpdesk.core.models.ticket import CATEGORIES, CLOSED
from helpdesk.core.models.user import STAFF
from helpdesk.core.permissions import allowed


@dataclass(frozen=True)
class StatusChoice:
    """A status without its row: it outlives sessions."""

    id: int
    key: str
    name: str
    category: str
    active: bool


def every_status() -> list[StatusChoice]:
    """All statuses, also those that were switched off, in their order."""
    return generation.cached("desk:statuses", _load_statuses)


def offered_statuses(user: User | None = None) -> list[StatusChoice]:
    """The statuses that a ticket may get, in their order; with ``user``, those that they may give it."""
    may_close = user is None or allowed(user, "ticket.close")
    return [status for status in every_status() if status.active and (may_close or status.category != CLOSED)]


def status_label(status: StatusChoice) -> str:
    """What a status is called in the reader's language: by the owner, or by its category."""
    return statuses.label(status)


def agents() -> list[User]:
    """Everybody who can take tickets, by name."""
    query = (
        select(User).where(User.role.in_(STAFF), User.active, ~User.is_service).order_by(func.lower(User.name), User.id)
    )
    return list(db.session.scalars(query.limit(500)))


def teams() -> list[Team]:
    """The teams that a ticket can go to, by name."""
    query = select(Team).where(Team.active).order_by(func.lower(Team.name), Team.id)
    return list(db.session.scalars(query.limit(500)))


def _load_statuses() -> list[StatusChoice]:
    rows = db.session.scalars(select(Status).order_by(Status.position, Status.id)).all()
    found = [StatusChoice(row.id, row.key, row.name, row.category, row.active) for row in rows]
    return sorted(found, key=lambda status: CATEGORIES.index(status.category))
