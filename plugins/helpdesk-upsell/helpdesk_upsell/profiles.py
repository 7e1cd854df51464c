"""What is known of customers, prepared by workers so that nobody waits for it."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk_customers.api import COUNTED, Order, OrderLine, Ownership, segments_of
from sqlalchemy import bindparam, delete, func, or_, select

from helpdesk.api import LATER, Ticket, User, db, hookimpl, now, schedule
from helpdesk_upsell.models import Pair, Profile
from helpdesk_upsell.situations import Known

PREPARE = "upsell.prepare"
# So old a profile is made anew before it is used: segments change with the calendar.
OLDEST = timedelta(hours=24)
_RENEWED = timedelta(hours=12)
_BATCH = 100
# What is bought together: so many pairs are kept, found by so many of the products that she has.
_PAIRS, _PRODUCTS = 200, 10_000
_PREPARED = select(Profile.known, Profile.made_at).where(Profile.user_id == bindparam("user"))


def known(user: User, keep: bool = False) -> Known:
    """What is known of a customer: as prepared, or found out now. ``keep``: write it down, inside the transaction."""
    prepared = db.session.execute(_PREPARED, {"user": user.id}).one_or_none()
    if prepared is not None and prepared.made_at > now() - OLDEST:
        return Known(**prepared.known)
    found = find(user)
    if keep:
        _write(user.id, found)
    return found


def find(user: User) -> Known:
    """Ask what she bought and owns, and in which segments she is, and what goes with it; six queries."""
    result = Known(segments=segments_of(user))
    _add_orders(result, user.id)
    _add_owned(result, user.id, user.organization_id)
    _add_together(result)
    return result


def _add_orders(result: Known, user_id: int) -> None:
    mine = (Order.user_id == user_id, Order.state.in_(COUNTED))
    lines = (
        select(OrderLine.sku, func.min(Order.placed_at))
        .join(Order, Order.id == OrderLine.order_id)
        .where(*mine)
        .group_by(OrderLine.sku)
    )
    for sku, first in db.session.execute(lines):
        result.owned[sku] = [_day(first), None]
    sums = select(Order.currency, func.count(), func.sum(Order.amount), func.max(Order.placed_at)).where(*mine)
    last: datetime | None = None
    for currency, orders, amount, placed in db.session.execute(sums.group_by(Order.currency)):
        result.orders += orders
        result.spent[currency] = int(amount or 0)
        if last is None or placed > last:
            last, result.currency = placed, currency
    result.last_order = _day(last) if last is not None else None


def _add_owned(result: Known, user_id: int, organization_id: int | None) -> None:
    """What was noted as owned, her own or her organization's. Of several spans of a product the one that ends last."""
    whose = [Ownership.user_id == user_id]
    if organization_id is not None:
        whose.append(Ownership.organization_id == organization_id)
    rows = select(Ownership.sku, Ownership.since, Ownership.until).where(or_(*whose)).order_by(Ownership.id)
    spans: dict[str, list[str | None]] = {}
    for sku, since, until in db.session.execute(rows):
        span = [since.isoformat() if since else None, until.isoformat() if until else None]
        if sku not in spans or (spans[sku][1] is not None and (span[1] is None or span[1] > spans[sku][1])):
            spans[sku] = span
    # A plan that ends is noted with its days; that it was bought once says less.
    result.owned.update(spans)


def _add_together(result: Known) -> None:
    """What others bought with what is hers, the surest first."""
    owned = sorted(result.skus(now().astimezone(UTC).date()))[:_PRODUCTS]
    if not owned:
        return
    query = (
        select(Pair.sku_a, Pair.sku_b, Pair.together, Pair.count_a, Pair.count_b, Pair.baskets)
        .where(Pair.sku_a.in_(owned), Pair.sku_b.not_in(owned))
        .order_by((Pair.together * 1.0 / Pair.count_a).desc(), Pair.id)
        .limit(_PAIRS)
    )
    for one, other, together, count_one, count_other, baskets in db.session.execute(query):
        lift = together * baskets / (count_one * count_other)
        result.together.append([one, other, together, together / count_one, lift])


def forget(user_ids: Collection[int]) -> None:
    """Have the profiles of some customers made anew. Inside the transaction."""
    numbers = list(user_ids)
    for start in range(0, len(numbers), 500):
        db.session.execute(delete(Profile).where(Profile.user_id.in_(numbers[start : start + 500])))


def forget_all() -> None:
    """Have all profiles made anew. Inside the transaction."""
    db.session.execute(delete(Profile))


def prepare_now() -> None:
    """Make the profiles of customers whose tickets have changed lately (a job, inside its transaction).

    Those of others are found out when an agent looks, which takes a few queries more.
    """
    since, old = now() - timedelta(days=2), now() - _RENEWED
    fresh = select(Profile.user_id).where(Profile.made_at > old)
    query = (
        select(User)
        .where(User.id.in_(select(Ticket.requester_id).where(Ticket.updated_at > since)), User.id.not_in(fresh))
        .where(User.role == "requester")
        .order_by(User.id)
        .limit(_BATCH)
    )
    people = db.session.scalars(query).all()
    for person in people:
        _write(person.id, find(person))
    if len(people) == _BATCH:
        # Short transactions: the next ones have their turn at once.
        schedule(PREPARE, key=PREPARE, priority=LATER)


def _write(user_id: int, found: Known) -> None:
    profile = db.session.get(Profile, user_id)
    if profile is None:
        profile = Profile(user_id=user_id)
        db.session.add(profile)
    profile.known, profile.made_at = asdict(found), now()
    db.session.flush()


@hookimpl(optionalhook=True)
def customers_record_changed(person_id: int | None) -> None:
    """A customer's record changed, and perhaps her segments."""
    if person_id is not None:
        forget([person_id])


@hookimpl(optionalhook=True)
def customers_segment_changed() -> None:
    """A segment means something else: anybody may be in it now, or no more."""
    forget_all()


def of_organizations(numbers: Iterable[int]) -> list[int]:
    """The people of some organizations for whom there is a profile."""
    mine = select(Profile.user_id).join(User, User.id == Profile.user_id)
    return list(db.session.scalars(mine.where(User.organization_id.in_(list(numbers)))))


def _day(moment: Any) -> str:
    return moment.astimezone(UTC).date().isoformat()
