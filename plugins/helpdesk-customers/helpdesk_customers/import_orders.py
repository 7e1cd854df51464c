"""Orders from a file: a row for each line of an order, those of one order below one another."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, insert, select, update

from helpdesk.api import Invalid, db, now
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_customers import orders
from helpdesk_customers.fields import read_day
from helpdesk_customers.imports.addresses import read_address
from helpdesk_customers.imports.kinds import BadRow, Batch, ImportColumn, ImportKind, Item
from helpdesk_customers.imports.people import Person, find_firms, find_people, write_people
from helpdesk_customers.models import CANCELLED, ORDER_STATES, PAID, PLACED, RETURNED, Order, OrderLine
from helpdesk_customers.money import MOST, read_amount, read_currency, sku_key
from helpdesk_customers.texts import line

_COLUMNS = (
    ImportColumn("number", _l("Order number"), True, names=("order", "order id", "order no", "订单号", "订单编号")),
    ImportColumn("email", _l("E-mail"), names=("customer email", "mail", "email address", "邮箱")),
    ImportColumn("customer", _l("Customer"), names=("name", "customer name", "full name", "姓名", "客户")),
    ImportColumn("organization", _l("Organization"), names=("company", "account", "公司")),
    ImportColumn("placed_at", _l("Ordered on"), names=("date", "order date", "created at", "日期", "下单日期")),
    ImportColumn("state", _l("State"), names=("status", "order status", "状态")),
    ImportColumn("currency", _l("Currency"), True, names=("币种", "货币")),
    ImportColumn("sku", _l("Article number"), True, names=("sku", "item", "product id", "article", "货号", "商品编号")),
    ImportColumn("product", _l("Product"), names=("product name", "item name", "title", "商品", "商品名称")),
    ImportColumn("quantity", _l("Quantity"), names=("qty", "pieces", "数量")),
    ImportColumn("amount", _l("Amount of the line"), True, names=("amount", "line total", "price", "金额")),
    ImportColumn("total", _l("Amount of the order"), names=("total", "order total", "总额", "总金额")),
    ImportColumn("source", _l("Shop"), hint=_l("A name for the shop, where there are several."), names=("shop",)),
)
_STATES = {
    PLACED: ("placed", "open", "new", "pending", "processing", "已下单", "待付款"),
    PAID: ("paid", "completed", "complete", "shipped", "fulfilled", "delivered", "已付款", "已完成", "已发货"),
    CANCELLED: ("cancelled", "canceled", "void", "已取消"),
    RETURNED: ("returned", "refunded", "refund", "已退款", "已退货"),
}
_STATE_OF = {word: state for state, words in _STATES.items() for word in words}
_PIECES = re.compile(r"(\d{1,7})(?:[.,]0+)?")


@dataclass(frozen=True)
class LineRow:
    """What a row says: one line, and the order that it is of."""

    number: str
    source: str
    email: str
    customer: str
    organization: str
    placed_at: datetime | None
    state: str
    currency: str
    sku: str
    product: str
    quantity: int
    amount: int
    total: int | None


def orders_kind() -> ImportKind:
    """Orders by number."""
    return ImportKind(
        "customers-orders",
        _l("Orders"),
        _COLUMNS,
        read,
        store,
        hint=_l(
            "A row for each line of an order, those of one order below one another. An order becomes as it stands."
        ),
        group=group,
        finish=finish,
    )


def finish(texts: Sequence[str]) -> None:
    """Count the value of those whose orders have changed, and tell plugins: once for each in a whole file."""
    numbers = {kind: [int(text[1:]) for text in texts if text[0] == kind] for kind in "pf"}
    orders.settle(numbers["p"], numbers["f"])


def group(values: Mapping[str, str]) -> str:
    """What the lines of an order have in common."""
    return f"{values.get('source', '')[:40]}|{values.get('number', '')}"


def read(values: Mapping[str, str]) -> LineRow:
    """A row as it stands. Raises :class:`BadRow`."""
    try:
        currency = _currency(values["currency"])
        email = values.get("email", "")
        organization = line(values.get("organization", ""), "organization", orders.NAME_LENGTH)
        if not email and not organization:
            raise BadRow(_("Whose order is it? Write the e-mail address or the organization."))
        return LineRow(
            line(values["number"], "number", orders.NUMBER_LENGTH),
            line(values.get("source", ""), "source", orders.SOURCE_LENGTH),
            read_address(email) if email else "",
            line(values.get("customer", ""), "customer", orders.NAME_LENGTH),
            organization,
            _moment(values.get("placed_at", "")),
            _state(values.get("state", "")),
            currency,
            _sku(values["sku"]),
            line(values.get("product", ""), "name", orders.NAME_LENGTH),
            _pieces(values.get("quantity", "")),
            _amount(values["amount"], currency),
            _amount(values["total"], currency) if values.get("total") else None,
        )
    except Invalid as problem:
        raise BadRow(str(problem)) from None


def store(items: Sequence[Item], batch: Batch) -> Mapping[int, str | BadRow]:
    """Store the orders of some rows, in a number of statements that does not grow with them; value and facts once."""
    said: dict[int, str | BadRow] = {}
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    for key in list(groups):
        if problem := _problem(groups[key], key in batch.seen):
            said |= {item.row: BadRow(problem) for item in groups.pop(key)}
    firsts = [group[0].value for group in groups.values()]
    people = find_people({row.email: row.customer for row in reversed(firsts) if row.email})
    firms = find_firms(row.organization for row in firsts)
    wanted: dict[tuple[str, str], tuple[list[Item], dict[str, Any]]] = {}
    for group in groups.values():
        row = group[0].value
        person = people.get(row.email)
        if person is not None and not person.is_customer:
            problem = _("%(name)s works here, and is no customer.", name=person.display_name)
            said |= {item.row: BadRow(problem) for item in group}
            continue
        if person is not None:
            person.fill(name=row.customer)
        wanted[(row.source, row.number)] = (group, _columns(group, person, firms.get(row.organization)))
    write_people(people.values())
    for which, word in _write(wanted, batch.later).items():
        said |= {item.row: word for item in wanted[which][0]}
    return said


def _problem(group: Sequence[Item], is_apart: bool) -> str:
    first: LineRow = group[0].value
    if is_apart:
        return _("Rows of order %(number)s stand apart; put them below one another.", number=first.number)
    if len(group) > orders.MOST_LINES:
        return _("These are too many lines; %(number)s fit.", number=orders.MOST_LINES)
    currencies = sorted({item.value.currency for item in group})
    if len(currencies) > 1:
        return _(
            "Order %(number)s has amounts in %(currencies)s; an order has one currency.",
            number=first.number,
            currencies=", ".join(currencies),
        )
    for name in ("email", "organization", "state", "total", "placed_at"):
        if len({getattr(item.value, name) for item in group}) > 1:
            label = next(str(column.label) for column in _COLUMNS if column.key == name)
            values = {"number": first.number, "column": label}
            return _("The rows of order %(number)s say different things for “%(column)s”.", **values)
    if sum(item.value.amount for item in group) > MOST:
        return _("This amount is more than fits.")
    return ""


def _columns(group: Sequence[Item], person: Person | None, firm: int | None) -> dict[str, Any]:
    row: LineRow = group[0].value
    total = sum(item.value.amount for item in group) if row.total is None else row.total
    return {
        "source": row.source,
        "number": row.number,
        "user_id": person.id if person is not None else None,
        "organization_id": firm if firm is not None else person.organization_id if person is not None else None,
        "state": row.state,
        "currency": row.currency,
        "amount": total,
        "placed_at": row.placed_at,
    }


def _write(
    wanted: Mapping[tuple[str, str], tuple[list[Item], dict[str, Any]]], later: set[str]
) -> dict[tuple[str, str], str]:
    if not wanted:
        return {}
    there = _stored({number for _source, number in wanted})
    said: dict[tuple[str, str], str] = {}
    people: set[int | None] = set()
    firms: set[int | None] = set()
    new, changed = [], []
    for key, (group, columns) in wanted.items():
        order = there.get(key)
        if order is None:
            new.append({**columns, "placed_at": columns["placed_at"] or now(), "created_at": now()})
            said[key] = orders.CREATED
        elif order.says == _would_say(order.placed_at, columns, group):
            said[key] = orders.SAME
            continue
        else:
            people.add(order.user_id)
            firms.add(order.organization_id)
            changed.append({**columns, "id": order.id, "placed_at": columns["placed_at"] or order.placed_at})
            said[key] = orders.CHANGED
        people.add(columns["user_id"])
        firms.add(columns["organization_id"])
    ids = {key: order.id for key, order in there.items()}
    if new:
        db.session.execute(insert(Order.__table__), new)
        made = select(Order.source, Order.number, Order.id).where(Order.number.in_([row["number"] for row in new]))
        ids |= {(source, number): found for source, number, found in db.session.execute(made)}
    if changed:
        db.session.execute(update(Order), changed)
        old = delete(OrderLine).where(OrderLine.order_id.in_([row["id"] for row in changed]))
        db.session.execute(old.execution_options(synchronize_session=False))
    _write_lines({ids[key]: wanted[key][0] for key, word in said.items() if word != orders.SAME})
    later |= {f"p{number}" for number in people if number is not None}
    later |= {f"f{number}" for number in firms if number is not None}
    return said


def _write_lines(groups: Mapping[int, Sequence[Item]]) -> None:
    rows = [
        {"order_id": number, "position": position, "sku": item.value.sku, "name": item.value.product,
         "quantity": item.value.quantity, "amount": item.value.amount}
        for number, group in groups.items()
        for position, item in enumerate(group, 1)
    ]  # fmt: skip
    if rows:
        db.session.execute(insert(OrderLine.__table__), rows)


@dataclass
class _Stored:
    """An order as it is: plain columns, since thousands are compared."""

    id: int
    user_id: int | None
    organization_id: int | None
    placed_at: datetime
    says: tuple[Any, ...]


def _stored(numbers: Collection[str]) -> dict[tuple[str, str], _Stored]:
    """The orders of these numbers by source and number, locked. Two queries."""
    columns = (Order.id, Order.source, Order.number, Order.user_id, Order.organization_id, Order.state, Order.currency,
               Order.amount, Order.placed_at)  # fmt: skip
    query = select(*columns).where(Order.number.in_(numbers)).with_for_update(of=Order)
    rows = db.session.execute(query).all()
    lines: dict[int, list[tuple[Any, ...]]] = {row.id: [] for row in rows}
    if rows:
        said = (OrderLine.order_id, OrderLine.sku, OrderLine.name, OrderLine.quantity, OrderLine.amount)
        found = select(*said).where(OrderLine.order_id.in_(lines)).order_by(OrderLine.order_id, OrderLine.position)
        for number, *one in db.session.execute(found):
            lines[number].append(tuple(one))
    return {
        (row.source, row.number): _Stored(
            row.id, row.user_id, row.organization_id, row.placed_at, (*row[3:9], lines[row.id])
        )
        for row in rows
    }


def _would_say(placed_at: datetime, columns: Mapping[str, Any], group: Sequence[Item]) -> tuple[Any, ...]:
    lines = [(one.value.sku, one.value.product, one.value.quantity, one.value.amount) for one in group]
    known = tuple(columns[key] for key in ("user_id", "organization_id", "state", "currency", "amount"))
    return (*known, columns["placed_at"] or placed_at, lines)


# ---- cells, of which files have the same ones over and over


@lru_cache(32_768)
def _sku(text: str) -> str:
    return sku_key(text)


@lru_cache(16_384)
def _amount(text: str, currency: str) -> int:
    return read_amount(text, currency)


@lru_cache(256)
def _currency(text: str) -> str:
    return read_currency(text)


@lru_cache(4_096)
def _moment(text: str) -> datetime | None:
    """A day or a moment; without a zone it is one of UTC."""
    if not text:
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        found = datetime.fromisoformat(plain.replace("/", "-"))
    except ValueError:
        day: date = read_day(plain, "placed_at")
        found = datetime(day.year, day.month, day.day)
    if not 1970 <= found.year <= 9998:
        raise BadRow(_("“%(text)s” is no day of an order.", text=text[:40]))
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _state(text: str) -> str:
    if not text:
        return PAID
    found = _STATE_OF.get(text.casefold())
    if found is None:
        known = ", ".join(ORDER_STATES)
        raise BadRow(_("“%(text)s” is no state of an order; write one of %(states)s.", text=text[:40], states=known))
    return found


def _pieces(text: str) -> int:
    if not text:
        return 1
    found = _PIECES.fullmatch(unicodedata.normalize("NFKC", text))
    number = int(found[1]) if found else 0
    if not 0 < number <= orders.MOST_PIECES:
        raise BadRow(_("Write a number of pieces from 1 to %(most)s.", most=orders.MOST_PIECES))
    return number
