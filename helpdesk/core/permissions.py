"""Who may do what: roles, permissions, and the one start of every query for tickets."""

from collections.abc import Collection, Mapping
from typing import Any

from flask import g
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlalchemy.orm import QueryableAttribute

from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Organization, Team, TeamMember, Ticket, User
from helpdesk.core.models.user import ADMIN, AGENT, SUPERVISOR
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Permission

_AGENT = frozenset(
    {
        "desk.use",
        "ticket.open",
        "ticket.read",
        "ticket.reply",
        "ticket.note",
        "ticket.edit",
        "ticket.close",
        "person.read",
        "person.edit",
        "view.save",
        "canned.save",
    }
)
_SUPERVISOR = _AGENT | {
    "view.share",
    "canned.share",
    "ticket.export",
    "team.read",
    "report.read",
    "roster.edit",
    "person.merge",
    "intake.read",
    "delivery.read",
}
_ADMIN = _SUPERVISOR | {
    "admin.use",
    "setting.edit",
    "user.edit",
    "team.edit",
    "status.edit",
    "field.edit",
    "plugin.edit",
    "theme.edit",
    "language.edit",
    "job.read",
    "job.edit",
    "intake.edit",
    "audit.read",
}
ROLE_PERMISSIONS: Mapping[str, frozenset[str]] = {
    AGENT: _AGENT,
    SUPERVISOR: frozenset(_SUPERVISOR),
    ADMIN: frozenset(_ADMIN),
}
# What a plugin may limit tickets by.
_CRITERION = (ColumnElement, QueryableAttribute)
# What requesters may do with a ticket that they can see.
_REQUESTER_ON_TICKET = frozenset({"ticket.read", "ticket.reply", "ticket.close"})


class NotAllowed(Exception):
    """The actor may not do this."""

    def __init__(self, permission: str) -> None:
        super().__init__(_("You may not do this. Ask an administrator if you need to."))
        self.permission = permission


def allowed(user: User | None, permission: str, obj: Any = None) -> bool:
    """Whether ``user`` may use ``permission`` (on ``obj``, mostly a ticket).

    ``None`` is the desk itself (a job, the command line) and may do everything. A plugin's guard can deny, and open
    to agents what supervisors have; it never grants anything else.
    """
    if user is None:
        return True
    if not _granted(user, permission, obj):
        return False
    return not manager.current().denied("veto", user=user, permission=permission, obj=obj)


def narrow(user: User, scopes: Collection[str]) -> None:
    """Leave ``user`` no more than ``scopes`` until this request ends: a program acts for them by a token.

    Every check sees it, since :func:`allowed` and :func:`ticket_criterion` do. It never widens.
    """
    g.helpdesk_narrowed = (user.id, frozenset(scopes))


def in_scope(user: User, permission: str) -> bool:
    """Whether the token that this request came with (if any) leaves ``user`` the permission."""
    whose, scopes = g.get("helpdesk_narrowed", (None, frozenset()))
    return whose != user.id or permission in scopes


def require(user: User | None, permission: str, obj: Any = None) -> None:
    """Raise :class:`NotAllowed` unless :func:`allowed`."""
    if not allowed(user, permission, obj):
        raise NotAllowed(permission)


def visible_tickets(user: User) -> Select[Ticket]:
    """The tickets that ``user`` may see: the start of every query for tickets, lists and counts alike."""
    query: Select[Ticket] = select(Ticket)
    if (criterion := ticket_criterion(user)) is not None:
        query = query.where(criterion)
    return query


def ticket_criterion(user: User) -> Any:
    """The SQL criterion of :func:`visible_tickets`; None when everything may be seen."""
    criteria = [own for own in [_role_criterion(user)] if own is not None]
    criteria += manager.current().limits("limit_tickets", deny=false(), wanted=_CRITERION, user=user)
    return and_(*criteria) if criteria else None


def _role_criterion(user: User) -> Any:
    if not user.active or not in_scope(user, "ticket.read"):
        return false()
    if user.role in (SUPERVISOR, ADMIN):
        return None
    follows = exists().where(Follower.ticket_id == Ticket.id, Follower.user_id == user.id)
    if user.role == AGENT:
        private = select(Team.id).where(Team.private).correlate(None)
        mine = select(TeamMember.team_id).where(TeamMember.user_id == user.id).correlate(None)
        return or_(
            Ticket.team_id.is_(None),
            Ticket.team_id.not_in(private),
            Ticket.team_id.in_(mine),
            Ticket.assignee_id == user.id,
            follows,
        )
    shared = select(Organization.id).where(Organization.id == user.organization_id, Organization.shares_tickets)
    return or_(Ticket.requester_id == user.id, follows, Ticket.organization_id.in_(shared))


def find_ticket(user: User, number: int) -> Ticket | None:
    """The ticket if ``user`` may see it. Not yours and not there are the same answer."""
    return db.session.scalar(visible_tickets(user).where(Ticket.id == number))


def _granted(user: User, permission: str, obj: Any) -> bool:
    if not user.active or not in_scope(user, permission):
        return False
    if isinstance(obj, Ticket) and not _sees(user, obj):
        return False
    if permission in ROLE_PERMISSIONS.get(user.role, frozenset()):
        return True
    if not user.is_staff and isinstance(obj, Ticket) and permission in _REQUESTER_ON_TICKET:
        return True
    # A plugin's own; nobody has them while it is off.
    own: Permission | None = manager.current().find("register_permissions", permission)
    if own is not None and user.role in own.roles:
        return True
    return _opened(user, permission, own)


def _opened(user: User, permission: str, own: Permission | None) -> bool:
    """Whether a plugin opens to one of staff what only supervisors have from their role."""
    if not user.is_staff or user.is_service:
        return False
    if not (permission in _SUPERVISOR if own is None else SUPERVISOR in own.roles):
        return False
    return permission in manager.current().opened("opened_permissions", user=user)


def openable() -> frozenset[str]:
    """Every permission that :func:`allowed` lets a plugin open to agents: what supervisors have and agents have not."""
    own = [found.item for found in manager.current().contributions("register_permissions")]
    return frozenset(_SUPERVISOR - _AGENT) | {
        one.name for one in own if SUPERVISOR in one.roles and AGENT not in one.roles
    }


def _sees(user: User, ticket: Ticket) -> bool:
    if (criterion := ticket_criterion(user)) is None:
        return True
    return db.session.scalar(select(Ticket.id).where(Ticket.id == ticket.id, criterion)) is not None
