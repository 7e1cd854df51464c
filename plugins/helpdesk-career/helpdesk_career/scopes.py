"""Whose career somebody sees: everybody their own, supervisors that of their teams, administrators all."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, false, or_, select

from helpdesk.api import NotAllowed, Team, User, allowed, db
from helpdesk_career.permissions import APPROVE, LEAD, USE

_STAFF = ("agent", "supervisor", "admin")


@dataclass(frozen=True)
class Scope:
    """``everything``, or somebody and the people of some teams."""

    everything: bool = False
    user_id: int | None = None
    team_ids: tuple[int, ...] = ()

    def criterion(self) -> Any:
        """That a row of :class:`User` belongs to it; None where all do."""
        if self.everything:
            return None
        own = [User.id == self.user_id] if self.user_id is not None else []
        teams = [User.teams.any(Team.id.in_(self.team_ids))] if self.team_ids else []
        return or_(*own, *teams) if own or teams else false()


def scope_of(actor: User) -> Scope:
    """The scope of somebody. Supervisors without a team look after all of them, as elsewhere on the desk."""
    if not allowed(actor, USE):
        return Scope()
    if not allowed(actor, LEAD):
        return Scope(user_id=actor.id)
    if actor.role == "admin":
        return Scope(everything=True)
    teams = tuple(sorted(team.id for team in actor.teams))
    if not teams and actor.role == "supervisor":
        return Scope(everything=True)
    return Scope(user_id=actor.id, team_ids=teams)


def people(actor: User) -> Any:
    """The start of every query for people who are here and whose career ``actor`` sees."""
    query = select(User).where(here())
    criterion = scope_of(actor).criterion()
    return query if criterion is None else query.where(criterion)


def sees(actor: User | None, user_id: int) -> bool:
    """Whether ``actor`` sees the career of somebody, who may have left. None is the desk itself."""
    if actor is None:
        return True
    if actor.id == user_id:
        return allowed(actor, USE)
    if not allowed(actor, LEAD):
        return False
    criterion = scope_of(actor).criterion()
    if criterion is None:
        return True
    return db.session.scalar(select(User.id).where(User.id == user_id, criterion)) is not None


def may_lead(actor: User | None, user: User) -> bool:
    """Whether ``actor`` writes into the career of somebody: never into their own."""
    return actor is None or (actor.id != user.id and allowed(actor, LEAD) and sees(actor, user.id))


def may_decide(actor: User | None, user: User) -> bool:
    """Whether ``actor`` decides about a promotion of somebody: never about their own."""
    return actor is None or (actor.id != user.id and allowed(actor, APPROVE) and sees(actor, user.id))


def require_lead(actor: User | None, user: User) -> None:
    """Raise :class:`NotAllowed` unless :func:`may_lead`."""
    if not may_lead(actor, user):
        raise NotAllowed(LEAD)


def is_here(user: User) -> bool:
    """Whether somebody is one of staff now: not left, not a program."""
    return user.active and user.is_staff and not user.is_service


def here() -> Any:
    """The same of a row of :class:`User`."""
    return and_(User.active, User.role.in_(_STAFF), User.is_service.is_(False))
