"""What somebody has bought, product by product, for the page of their record."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from helpdesk.api import db
from helpdesk_customers.models import COUNTED, Order, OrderLine
from helpdesk_customers.subjects import Subject, is_of

_MOST = 50


def bought_of(subject: Subject) -> Sequence[Any]:
    """Article number, name, pieces and last day of what was bought and not sent back, the last first. One query."""
    last = func.max(Order.placed_at)
    query = (
        select(
            OrderLine.sku,
            func.max(OrderLine.name).label("name"),
            func.sum(OrderLine.quantity).label("quantity"),
            last.label("last_at"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(is_of(subject, Order), Order.state.in_(COUNTED))
        .group_by(OrderLine.sku)
        .order_by(last.desc(), OrderLine.sku)
        .limit(_MOST)
    )
    return db.session.execute(query).all()
