"""Take the catalogue in from a file: a row is a product with one price; several rows in a row are several prices."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpdesk_customers.api import BadRow, Batch, ImportColumn, ImportKind, Item, read_amount, sku_key
from sqlalchemy import select
from sqlalchemy.orm import aliased, selectinload

from helpdesk.api import Invalid, audit, db, default_locale, drop_cached, hookimpl, lazy_pgettext
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_upsell import cleaning
from helpdesk_upsell.catalogue import NAME_LENGTH, PITCH_LENGTH
from helpdesk_upsell.models import (
    GOES_WITH,
    KINDS,
    ONCE,
    PERIODS,
    RELATIONS,
    REPLACES,
    REQUIRES,
    Price,
    Product,
    Relation,
)
from helpdesk_upsell.permissions import MANAGE
from helpdesk_upsell.relations import leads_to

_SEPARATORS = re.compile(r"[|;；؛]")


@dataclass
class Row:
    """What a row says. Columns that are not there change nothing."""

    sku: str
    columns: dict[str, Any] = field(default_factory=dict)
    language: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    # Currency, period, amount.
    price: tuple[str, str, int] | None = None
    relations: list[tuple[str, str]] = field(default_factory=list)


def read(values: Mapping[str, str]) -> Row:
    """Read a row. Raises :class:`BadRow` with what is wrong."""
    try:
        return _read(values)
    except Invalid as error:
        raise BadRow(str(error)) from error


def store(items: Sequence[Item], batch: Batch) -> Mapping[int, str | BadRow]:
    """Write some rows. What is there is changed only when the batch overwrites; prices that lack are added always."""
    drop_cached()
    wanted = {item.value.sku for item in items}
    query = select(Product).where(Product.sku.in_(wanted)).options(selectinload(Product.prices))
    there = {one.sku: one for one in db.session.scalars(query)}
    ways = _Ways({sku for item in items for _kind, sku in item.value.relations} - wanted, wanted)
    done: dict[int, str | BadRow] = {}
    later: list[tuple[Product, str, str]] = []
    for item in items:
        row: Row = item.value
        problem = ways.refuse(row)
        if problem:
            done[item.row] = BadRow(problem)
            continue
        product = there.get(row.sku)
        is_new = product is None
        if product is None:
            product = there[row.sku] = Product(sku=row.sku, texts={}, prices=[])
            db.session.add(product)
        changed = _put(product, row, is_new or batch.overwrite)
        fresh = [(kind, sku) for kind, sku in row.relations if ways.add(row.sku, kind, sku)]
        later += [(product, kind, sku) for kind, sku in fresh]
        done[item.row] = "created" if is_new else "changed" if changed or fresh else "same"
    db.session.flush()
    _relate(later, there)
    audit("upsell.product_saved", batch.actor, _("Import"), {"rows": len(items)})
    return done


@hookimpl(optionalhook=True)
def customers_import_kinds() -> list[ImportKind]:
    """Products with prices and relations, on the page of imports."""
    return [
        ImportKind(
            name="upsell-products",
            label=_l("Products of the catalogue"),
            columns=_COLUMNS,
            read=read,
            store=store,
            permission=MANAGE,
            hint=_l("One row for each price of a product. Products that a row names are further up, or there already."),
            group=_group,
        )
    ]


_COLUMNS = (
    ImportColumn("sku", _l("SKU"), required=True, names=("article", "article number", "product id", "货号")),
    ImportColumn("name", lazy_pgettext("thing", "Name"), names=("title", "product", "名称")),
    ImportColumn("pitch", _l("Text for customers"), names=("description", "描述")),
    ImportColumn("language", _l("Language"), hint=_l("Of name and text; the desk's when there is none.")),
    ImportColumn("kind", _l("Kind"), hint=_l("product, plan or addon."), names=("type",)),
    ImportColumn("category", _l("Category"), names=("group", "类别")),
    ImportColumn("amount", _l("Price"), hint=_l("Such as 12.50."), names=("amount", "价格")),
    ImportColumn("currency", _l("Currency"), hint=_l("Such as EUR."), names=("货币",)),
    ImportColumn("period", _l("Period"), hint=_l("once, month or year.")),
    ImportColumn("margin", _l("Margin, in percent")),
    ImportColumn("starts", _l("First day"), hint=_l("Such as 2026-03-01.")),
    ImportColumn("ends", _l("Last day")),
    ImportColumn("url", _l("Address of its page"), names=("link",)),
    ImportColumn("replaces", _l("Replaces"), hint=_l("SKUs, with a semicolon between them.")),
    ImportColumn("requires", _l("Requires"), hint=_l("SKUs, with a semicolon between them.")),
    ImportColumn("goes_with", _l("Goes with"), hint=_l("SKUs, with a semicolon between them.")),
)


class _Ways:
    """What the relations of a batch name, and which way leads where, with those that are there already."""

    def __init__(self, others: set[str], wanted: set[str]) -> None:
        self.known = set(wanted)
        if others:
            self.known |= set(db.session.scalars(select(Product.sku).where(Product.sku.in_(others))))
        self.edges: dict[str, dict[str, set[str]]] = {kind: {} for kind in RELATIONS}
        self._is_read = False

    def refuse(self, row: Row) -> str:
        """Why the relations of a row cannot be; "" where they can."""
        if not row.relations:
            return ""
        self._read()
        for kind, sku in row.relations:
            if sku == row.sku:
                return _("A product cannot stand to itself. Choose another one.")
            if sku not in self.known:
                return _("There is no product with the SKU %(sku)s. Put it further up in the file.", sku=sku)
            if kind in (REPLACES, REQUIRES) and leads_to(sku, row.sku, self.edges[kind]):
                return _("%(other)s already leads back to %(sku)s, so this would be a circle.", other=sku, sku=row.sku)
        return ""

    def add(self, sku: str, kind: str, other: str) -> bool:
        """Take a relation in; whether it is new."""
        there = self.edges[kind].setdefault(sku, set())
        if other in there:
            return False
        there.add(other)
        return True

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        one, two = aliased(Product), aliased(Product)
        query = select(one.sku, Relation.kind, two.sku).join(one, one.id == Relation.product_id)
        for sku, kind, other in db.session.execute(query.join(two, two.id == Relation.other_id)):
            self.add(sku, kind, other)


def _put(product: Product, row: Row, over: bool) -> bool:
    """Write what the row says of the product itself; whether anything changed."""
    changed = False
    if over:
        for name, value in row.columns.items():
            if getattr(product, name) != value:
                setattr(product, name, value)
                changed = True
        texts = {**(product.texts or {})}
        if row.texts:
            texts[row.language] = {"name": "", "pitch": "", **texts.get(row.language, {}), **row.texts}
        if texts != product.texts:
            product.texts, changed = texts, True
    if row.price is None:
        return changed
    currency, period, amount = row.price
    price = next((one for one in product.prices if (one.currency, one.period) == (currency, period)), None)
    if price is None:
        product.prices.append(Price(currency=currency, period=period, amount=amount))
        return True
    if over and price.amount != amount:
        price.amount = amount
        return True
    return changed


def _relate(later: Sequence[tuple[Product, str, str]], there: Mapping[str, Product]) -> None:
    lacking = {sku for _product, _kind, sku in later} - there.keys()
    numbers = {sku: product.id for sku, product in there.items()}
    if lacking:
        query = select(Product.sku, Product.id).where(Product.sku.in_(lacking))
        numbers.update({sku: number for sku, number in db.session.execute(query)})
    db.session.add_all(
        [Relation(product_id=product.id, kind=kind, other_id=numbers[sku]) for product, kind, sku in later]
    )
    db.session.flush()


def _read(values: Mapping[str, str]) -> Row:
    row = Row(sku_key(values.get("sku", "")))
    if values.get("kind"):
        row.columns["kind"] = cleaning.one_of(values["kind"].strip().lower(), "kind", KINDS)
    if values.get("category"):
        row.columns["category"] = cleaning.line(values, "category", 80)
    for name in ("starts", "ends"):
        if values.get(name):
            row.columns[name] = cleaning.day(values[name], name)
    cleaning.days_in_order(row.columns.get("starts"), row.columns.get("ends"))
    if values.get("margin"):
        row.columns["margin"] = cleaning.number(values["margin"].rstrip(" %"), "margin", 0, 100)
    if values.get("url"):
        row.columns["url"] = cleaning.address(cleaning.line(values, "url", 500), "url")
    _read_texts(row, values)
    _read_price(row, values)
    for kind in (REPLACES, REQUIRES, GOES_WITH):
        row.relations += [(kind, sku_key(part)) for part in _SEPARATORS.split(values.get(kind, "")) if part.strip()]
    row.relations = list(dict.fromkeys(row.relations))
    return row


def _read_texts(row: Row, values: Mapping[str, str]) -> None:
    if values.get("name"):
        row.texts["name"] = cleaning.line(values, "name", NAME_LENGTH)
    if values.get("pitch"):
        if len(values["pitch"]) > PITCH_LENGTH:
            raise Invalid("pitch", _("This is too long; %(number)s characters fit.", number=PITCH_LENGTH))
        row.texts["pitch"] = values["pitch"].replace("\x00", "")
    row.language = cleaning.language(values["language"]) if values.get("language") else default_locale()


def _read_price(row: Row, values: Mapping[str, str]) -> None:
    if not values.get("amount"):
        return
    currency = cleaning.currency(values.get("currency"))
    period = cleaning.one_of((values.get("period") or ONCE).strip().lower(), "period", PERIODS)
    row.price = (currency, period, cleaning.amount(read_amount(values["amount"], currency)))


def _group(values: Mapping[str, str]) -> str:
    return " ".join(values.get("sku", "").upper().split())
