"""Macros: several actions in one click, kept under a name for oneself, a team or everybody."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import actions, circles
from helpdesk.core.actions import InvalidAction
from helpdesk.core.extensions import db
from helpdesk.core.models import Macro, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.view import MINE
from helpdesk.core.permissions import NotAllowed, allowed, require
from helpdesk.core.transaction import transaction

NAME_LENGTH, MOST = 80, 200


@dataclass
class MacroDraft:
    """What somebody wants a macro to be."""

    name: str = ""
    actions: list[dict[str, Any]] = field(default_factory=list)
    shared_with: str = MINE
    team_id: int | None = None
    active: bool = True

    def value_of(self, do: str) -> str:
        """The value of its action of a kind, "" for none."""
        return next((str(one["value"]) for one in self.actions if one.get("do") == do), "")


def listed(user: User, *, only_active: bool = False) -> Sequence[Macro]:
    """The macros that somebody has, by name: their own, those of their teams, everybody's. One query."""
    query = (
        select(Macro).where(circles.shown_to(Macro, user)).order_by(Macro.position, func.lower(Macro.name), Macro.id)
    )
    if only_active:
        query = query.where(Macro.active)
    return db.session.scalars(query.limit(MOST)).all()


def find(number: int, user: User) -> Macro | None:
    """The macro of that number if ``user`` has it. Not yours and not there are the same answer."""
    return db.session.scalar(select(Macro).where(Macro.id == number, circles.shown_to(Macro, user)))


def may_change(macro: Macro, user: User) -> bool:
    """Whether somebody may change or delete it: one's own, and with ``canned.share`` what is shared."""
    return allowed(user, "canned.save") and (macro.owner_id == user.id or allowed(user, "canned.share"))


def save(macro: Macro | None, wanted: MacroDraft, actor: User) -> Macro:
    """Keep a macro, or with None a new one. Joins or opens the transaction.

    Raises :class:`InvalidAction` with the field and a sentence, and NotAllowed: for a circle that one is not in it
    needs ``canned.share``.
    """
    require(actor, "canned.save")
    if macro is not None and not may_change(macro, actor):
        raise NotAllowed("canned.share")
    name = " ".join(storable(wanted.name).split())
    if not name:
        raise InvalidAction("name", _("Give the macro a name."))
    if len(name) > NAME_LENGTH:
        raise InvalidAction("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    try:
        team_id = circles.checked_team(wanted.shared_with, wanted.team_id, actor)
    except circles.InvalidCircle as problem:
        raise InvalidAction(problem.field, str(problem)) from problem
    parsed = actions.parse(wanted.actions, actor)
    with transaction():
        if macro is None:
            macro = Macro(owner_id=actor.id)
            db.session.add(macro)
        macro.name, macro.shared_with, macro.team_id, macro.active = name, wanted.shared_with, team_id, wanted.active
        macro.actions = [one.as_dict() for one in parsed]
        db.session.flush()
    return macro


def delete(macro: Macro, actor: User) -> None:
    """Delete a macro; what it did stays. Joins or opens the transaction. Raises NotAllowed."""
    if not may_change(macro, actor):
        raise NotAllowed("canned.share")
    with transaction():
        db.session.delete(macro)
