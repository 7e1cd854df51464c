"""Orders: taken in by hand, by a program or from a file, and what was bought with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import selectinload

from helpdesk.api import Invalid, Organization, User, audit, db, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_customers import records, worth
from helpdesk_customers.models import (
    COUNTED,
    ORDER_STATES,
    ORGANIZATION,
    PAID,
    PERSON,
    Order,
    OrderLine,
)
from helpdesk_customers.money import MOST, read_currency, sku_key
from helpdesk_customers.offering import tell_products
from helpdesk_customers.permissions import MANAGE
from helpdesk_customers.subjects import Subject, is_of
from helpdesk_customers.texts import line

NUMBER_LENGTH, SOURCE_LENGTH, NAME_LENGTH, MOST_LINES, MOST_PIECES = 64, 40, 200, 1_000, 1_000_000
CREATED, CHANGED, SAME = "created", "changed", "same"


@dataclass(frozen=True)
class LineData:
    """A product of an order: how many pieces, and the sum of the line in minor units."""

    sku: str
    name: str = ""
    quantity: int = 1
    amount: int = 0


@dataclass(frozen=True)
class OrderData:
    """An order as it comes in. Without ``amount`` it is the sum of its lines; all of it is of one currency.

    Without ``organization_id`` it counts for the organization that the person belongs to now.
    """

    number: str
    currency: str
    lines: Sequence[LineData] = field(default_factory=tuple)
    amount: int | None = None
    placed_at: datetime | None = None
    state: str = PAID
    source: str = ""
    user_id: int | None = None
    organization_id: int | None = None


def save_order(data: OrderData, actor: User | None = None, *, tell: bool = True) -> tuple[Order, str]:
    """Take in an order, or change the one of the same source and number: the order, and CREATED, CHANGED or SAME.

    One transaction, joined or opened. ``tell=False`` neither counts the value anew nor tells plugins: whoever takes in
    many calls :func:`settle` for all of them. Raises :class:`Invalid` (number, currency, lines, sku, quantity, amount,
    placed_at, state, user_id, organization_id) and NotAllowed.
    """
    require(actor, MANAGE)
    clean = _clean(data)
    with transaction():
        firm = _owners(clean)
        same = (Order.source == clean.source, Order.number == clean.number)
        order = db.session.scalar(select(Order).where(*same).with_for_update())
        before = _owner_ids(order)
        if order is not None and _says(order) == _would_say(clean, firm, order):
            return order, SAME
        said = CHANGED if order is not None else CREATED
        if order is None:
            order = Order(source=clean.source, number=clean.number)
            db.session.add(order)
        order.user_id, order.organization_id = clean.user_id, firm
        order.state, order.currency, order.amount = clean.state, clean.currency, clean.amount or 0
        order.placed_at = clean.placed_at or order.placed_at or now()
        db.session.flush()
        _put_lines(order, clean.lines)
        if tell:
            settle({before[0], order.user_id}, {before[1], order.organization_id})
    return order, said


def set_state(order: Order, state: str, actor: User | None) -> Order:
    """Say that an order was paid, cancelled or returned: the last two count no more. Audited.

    Raises :class:`Invalid` (state) and NotAllowed.
    """
    require(actor, MANAGE)
    if state not in ORDER_STATES:
        raise Invalid("state", _("Choose one of the list."))
    with transaction():
        db.session.refresh(order, with_for_update={"of": type(order)})
        if order.state != state:
            order.state = state
            db.session.flush()
            audit("customers.order_changed", actor, order.number, {"order": order.id, "state": state})
            settle({order.user_id}, {order.organization_id})
    return order


def remove(order: Order, actor: User | None) -> None:
    """Take an order away, with its lines. Audited. Raises NotAllowed."""
    require(actor, MANAGE)
    with transaction():
        people, firms = {order.user_id}, {order.organization_id}
        audit("customers.order_removed", actor, order.number, {"order": order.id})
        db.session.execute(delete(OrderLine).where(OrderLine.order_id == order.id))
        db.session.expire(order, ["lines"])
        db.session.delete(order)
        db.session.flush()
        settle(people, firms)


def settle(user_ids: Iterable[int | None], organization_ids: Iterable[int | None]) -> None:
    """Count the value of these anew after their orders have changed, and tell plugins once. Inside the transaction."""
    people = sorted({number for number in user_ids if number is not None})
    firms = sorted({number for number in organization_ids if number is not None})
    worth.recount(PERSON, records.ensure_many(PERSON, people))
    worth.recount(ORGANIZATION, records.ensure_many(ORGANIZATION, firms))
    tell_products(people, firms)


def orders_of(subject: Subject, before: str = "", limit: int = 20) -> tuple[Sequence[Order], str]:
    """The orders of somebody with their lines, the newest first, and where the next page begins ("": nowhere).

    Two queries. A cursor that cannot be read begins at the start.
    """
    query = select(Order).where(is_of(subject, Order)).options(selectinload(Order.lines))
    if (place := read_cursor(before)) is not None:
        at, number = place
        query = query.where(or_(Order.placed_at < at, and_(Order.placed_at == at, Order.id < number)))
    rows = db.session.scalars(query.order_by(Order.placed_at.desc(), Order.id.desc()).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], write_cursor(last.placed_at, last.id) if last is not None else ""


def write_cursor(at: datetime, number: int) -> str:
    """A place in a list by moment and number, for an address."""
    return f"{at.isoformat()}~{number}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The place again; None for what is none."""
    moment, _tilde, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment.replace(" ", "+"))
        # A moment at the edge of all time may be none in UTC.
        at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None or not number.isascii() or not number.isdigit() or len(number) > 10:
        return None
    return (at, int(number)) if int(number) < 2**31 else None


def _clean(data: OrderData) -> OrderData:
    number = line(data.number, "number", NUMBER_LENGTH)
    if not number:
        raise Invalid("number", _("Write the number of the order."))
    currency = read_currency(data.currency)
    if data.state not in ORDER_STATES:
        raise Invalid("state", _("Choose one of the list."))
    if len(data.lines) > MOST_LINES:
        raise Invalid("lines", _("These are too many lines; %(number)s fit.", number=MOST_LINES))
    lines = [_clean_line(one) for one in data.lines]
    amount = sum(one.amount for one in lines) if data.amount is None else data.amount
    _check_amount(amount)
    if data.placed_at is not None and data.placed_at.tzinfo is None:
        raise Invalid("placed_at", _("Say in which time zone the order was placed."))
    source = line(data.source, "source", SOURCE_LENGTH)
    return OrderData(number, currency, lines, amount, data.placed_at, data.state, source, data.user_id,
                     data.organization_id)  # fmt: skip


def _clean_line(one: LineData) -> LineData:
    if not 0 < one.quantity <= MOST_PIECES:
        raise Invalid("quantity", _("Write a number of pieces from 1 to %(most)s.", most=MOST_PIECES))
    _check_amount(one.amount)
    return LineData(sku_key(one.sku), line(one.name, "name", NAME_LENGTH), one.quantity, one.amount)


def _check_amount(amount: int) -> None:
    if amount < 0:
        raise Invalid("amount", _("Amounts below zero are not taken; set the state of the order to returned instead."))
    if amount > MOST:
        raise Invalid("amount", _("This amount is more than fits."))


def _owners(data: OrderData) -> int | None:
    """Check that they are there; the number of the organization."""
    person = db.session.get(User, data.user_id) if data.user_id is not None else None
    if data.user_id is not None and person is None:
        raise Invalid("user_id", _("This person is not there."))
    firm = data.organization_id
    if firm is not None and db.session.get(Organization, firm) is None:
        raise Invalid("organization_id", _("This organization is not there."))
    return firm if firm is not None else person.organization_id if person is not None else None


def _owner_ids(order: Order | None) -> tuple[int | None, int | None]:
    return (order.user_id, order.organization_id) if order is not None else (None, None)


def _says(order: Order) -> tuple[object, ...]:
    lines = [(one.sku, one.name, one.quantity, one.amount) for one in order.lines]
    return order.user_id, order.organization_id, order.state, order.currency, order.amount, order.placed_at, lines


def _would_say(data: OrderData, firm: int | None, order: Order) -> tuple[object, ...]:
    lines = [(one.sku, one.name, one.quantity, one.amount) for one in data.lines]
    return data.user_id, firm, data.state, data.currency, data.amount, data.placed_at or order.placed_at, lines


def _put_lines(order: Order, lines: Sequence[LineData]) -> None:
    db.session.execute(delete(OrderLine).where(OrderLine.order_id == order.id))
    db.session.expire(order, ["lines"])
    for position, one in enumerate(lines, 1):
        db.session.add(OrderLine(order_id=order.id, position=position, sku=one.sku, name=one.name,
                                 quantity=one.quantity, amount=one.amount))  # fmt: skip
    db.session.flush()


def bought(user_ids: Iterable[int]) -> Mapping[int, set[str]]:
    """The article numbers that people have bought, by the person. One query."""
    ids = list(user_ids)
    query = select(Order.user_id, OrderLine.sku).join(OrderLine, OrderLine.order_id == Order.id)
    query = query.where(Order.user_id.in_(ids), Order.state.in_(COUNTED)).distinct()
    found: dict[int, set[str]] = {number: set() for number in ids}
    for owner, sku in db.session.execute(query):
        if owner is not None:
            found[owner].add(sku)
    return found
