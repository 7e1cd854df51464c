"""What kinds of tickets there are: a question, a problem, a return ... Read from memory, changed by administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import Integer, cast, false, func, literal, null, select, true, union_all

from helpdesk.core import audit, generation, labels
from helpdesk.core.extensions import db
from helpdesk.core.models import TicketType, Topic, User
from helpdesk.core.models.columns import free_key, storable
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid

NAME_LENGTH = 40


@dataclass(frozen=True)
class TypeChoice:
    """A type without its row: it outlives sessions."""

    id: int
    key: str
    name: str
    active: bool


class SortingRow(NamedTuple):
    """A row of one of the two tables; a type has no parent, a topic no key."""

    is_topic: bool
    id: int
    key: str
    name: str
    active: bool
    parent_id: int | None
    public: bool


def every() -> Sequence[TypeChoice]:
    """All types in their order. Kept until one of them changes."""
    return [TypeChoice(row.id, row.key, row.name, row.active) for row in rows() if not row.is_topic]


def rows() -> Sequence[SortingRow]:
    """Types and topics as they stand in their tables, in their order: one query for both, kept until a change."""
    return generation.cached("sorting", _load)


def find(type_id: int | None) -> TypeChoice | None:
    """The type of that number, in use or not."""
    return next((one for one in every() if one.id == type_id), None)


def by_key(key: str) -> TypeChoice | None:
    """The type with that key, in use or not."""
    return next((one for one in every() if one.key == key), None)


def label(type_id: int | None, otherwise: str = "", locale: str | None = None) -> str:
    """What a type is called in ``locale`` (the reader's if not given); ``otherwise`` where there is none."""
    found = find(type_id)
    return labels.name(labels.TYPE, found.id, found.name, locale) if found is not None else otherwise


def options(*, beside: int | None = None) -> list[tuple[int, str]]:
    """Number and name of each type that a ticket may get; one that it has already is offered in any case."""
    return [(one.id, label(one.id)) for one in every() if one.active or one.id == beside]


def add_type(name: str, actor: User | None) -> TicketType:
    """Add a type at the end. Joins or opens the transaction; audited. Raises :class:`Invalid`, NotAllowed."""
    require(actor, "field.edit")
    with transaction():
        name = _free_name(name, None)
        keys = set(db.session.scalars(select(TicketType.key)))
        last = db.session.scalar(select(func.max(TicketType.position))) or 0
        made = TicketType(key=free_key(name, keys, "type"), name=name, position=last + 1)
        db.session.add(made)
        db.session.flush()
        audit.record("type.created", actor, made.name)
        generation.bump()
    return made


def change_type(
    found: TicketType, name: str, active: bool, actor: User | None, texts: Mapping[str, str] | None = None
) -> None:
    """Rename a type, or switch it on and off; tickets that have it keep it. ``texts``: names in other languages.

    Joins or opens the transaction; audited. Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "field.edit")
    if code := labels.too_long(texts or {}, NAME_LENGTH):
        raise Invalid(f"text_{code}", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    with transaction():
        found.name, found.active = _free_name(name, found), active
        labels.keep(labels.TYPE, found.id, texts or {})
        audit.record("type.changed", actor, found.name, {"name": found.name, "active": active})
        generation.bump()


def move_type(found: TicketType, places: int, actor: User | None) -> None:
    """Move a type up (-1) or down (1); at an end it stays. Joins or opens the transaction; audited.

    Raises NotAllowed.
    """
    require(actor, "field.edit")
    with transaction():
        rows = list(db.session.scalars(select(TicketType).order_by(TicketType.position, TicketType.id)))
        to = rows.index(found) + places
        if not 0 <= to < len(rows):
            return
        rows.remove(found)
        rows.insert(to, found)
        for position, other in enumerate(rows, 1):
            other.position = position
        audit.record("type.moved", actor, found.name)
        generation.bump()


def _load() -> list[SortingRow]:
    types = select(
        false().label("is_topic"),
        TicketType.id,
        TicketType.key,
        TicketType.name,
        TicketType.active,
        cast(null(), Integer).label("parent_id"),
        false().label("public"),
        TicketType.position.label("position"),
    )
    topics = select(
        true(), Topic.id, literal(""), Topic.name, Topic.active, Topic.parent_id, Topic.public, Topic.position
    )
    both = union_all(types, topics).subquery()
    query = select(*list(both.c)[:-1]).order_by(both.c.position, both.c.id)
    return [SortingRow(*row) for row in db.session.execute(query)]


def _free_name(text: str, found: TicketType | None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise Invalid("name", _("Give the type a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    others = [other for other in db.session.scalars(select(TicketType)) if other is not found]
    if name.casefold() in {other.name.casefold() for other in others}:
        raise Invalid("name", _("There is a type “%(name)s” already.", name=name))
    return name
