"""What the plugin keeps about a person: rules that name their address."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from helpdesk.api import User, db, hookimpl
from helpdesk_email import rules
from helpdesk_email.models import SENDER, Rule


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """The rules about mail of that address."""
    found = [rules.sentence(rule) for rule in _about(user)]
    return {"rules": found} if found else {}


@hookimpl
def erase_personal_data(user: User) -> None:
    """They go with the address; mail from it would be a stranger's."""
    if numbers := [rule.id for rule in _about(user)]:
        db.session.execute(delete(Rule).where(Rule.id.in_(numbers)))
        rules.changed()


def _about(user: User) -> Sequence[Rule]:
    if not user.email:
        return []
    wanted = (Rule.part == SENDER, Rule.pattern == rules.fold(user.email))
    return db.session.scalars(select(Rule).where(*wanted).order_by(Rule.id)).all()
