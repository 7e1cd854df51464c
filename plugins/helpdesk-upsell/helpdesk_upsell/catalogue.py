"""Change the catalogue, and look products up in it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from helpdesk_customers.api import COUNTED, Order, OrderLine, sku_key
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import selectinload

from helpdesk.api import Invalid, User, audit, db, drop_cached, fallbacks, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_upsell import cleaning
from helpdesk_upsell.models import KINDS, PERIODS, RELATIONS, Price, Product, Relation
from helpdesk_upsell.permissions import MANAGE
from helpdesk_upsell.relations import check, relate, unrelate

__all__ = [
    "by_sku", "by_skus", "find_product", "in_language", "key_of", "name_of", "products", "relate", "save_product",
    "save_texts", "set_price", "unknown_skus", "unrelate", "word",
]  # fmt: skip
NAME_LENGTH, PITCH_LENGTH, SKU_LENGTH = 200, 1_000, 64
_MOST_PRICES, _MOST_RELATIONS = 200, 500


def save_product(product: Product | None, values: Mapping[str, Any], actor: User | None) -> Product:
    """Add a product, or change what is given of one: columns of :class:`Product`, and whole ``texts``, ``prices``
    ([{currency, period, amount}]) and ``relations`` ([{kind, sku}]).

    One transaction, joined or opened. Raises :class:`Invalid` naming the field, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        is_new = product is None
        if product is None:
            product = Product(sku="", texts={})
            values = {"sku": "", **values}
        else:
            db.session.refresh(product, with_for_update={"of": type(product)})
        with db.session.no_autoflush:
            before = _prices(product)
            _put(product, values)
            if "prices" in values:
                _put_prices(product, values["prices"])
        if is_new:
            db.session.add(product)
        product.changed_at = now()
        db.session.flush()
        if "relations" in values:
            _put_relations(product, values["relations"])
        audit("upsell.product_saved", actor, product.sku, {"product": product.id, "new": is_new})
        if not is_new and _prices(product) != before:
            audit("upsell.price_changed", actor, product.sku, {"product": product.id})
    return product


def save_texts(product: Product, locale: str, texts: Mapping[str, str], actor: User | None) -> Product:
    """Keep its name and pitch in one language; the others stay. Raises :class:`Invalid` and :class:`NotAllowed`."""
    return save_product(product, {"texts": {**(product.texts or {}), locale: dict(texts)}}, actor)


def set_price(product: Product, currency: str, period: str, amount: int, actor: User | None) -> Price:
    """Give it a price in a currency for a period. Offers that are out keep theirs. Raises :class:`Invalid`."""
    require(actor, MANAGE)
    code, period = cleaning.currency(currency), cleaning.one_of(period, "period", PERIODS)
    minor = cleaning.amount(amount)
    with transaction():
        drop_cached()
        db.session.refresh(product, with_for_update={"of": type(product)})
        price = next((one for one in product.prices if (one.currency, one.period) == (code, period)), None)
        if price is None:
            price = Price(currency=code, period=period, amount=minor)
            product.prices.append(price)
        price.amount = minor
        db.session.flush()
        audit("upsell.price_changed", actor, product.sku, {"product": product.id, "currency": code, "amount": minor})
    return price


def find_product(number: int) -> Product | None:
    """One product with all that belongs to it."""
    return db.session.scalar(select(Product).where(Product.id == number).options(*_whole()))


def key_of(sku: str) -> str:
    """A SKU as orders have it; "" for one that nobody can have."""
    try:
        return sku_key(sku)
    except Invalid:
        return ""


def by_sku(sku: str) -> Product | None:
    """The product with a SKU, however it is written."""
    key = key_of(sku)
    return db.session.scalar(select(Product).where(Product.sku == key).options(*_whole())) if key else None


def by_skus(skus: Sequence[str]) -> Mapping[str, Product]:
    """Some products by their SKUs, without their prices."""
    keys = {key_of(sku) for sku in skus} - {""}
    if not keys:
        return {}
    return {one.sku: one for one in db.session.scalars(select(Product).where(Product.sku.in_(keys)))}


def products(
    text: str = "",
    kind: str | None = None,
    active: bool | None = None,
    category: str | None = None,
    after: str | None = None,
    most: int = 50,
) -> Sequence[Product]:
    """Products in the order of their SKUs, from the one behind ``after`` on; two queries however many."""
    query = select(Product).order_by(Product.sku).limit(most).options(selectinload(Product.prices))
    if text.strip():
        wanted = f"%{_plain(text.strip())}%"
        named = func.lower(db.cast(Product.texts, db.Text)).like(wanted.lower(), escape="\\")
        query = query.where(or_(Product.sku.like(wanted.upper(), escape="\\"), named))
    if kind is not None:
        query = query.where(Product.kind == kind)
    if active is not None:
        query = query.where(Product.active.is_(active))
    if category is not None:
        query = query.where(Product.category == category)
    if after is not None:
        query = query.where(Product.sku > after)
    return db.session.scalars(query).all()


def unknown_skus(after: str = "", most: int = 50) -> Sequence[tuple[str, str, int]]:
    """SKUs in orders that the catalogue does not know, each with a name from the orders and in how many lines."""
    known = exists().where(Product.sku == OrderLine.sku)
    query = (
        select(OrderLine.sku, func.max(OrderLine.name), func.count())
        .join(Order, Order.id == OrderLine.order_id)
        .where(~known, OrderLine.sku > after, Order.state.in_(COUNTED))
        .group_by(OrderLine.sku)
        .order_by(OrderLine.sku)
        .limit(most)
    )
    return [(sku, name or "", lines) for sku, name, lines in db.session.execute(query)]


def in_language(texts: Mapping[str, str], locale: str | None) -> str:
    """A text in a language, or in the next one that there is; "" where there is none."""
    return next((texts[code] for code in (*fallbacks(locale), *texts) if texts.get(code)), "")


def word(texts: Mapping[str, Any], locale: str | None, what: str) -> str:
    """The same of texts of several kinds: the one of that kind."""
    return in_language({code: str((of_it or {}).get(what) or "") for code, of_it in texts.items()}, locale)


def name_of(product: Product, locale: str | None = None) -> str:
    """What it is called in a language; its SKU where nobody has named it."""
    return word(product.texts or {}, locale, "name") or product.sku


def is_sold(active: bool, starts: date | None, ends: date | None, today: date) -> bool:
    """Whether it may be suggested on a day."""
    return active and (starts is None or starts <= today) and (ends is None or today <= ends)


def _put(product: Product, values: Mapping[str, Any]) -> None:
    if "sku" in values:
        _put_sku(product, values)
    if "kind" in values:
        product.kind = cleaning.one_of(values["kind"], "kind", KINDS)
    if "category" in values:
        product.category = cleaning.line(values, "category", 80)
    if "active" in values:
        product.active = bool(values["active"])
    for field in ("starts", "ends"):
        if field in values:
            setattr(product, field, cleaning.day(values[field], field))
    cleaning.days_in_order(product.starts, product.ends)
    if "margin" in values:
        given = values["margin"]
        product.margin = None if given in (None, "") else cleaning.number(given, "margin", 0, 100)
    if "url" in values:
        text = cleaning.line(values, "url", 500)
        product.url = cleaning.address(text, "url") if text else ""
    if "texts" in values:
        product.texts = _clean_texts(values["texts"])


def _put_sku(product: Product, values: Mapping[str, Any]) -> None:
    sku = sku_key(cleaning.line(values, "sku", SKU_LENGTH, _("Give the SKU by which orders name it.")))
    if len(sku) > SKU_LENGTH:
        raise Invalid("sku", _("This is too long; %(number)s characters fit.", number=SKU_LENGTH))
    taken = db.session.scalar(select(Product.id).where(Product.sku == sku))
    if taken is not None and taken != product.id:
        raise Invalid("sku", _("There is a product with this SKU already. Change that one, or give another SKU."))
    product.sku = sku


def _clean_texts(given: Any) -> dict[str, dict[str, str]]:
    if not isinstance(given, Mapping):
        raise Invalid("texts", _("Give a text for each language."))
    found: dict[str, dict[str, str]] = {}
    for code, texts in given.items():
        name = cleaning.line(texts, "name", NAME_LENGTH)
        pitch = str(texts.get("pitch") or "").replace("\x00", "").strip()
        if len(pitch) > PITCH_LENGTH:
            raise Invalid("texts", _("This is too long; %(number)s characters fit.", number=PITCH_LENGTH))
        if name or pitch:
            found[cleaning.language(code)] = {"name": name, "pitch": pitch}
    return found


def _prices(product: Product) -> dict[tuple[str, str], int]:
    return {(one.currency, one.period): one.amount for one in product.prices}


def _put_prices(product: Product, given: Sequence[Mapping[str, Any]]) -> None:
    wanted: dict[tuple[str, str], int] = {}
    if len(given) > _MOST_PRICES:
        raise Invalid("prices", _("A product has at most %(number)s prices.", number=_MOST_PRICES))
    for one in given:
        key = (cleaning.currency(one.get("currency")), cleaning.one_of(one.get("period") or "once", "period", PERIODS))
        if key in wanted:
            raise Invalid("prices", _("There are two prices in %(currency)s for the same period.", currency=key[0]))
        wanted[key] = cleaning.amount(one.get("amount"))
    there = {(one.currency, one.period): one for one in product.prices}
    for key, price in there.items():
        if key not in wanted:
            product.prices.remove(price)
    for key, minor in wanted.items():
        if key in there:
            there[key].amount = minor
        else:
            product.prices.append(Price(currency=key[0], period=key[1], amount=minor))


def _put_relations(product: Product, given: Sequence[Mapping[str, Any]]) -> None:
    if len(given) > _MOST_RELATIONS:
        raise Invalid("relations", _("A product has at most %(number)s relations.", number=_MOST_RELATIONS))
    found = by_skus([str(one.get("sku") or "") for one in given])
    wanted: dict[str, dict[int, Product]] = {}
    for one in given:
        kind, sku = cleaning.one_of(one.get("kind"), "relations", RELATIONS), sku_key(str(one.get("sku") or ""))
        other = found.get(sku)
        if other is None:
            raise Invalid("relations", _("There is no product with the SKU %(sku)s.", sku=sku))
        wanted.setdefault(kind, {})[other.id] = other
    db.session.execute(delete(Relation).where(Relation.product_id == product.id))
    for kind, others in wanted.items():
        try:
            check(product, kind, others.values())
        except Invalid as error:
            raise Invalid("relations", str(error)) from error
        db.session.add_all([Relation(product_id=product.id, kind=kind, other_id=number) for number in others])
        db.session.flush()
    db.session.expire(product, ["relations"])


def _whole() -> list[Any]:
    return [selectinload(Product.prices), selectinload(Product.relations).joinedload(Relation.other)]


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
