"""The plugin's places on the desk's pages: beside tickets and people, on Home, in the navigation."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, String, cast, func, literal, null, select, union_all

from helpdesk.api import NavItem, Panel, Ticket, User, UtcDateTime, db, hookimpl, now, settings
from helpdesk.api import lazy_gettext as _l
from helpdesk_customers import birthdays, words
from helpdesk_customers.criteria import owned_on
from helpdesk_customers.models import COUNTED, Consent, Order, OrderLine, Ownership, Record, RecordTag, Worth
from helpdesk_customers.permissions import USE
from helpdesk_customers.settings import CustomerSettings

_PRODUCTS, _BIRTHDAYS = 4, 8


@dataclass
class Summary:
    """The parts of a record that stand beside a ticket."""

    tags: list[str] = field(default_factory=list)
    # Currency, revenue in minor units, number of orders, the last one.
    worths: list[tuple[str, int, int, datetime | None]] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    # Purpose and state.
    consents: dict[str, str] = field(default_factory=dict)
    contact_by: str = ""
    contact_at: str = ""
    salutation: str = ""
    birthday: int | None = None
    birth_year: int | None = None
    note: str = ""


@hookimpl
def nav_items() -> list[NavItem]:
    """Everybody's records."""
    return [NavItem(_l("Customer records"), "customers.index", icon="notes", permission=USE, order=20)]


@hookimpl
def ticket_panels(ticket: Ticket) -> list[Panel]:
    """The requester's record in short. One query."""
    context = {"one": summary(ticket.requester_id), "words": words}
    return [Panel(_l("Customer record"), "customers/ticket_panel.html", context, "user", USE, 20)]


@hookimpl
def user_panels(person: User) -> list[Panel]:
    """The record in short, with the way to all of it. One query."""
    if person.role != "requester" or person.is_service:
        return []
    context = {"one": summary(person.id), "words": words}
    return [Panel(_l("Customer record"), "customers/person_panel.html", context, "user", USE, 20)]


@hookimpl
def dashboard_widgets() -> list[Panel]:
    """Whose birthday it is soon, where somebody's is. One query."""
    days = settings(CustomerSettings).birthday_days
    rows = birthdays.upcoming(days, limit=_BIRTHDAYS) if days else []
    if not rows:
        return []
    context = {"rows": rows, "words": words, "today": now().date()}
    return [Panel(_l("Birthdays"), "customers/widget.html", context, "heart", USE, 60)]


def summary(user_id: int) -> Summary:
    """A record in short: its parts as rows of one query, each with its kind in front."""
    found = Summary()
    for kind, word, state, number, more, moment in db.session.execute(_parts(user_id)):
        if kind == "tag":
            found.tags.append(word)
        elif kind == "worth":
            found.worths.append((word, number, more, moment))
        elif kind == "product" and word not in found.products:
            found.products.append(word)
        elif kind == "consent":
            found.consents[word] = state
        elif kind == "contact":
            found.contact_by, found.contact_at = word, state
        elif kind == "about":
            found.salutation, found.note, found.birthday, found.birth_year = word, state, number, more
    found.tags.sort()
    found.worths.sort(key=lambda worth: worth[0])
    return found


def _parts(user_id: int) -> Any:
    mine = select(Record.id).where(Record.user_id == user_id).scalar_subquery()
    bought = (
        select(func.max(func.coalesce(func.nullif(OrderLine.name, ""), OrderLine.sku)).label("word"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.user_id == user_id, Order.state.in_(COUNTED))
        .group_by(OrderLine.sku)
        .order_by(func.max(Order.placed_at).desc(), OrderLine.sku)
        .limit(_PRODUCTS)
        .subquery()
    )
    owned = (
        select(func.coalesce(func.nullif(Ownership.name, ""), Ownership.sku).label("word"))
        .where(Ownership.user_id == user_id, owned_on(now().date()))
        .order_by(Ownership.id.desc())
        .limit(_PRODUCTS)
        .subquery()
    )
    about = Record.user_id == user_id
    return union_all(
        _part("tag", RecordTag.tag).where(RecordTag.record_id == mine),
        _part("worth", Worth.currency, number=Worth.revenue_ever, more=Worth.orders_ever, moment=Worth.last_at).where(
            Worth.record_id == mine
        ),
        _part("product", owned.c.word),
        _part("product", bought.c.word),
        _part("consent", Consent.purpose, state=Consent.state).where(Consent.user_id == user_id, Consent.newest),
        _part("contact", Record.contact_by, state=Record.contact_at).where(about),
        _part("about", Record.salutation, state=Record.note, number=Record.birthday, more=Record.birth_year).where(
            about
        ),
    )


def _part(
    kind: str, word: Any, state: Any = None, number: Any = None, more: Any = None, moment: Any = None
) -> Select[Any]:
    """One kind of rows; all kinds have the same columns, of the same types."""
    nothing = null()
    return select(
        literal(kind, String),
        cast(word, String),
        cast(nothing if state is None else state, String),
        cast(nothing if number is None else number, BigInteger),
        cast(nothing if more is None else more, BigInteger),
        cast(nothing, UtcDateTime) if moment is None else moment,
    )
