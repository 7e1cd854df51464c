"""Accounts of programs: they act by tokens alone. Nobody signs in to them, writes to them or assigns to them."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.core import accounts, audit
from helpdesk.core.accounts import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.user import STAFF
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction

NAME_LENGTH = 80


def create(name: str, role: str, teams: Sequence[Team], actor: User | None) -> User:
    """Make an account for a program, without address and password. Joins or opens the transaction; audited.

    Raises AccountError for a name or role that does not fit, and NotAllowed.
    """
    require(actor, "user.edit")
    clean = _checked(name, role)
    with transaction():
        user = User(name=clean, role=role, is_service=True, teams=list(teams), care_mail=False)
        db.session.add(user)
        db.session.flush()
        audit.record("service.created", actor, clean, {"role": role, "teams": [team.name for team in teams]})
    return user


def change(user: User, name: str, role: str, teams: Sequence[Team], active: bool, actor: User | None) -> None:
    """Change such an account; its tokens end when it is switched off or may do less. Joins or opens; audited.

    Raises AccountError for a name or role that does not fit, and NotAllowed.
    """
    require(actor, "user.edit")
    clean = _checked(name, role)
    with transaction():
        accounts.change_role(user, role, actor)
        accounts.set_active(user, active, actor)
        wanted = sorted(set(teams), key=lambda team: team.id)
        if user.name != clean or sorted(user.teams, key=lambda team: team.id) != wanted:
            user.name, user.teams = clean, wanted
            audit.record("service.changed", actor, clean, {"teams": [team.name for team in wanted]})


def find(number: int) -> User | None:
    """The account of a program with that number, or None: people are not among them."""
    if number >= 2**31:
        return None
    query = select(User).where(User.id == number, User.is_service).options(selectinload(User.teams))
    return db.session.scalar(query)


def _checked(name: str, role: str) -> str:
    if role not in STAFF:
        raise AccountError("role", _("There is no role “%(name)s”.", name=role))
    clean = " ".join(storable(name).split())
    if not clean:
        raise AccountError("name", _("Give the account the name of the program that uses it."))
    if len(clean) > NAME_LENGTH:
        raise AccountError("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    return clean
