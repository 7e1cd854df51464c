"""Naming, adding and switching off statuses. Their categories, which decide what they mean, are fixed."""

from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import audit
from helpdesk.core.extensions import db
from helpdesk.core.models import Status, User
from helpdesk.core.models.columns import free_key, storable
from helpdesk.core.models.ticket import CATEGORIES
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid

NAME_LENGTH = 40


def add_status(name: str, category: str, actor: User | None) -> Status:
    """Add a status to a category. Joins or opens the transaction; audited. Raises :class:`Invalid`, NotAllowed."""
    require(actor, "status.edit")
    if category not in CATEGORIES:
        raise Invalid("category", _("Choose one of the list."))
    name = _name(name)
    if not name:
        raise Invalid("name", _("Give the status a name."))
    with transaction():
        last = db.session.scalar(select(func.max(Status.position))) or 0
        status = Status(key=free_key(name, _keys(), "status"), name=name, category=category, position=last + 1)
        db.session.add(status)
        db.session.flush()
        audit.record("status.created", actor, status.key, {"category": category})
    return status


def change_status(status: Status, name: str, active: bool, actor: User | None) -> None:
    """Rename a status ("": the standard name of its category) or switch it on and off. Joins or opens; audited.

    Raises :class:`Invalid` when it is the last active one of its category, NotAllowed.
    """
    require(actor, "status.edit")
    name = _name(name)
    with transaction():
        if not active and status.active and not _others(status):
            raise Invalid("active", _("This is the last status of its kind; add another one first."))
        status.name, status.active = name, active
        audit.record("status.changed", actor, status.key, {"name": name, "active": active})


def _others(status: Status) -> int:
    query = select(func.count(Status.id)).where(
        Status.category == status.category, Status.active, Status.id != status.id
    )
    return db.session.scalar(query) or 0


def _name(text: str) -> str:
    name = " ".join(storable(text).split())
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    return name


def _keys() -> set[str]:
    return set(db.session.scalars(select(Status.key)))
