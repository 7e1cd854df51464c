"""Naming, adding, ordering and switching off statuses. Their categories, which decide what they mean, are fixed."""

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import audit, labels, statuses
from helpdesk.core.direction import unmarked
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
    with transaction():
        name = _free_name(name, None)
        if not name:
            raise Invalid("name", _("Give the status a name."))
        last = db.session.scalar(select(func.max(Status.position))) or 0
        status = Status(key=free_key(name, _keys(), "status"), name=name, category=category, position=last + 1)
        db.session.add(status)
        db.session.flush()
        audit.record("status.created", actor, status.key, {"category": category})
    return status


def change_status(
    status: Status, name: str, active: bool, actor: User | None, texts: Mapping[str, str] | None = None
) -> None:
    """Rename a status ("": the standard name of its category) or switch it on and off. Joins or opens; audited.

    ``texts`` are its names in other languages ("": none any more). Tickets that have it keep it.

    Raises :class:`Invalid` (a name that is taken, the last active one of its category)
    and NotAllowed.
    """
    require(actor, "status.edit")
    if code := labels.too_long(texts or {}, NAME_LENGTH):
        raise Invalid(f"text_{code}", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    with transaction():
        name = _free_name(name, status)
        if not active and status.active:
            _keep_one(status)
        status.name, status.active = name, active
        labels.keep(labels.STATUS, status.id, texts or {})
        audit.record("status.changed", actor, status.key, {"name": name, "active": active})


def move_status(status: Status, places: int, actor: User | None) -> None:
    """Move a status up (-1) or down (1) within its category; at an end it stays. Joins or opens; audited.

    The first one that is on is what replies and customers' clicks set. Raises NotAllowed.
    """
    require(actor, "status.edit")
    with transaction():
        query = select(Status).where(Status.category == status.category).order_by(Status.position, Status.id)
        same = list(db.session.scalars(query))
        at = same.index(status)
        to = at + places
        if not 0 <= to < len(same):
            return
        places_taken = sorted(other.position for other in same)
        same.insert(to, same.pop(at))
        for position, other in zip(places_taken, same, strict=True):
            other.position = position
        audit.record("status.moved", actor, status.key)


def _keep_one(status: Status) -> None:
    # Locked, so that two administrators at once do not switch off two of two.
    query = select(Status.id).where(Status.category == status.category, Status.active).order_by(Status.id)
    if not set(db.session.scalars(query.with_for_update())) - {status.id}:
        raise Invalid("active", _("This is the last status of its kind; add another one first."))


def _free_name(text: str, status: Status | None) -> str:
    name = " ".join(storable(text).split())
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    others = [other for other in db.session.scalars(select(Status)) if other is not status]
    if (
        not name
        and status is not None
        and any(not other.name and other.category == status.category for other in others)
    ):
        raise Invalid("name", _("Another status has the standard name already; give this one its own."))
    if name and name.casefold() in {unmarked(statuses.label(other)).casefold() for other in others}:
        raise Invalid("name", _("There is a status “%(name)s” already.", name=name))
    return name


def _keys() -> set[str]:
    return set(db.session.scalars(select(Status.key)))
