"""What is bought together: counted by the database itself, over all orders of the days that are looked at.

Support, confidence and lift as in Tan, Steinbach, Karpatne, Kumar: Introduction to Data Mining, 2nd edition, chapter 5:
support is the share of baskets with both products, confidence the share of those with B among those with A, and lift
is the confidence divided by the share of baskets with B.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from helpdesk_customers.api import COUNTED, Order, OrderLine
from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, and_, case, delete, func, insert, select

from helpdesk.api import Work, db, now, settings, transaction
from helpdesk_upsell import profiles
from helpdesk_upsell.models import Count, Pair
from helpdesk_upsell.settings import CUSTOMER, RecommendationSettings

MINE = "upsell.mine"
_BATCH = 2_000
# More pairs than these say nothing to anybody; the most frequent ones are kept.
_MOST = 200_000
_SCRATCH = MetaData()
_ITEM = Table(
    "upsell_scratch_item",
    _SCRATCH,
    Column("basket", BigInteger, primary_key=True, autoincrement=False),
    Column("sku", String(64), primary_key=True),
    prefixes=["TEMPORARY"],
)
_SINGLE = Table(
    "upsell_scratch_single",
    _SCRATCH,
    Column("sku", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
)


def mine(work: Work) -> None:
    """Count anew what is bought together (a job). Until it has counted, the old figures stand."""
    rows, count = _counted()
    work.heed()
    with work.last_step(result={"pairs": count.pairs, "baskets": count.baskets}):
        _keep(rows, count)


def mine_now() -> Count:
    """The same at once, in one transaction at its end."""
    rows, count = _counted()
    with transaction():
        _keep(rows, count)
    return count


def pairs(sku: str | None = None, after: int | None = None, most: int = 50) -> Sequence[Pair]:
    """Pairs in the order in which they are listed, the most frequent first; each once, unless a SKU is given. From
    behind the one with that number on.
    """
    # They are written in that order.
    query = select(Pair).order_by(Pair.id).limit(most)
    query = query.where(Pair.sku_a == sku) if sku is not None else query.where(Pair.sku_a < Pair.sku_b)
    if after is not None:
        query = query.where(Pair.id > after)
    return db.session.scalars(query).all()


def last_count() -> Count | None:
    """When was counted last, and how much."""
    return db.session.scalar(select(Count).order_by(Count.id.desc()).limit(1))


def _counted() -> tuple[list[dict[str, Any]], Count]:
    """Count in tables that only this connection sees, and that are gone with the transaction; nothing else is written.

    The database is not locked meanwhile: temporary tables lie in a file, or a schema, of their own.
    """
    chosen = settings(RecommendationSettings)
    db.session.rollback()
    connection = db.session.connection()
    try:
        _SCRATCH.create_all(connection, checkfirst=False)
        every, large = _fill(connection, chosen)
        counts = {sku: number for sku, number in connection.execute(select(_SINGLE.c.sku, _SINGLE.c.number))}
        a, b = _ITEM.alias("a"), _ITEM.alias("b")
        both = func.count().label("both")
        query = (
            select(a.c.sku, b.c.sku, both)
            .select_from(a.join(b, and_(a.c.basket == b.c.basket, a.c.sku < b.c.sku)))
            .group_by(a.c.sku, b.c.sku)
            .having(both >= chosen.together_least)
            .order_by(both.desc(), a.c.sku, b.c.sku)
        )
        baskets = every - large
        rows: list[dict[str, Any]] = []
        for one, two, together in connection.execute(query):
            if together * baskets * 100 < chosen.lift_least * counts[one] * counts[two]:
                continue
            if len(rows) >= _MOST:
                break
            for left, right in ((one, two), (two, one)):
                row = {"sku_a": left, "sku_b": right, "together": together, "count_a": counts[left],
                       "count_b": counts[right], "baskets": baskets}  # fmt: skip
                rows.append(row)
    finally:
        # Takes the tables away as well.
        db.session.rollback()
    return rows, Count(id=1, counted_at=now(), baskets=baskets, left_out=large, pairs=len(rows) // 2)


def _fill(connection: Connection, chosen: RecommendationSettings) -> tuple[int, int]:
    """Each product once for each basket; how many baskets there are, and how many of them were too large."""
    basket = Order.user_id if chosen.basket == CUSTOMER else Order.id
    since = now() - timedelta(days=chosen.basket_days)
    query = (
        select(basket, OrderLine.sku)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state.in_(COUNTED), Order.placed_at >= since, basket.is_not(None))
        .distinct()
    )
    connection.execute(insert(_ITEM).from_select(["basket", "sku"], query))
    sizes = select(_ITEM.c.basket, func.count().label("size")).group_by(_ITEM.c.basket)
    of_all = sizes.subquery()
    large = func.sum(case((of_all.c.size > chosen.basket_most, 1), else_=0))
    every, too_large = connection.execute(select(func.count(), large).select_from(of_all)).one()
    too_many = select(of_all.c.basket).where(of_all.c.size > chosen.basket_most)
    if too_large:
        connection.execute(delete(_ITEM).where(_ITEM.c.basket.in_(too_many)))
    singles = select(_ITEM.c.sku, func.count()).group_by(_ITEM.c.sku).having(func.count() >= chosen.together_least)
    connection.execute(insert(_SINGLE).from_select(["sku", "number"], singles))
    # What is too rare by itself is in no pair that is frequent enough.
    connection.execute(delete(_ITEM).where(_ITEM.c.sku.not_in(select(_SINGLE.c.sku))))
    return int(every or 0), int(too_large or 0)


def _keep(rows: Sequence[dict[str, Any]], count: Count) -> None:
    """Put the new figures in the place of the old ones. Inside the transaction."""
    db.session.execute(delete(Pair))
    for start in range(0, len(rows), _BATCH):
        db.session.execute(insert(Pair), rows[start : start + _BATCH])
    db.session.execute(delete(Count))
    db.session.add(count)
    # What goes with what a customer has stands in her profile.
    profiles.forget_all()
    db.session.flush()
