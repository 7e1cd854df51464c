"""Promotions: a product costs less for some days."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, User, audit, db, drop_cached, require, transaction
from helpdesk.api import gettext as _
from helpdesk_upsell import cleaning
from helpdesk_upsell.models import Product, Promotion
from helpdesk_upsell.permissions import MANAGE

PITCH_LENGTH = 500


def save_promotion(
    promotion: Promotion | None, product: Product, values: Mapping[str, Any], actor: User | None
) -> Promotion:
    """Add a promotion, or change what is given of one: ``name``, ``percent``, ``starts``, ``ends``, ``active`` and
    ``texts`` ({language: text for the customer}).

    One transaction, joined or opened. Raises :class:`Invalid` naming the field, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        if promotion is None:
            promotion = Promotion(texts={})
            values = {"name": "", "percent": "", "starts": None, "ends": None, **values}
        else:
            db.session.refresh(promotion, with_for_update={"of": type(promotion)})
        with db.session.no_autoflush:
            promotion.product_id = product.id
            _put(promotion, values)
        db.session.add(promotion)
        db.session.flush()
        audit("upsell.promotion_saved", actor, promotion.name, {"promotion": promotion.id, "product": product.id})
    return promotion


def delete_promotion(promotion: Promotion, actor: User | None) -> None:
    """End it for good. Offers that are out keep their price. Raises :class:`NotAllowed`."""
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        audit("upsell.promotion_saved", actor, promotion.name, {"promotion": promotion.id, "deleted": True})
        db.session.delete(promotion)


def find_promotion(number: int) -> Promotion | None:
    """One of them."""
    return db.session.scalar(select(Promotion).where(Promotion.id == number).options(joinedload(Promotion.product)))


def promotions(after: int | None = None, most: int = 50) -> Sequence[Promotion]:
    """All promotions, the newest first, from behind the one with that number on."""
    query = select(Promotion).options(joinedload(Promotion.product)).order_by(Promotion.id.desc()).limit(most)
    if after is not None:
        query = query.where(Promotion.id < after)
    return db.session.scalars(query).all()


def reduced(amount: int, percent: int) -> int:
    """A price with so many percent off, in whole minor units: what is left over of one is for the customer."""
    return amount * (100 - percent) // 100


def _put(promotion: Promotion, values: Mapping[str, Any]) -> None:
    if "name" in values:
        promotion.name = cleaning.line(values, "name", 100, _("Give the promotion a name."))
    if "percent" in values:
        promotion.percent = cleaning.number(values["percent"], "percent", 1, 100)
    for field in ("starts", "ends"):
        if field in values:
            found = cleaning.day(values[field], field)
            if found is None:
                raise Invalid(field, _("Give the first and the last day."))
            setattr(promotion, field, found)
    cleaning.days_in_order(promotion.starts, promotion.ends)
    if "active" in values:
        promotion.active = bool(values["active"])
    if "texts" in values:
        texts = {
            code: one.get("pitch", "") if isinstance(one, Mapping) else one for code, one in values["texts"].items()
        }
        promotion.texts = {code: {"pitch": text} for code, text in cleaning.texts(texts, "texts", PITCH_LENGTH).items()}
