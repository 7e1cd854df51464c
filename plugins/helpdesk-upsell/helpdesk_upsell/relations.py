"""How products stand to one another: what replaces, requires, goes with what; never in a circle."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from sqlalchemy import delete, select

from helpdesk.api import Invalid, User, audit, db, drop_cached, require, transaction
from helpdesk.api import gettext as _
from helpdesk_upsell.cleaning import one_of
from helpdesk_upsell.models import GOES_WITH, RELATIONS, REPLACES, Product, Relation
from helpdesk_upsell.permissions import MANAGE

Node = TypeVar("Node", bound=Hashable)


def relate(product: Product, kind: str, other: Product, actor: User | None) -> Relation:
    """Say that ``product`` replaces, requires or goes with ``other``; once, however often it is said.

    Raises :class:`Invalid` (other) for itself and for what would close a circle, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    one_of(kind, "kind", RELATIONS)
    with transaction():
        # Before anything is read: this waits for whoever is changing the catalogue, so that two halves of a circle
        # are not added at the same moment.
        drop_cached()
        query = select(Relation).where(
            Relation.product_id == product.id, Relation.kind == kind, Relation.other_id == other.id
        )
        relation = db.session.scalar(query)
        if relation is None:
            check(product, kind, [other])
            relation = Relation(product_id=product.id, kind=kind, other_id=other.id)
            db.session.add(relation)
            db.session.flush()
            _note(product, kind, other.sku, True, actor)
    return relation


def unrelate(product: Product, kind: str, other: Product, actor: User | None) -> None:
    """Take that back. Raises :class:`NotAllowed`."""
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        mine = (Relation.product_id == product.id, Relation.kind == kind, Relation.other_id == other.id)
        if db.session.scalar(select(Relation.id).where(*mine)) is not None:
            db.session.execute(delete(Relation).where(*mine))
            _note(product, kind, other.sku, False, actor)


def check(product: Product, kind: str, others: Iterable[Product]) -> None:
    """Raises :class:`Invalid` (other) for what would lead back to ``product``. Inside the transaction."""
    others = list(others)
    if any(other.id == product.id for other in others):
        raise Invalid("other", _("A product cannot stand to itself. Choose another one."))
    if kind == GOES_WITH or not others:
        return
    edges: dict[int, set[int]] = {}
    pairs = select(Relation.product_id, Relation.other_id).where(Relation.kind == kind)
    for one, next_one in db.session.execute(pairs):
        edges.setdefault(one, set()).add(next_one)
    for other in others:
        if not leads_to(other.id, product.id, edges):
            continue
        if kind == REPLACES:
            raise Invalid(
                "other",
                _("%(other)s replaces %(product)s already, so it cannot be replaced by it.", other=other.sku,
                  product=product.sku),
            )  # fmt: skip
        raise Invalid(
            "other",
            _("%(other)s requires %(product)s already, so neither could be bought first.", other=other.sku,
              product=product.sku),
        )  # fmt: skip


def leads_to(start: Node, end: Node, edges: Mapping[Node, set[Node]]) -> bool:
    """Whether there is a way from one product to another, over any number of steps."""
    seen, waiting = {start}, [start]
    while waiting:
        one = waiting.pop()
        if one == end:
            return True
        fresh = edges.get(one, set()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return False


def _note(product: Product, kind: str, other: str, on: bool, actor: User | None) -> None:
    audit("upsell.relation_changed", actor, product.sku, {"kind": kind, "other": other, "on": on})
