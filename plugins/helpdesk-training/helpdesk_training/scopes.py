"""Whose training somebody sees: agents their own, supervisors their teams', administrators everybody's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select

from helpdesk.api import NotAllowed, Team, User, allowed, db, require
from helpdesk_training.permissions import ASSIGN, USE

STAFF = ("agent", "supervisor", "admin")


@dataclass(frozen=True)
class Scope:
    """``everything``, or one person and the members of some teams; nobody where all three are empty."""

    everything: bool = False
    user_id: int | None = None
    team_ids: tuple[int, ...] = ()

    def criterion(self, column: Any) -> Any:
        """That a column with the number of a person names one of them; None where all of them are."""
        if self.everything:
            return None
        members = select(User.id).where(User.teams.any(Team.id.in_(self.team_ids)))
        own = column == self.user_id
        return or_(own, column.in_(members)) if self.team_ids else own

    def within(self, query: Any, column: Any) -> Any:
        """The query with that criterion."""
        criterion = self.criterion(column)
        return query if criterion is None else query.where(criterion)


def scope_of(user: User | None) -> Scope:
    """The scope of somebody; None is the desk. Supervisors without a team look after all, as elsewhere on the desk."""
    if user is None:
        return Scope(everything=True)
    if not allowed(user, USE):
        return Scope()
    if not allowed(user, ASSIGN):
        return Scope(user_id=user.id)
    teams = tuple(sorted(team.id for team in user.teams))
    if user.role == "admin" or not teams:
        return Scope(everything=True)
    return Scope(user_id=user.id, team_ids=teams)


def may_see(actor: User | None, user_id: int) -> bool:
    """Whether somebody may see what a person has learnt. One query at most."""
    scope = scope_of(actor)
    if scope.everything or (scope.user_id is not None and scope.user_id == user_id):
        return True
    if not scope.team_ids:
        return False
    mine = User.teams.any(Team.id.in_(scope.team_ids))
    return bool(db.session.scalar(select(exists().where(User.id == user_id, mine))))


def require_about(actor: User | None, user_id: int) -> None:
    """Raise :class:`NotAllowed` unless somebody looks after what a person learns. Nobody does for themselves."""
    require(actor, ASSIGN)
    if actor is not None and (actor.id == user_id and actor.role != "admin" or not may_see(actor, user_id)):
        raise NotAllowed(ASSIGN)


def staff(actor: User | None, team_id: int | None = None) -> Select[User]:
    """A query for the people who learn, those whom ``actor`` sees, of one team or of all."""
    query = select(User).where(User.role.in_(STAFF), User.active, ~User.is_service)
    if team_id is not None:
        query = query.where(User.teams.any(Team.id == team_id))
    return scope_of(actor).within(query, User.id).order_by(User.name, User.id)


def people_of(actor: User | None, team_id: int | None = None) -> Sequence[User]:
    """The people of :func:`staff`."""
    return db.session.scalars(staff(actor, team_id)).all()


def found_by(
    actor: User | None, chosen: Collection[int], text: str, team_id: int | None, most: int
) -> tuple[Sequence[User], bool]:
    """Those of :func:`staff` who are chosen, behind them others of a team whose name or address contains a text.

    ``most`` of the others, and whether there are more. Two queries.
    """
    mine = db.session.scalars(staff(actor).where(User.id.in_(chosen))).all() if chosen else ()
    query = staff(actor, team_id).where(User.id.not_in([one.id for one in mine]))
    if text := " ".join(text.replace("\0", "").split()):
        query = query.where(
            or_(User.name.icontains(text, autoescape=True), User.email.icontains(text, autoescape=True))
        )
    rows = db.session.scalars(query.limit(most + 1)).all()
    return [*mine, *rows[:most]], len(rows) > most


def page_of(actor: User | None, team_id: int | None, after: int | None, size: int) -> tuple[Sequence[User], bool]:
    """A page of these people, that behind the person ``after``; whether there are more."""
    query = staff(actor, team_id)
    last = db.session.scalar(query.where(User.id == after)) if after is not None else None
    if last is not None:
        query = query.where(or_(User.name > last.name, and_(User.name == last.name, User.id > last.id)))
    rows = db.session.scalars(query.limit(size + 1)).all()
    return rows[:size], len(rows) > size
