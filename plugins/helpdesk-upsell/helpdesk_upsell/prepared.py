"""The catalogue and the rules as plain data, kept in memory until somebody changes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from helpdesk.api import cached, db
from helpdesk_upsell.catalogue import is_sold, word
from helpdesk_upsell.models import REPLACES, REQUIRES, Price, Product, Promotion, Relation, Rule
from helpdesk_upsell.promotions import reduced


@dataclass(frozen=True)
class Sale:
    """A promotion."""

    id: int
    percent: int
    starts: date
    ends: date
    texts: Mapping[str, Any]


@dataclass(frozen=True)
class Quote:
    """A price on a day, with the promotion that makes it lower."""

    amount: int
    list_amount: int
    currency: str
    period: str
    sale: Sale | None


@dataclass
class Item:
    """A product. Relations are SKUs."""

    id: int
    sku: str
    kind: str
    category: str
    active: bool
    starts: date | None
    ends: date | None
    margin: int
    texts: Mapping[str, Any]
    prices: dict[tuple[str, str], int] = field(default_factory=dict)
    replaces: set[str] = field(default_factory=set)
    requires: set[str] = field(default_factory=set)
    goes_with: set[str] = field(default_factory=set)
    sales: list[Sale] = field(default_factory=list)

    def name(self, locale: str | None = None) -> str:
        """What it is called in a language."""
        return word(self.texts, locale, "name") or self.sku

    def pitch(self, locale: str | None = None) -> str:
        """What it is good for, in a language."""
        return word(self.texts, locale, "pitch")

    def is_sold(self, today: date) -> bool:
        """Whether it may be suggested on a day."""
        return is_sold(self.active, self.starts, self.ends, today)

    def quote(self, currency: str, today: date) -> Quote | None:
        """What it costs on a day in a currency; of several periods the one that asks for least at once."""
        found = [(amount, period) for (code, period), amount in self.prices.items() if code == currency]
        if not found:
            return None
        amount, period = min(found)
        best = max((one for one in self.sales if one.starts <= today <= one.ends), key=_percent, default=None)
        return Quote(reduced(amount, best.percent) if best else amount, amount, currency, period, best)


@dataclass
class Catalogue:
    """All products by their SKUs, and which come after which."""

    items: dict[str, Item]
    # By the SKU of a product those that replace it, and those that go with it, in either direction.
    followers: dict[str, set[str]]
    companions: dict[str, set[str]]

    def successors(self, sku: str) -> set[str]:
        """All that has come after a product, over any number of steps."""
        if sku not in self.followers:
            return set()
        found: set[str] = set()
        waiting = [sku]
        while waiting:
            fresh = self.followers.get(waiting.pop(), set()) - found
            found |= fresh
            waiting.extend(fresh)
        return found

    def name(self, sku: str, locale: str | None = None) -> str:
        """What a product is called; its SKU where the catalogue does not know it."""
        item = self.items.get(sku)
        return item.name(locale) if item is not None else sku


@dataclass(frozen=True)
class Ready:
    """A rule that is on."""

    id: int
    name: str
    kind: str
    sku: str
    conditions: Sequence[Mapping[str, Any]]
    weight: int
    holdout: int | None
    reasons: Mapping[str, str]
    pitches: Mapping[str, str]
    draw: str

    @property
    def key(self) -> str:
        """What it is counted under."""
        return f"rule:{self.id}"


def catalogue() -> Catalogue:
    """The catalogue of now."""
    return cached("upsell.catalogue", _read_catalogue)


def rules() -> Sequence[Ready]:
    """The rules that are on and were not stopped, in the order of their numbers."""
    return cached("upsell.rules", _read_rules)


def is_idle() -> bool:
    """Whether there is nothing to suggest to anybody: no rule is on."""
    return not rules()


def _read_catalogue() -> Catalogue:
    columns = (
        Product.id, Product.sku, Product.kind, Product.category, Product.active, Product.starts, Product.ends,
        Product.margin, Product.texts,
    )  # fmt: skip
    by_id: dict[int, Item] = {}
    for number, sku, kind, category, active, starts, ends, margin, texts in db.session.execute(select(*columns)):
        by_id[number] = Item(number, sku, kind, category, active, starts, ends, margin or 0, texts or {})
    prices = select(Price.product_id, Price.currency, Price.period, Price.amount)
    for number, currency, period, amount in db.session.execute(prices):
        by_id[number].prices[currency, period] = amount
    followers: dict[str, set[str]] = {}
    companions: dict[str, set[str]] = {}
    for number, kind, other in db.session.execute(select(Relation.product_id, Relation.kind, Relation.other_id)):
        one, two = by_id[number], by_id[other]
        if kind == REPLACES:
            one.replaces.add(two.sku)
            followers.setdefault(two.sku, set()).add(one.sku)
        elif kind == REQUIRES:
            one.requires.add(two.sku)
        else:
            one.goes_with.add(two.sku)
            companions.setdefault(two.sku, set()).add(one.sku)
            companions.setdefault(one.sku, set()).add(two.sku)
    for sale in db.session.scalars(select(Promotion).where(Promotion.active)):
        by_id[sale.product_id].sales.append(Sale(sale.id, sale.percent, sale.starts, sale.ends, sale.texts or {}))
    return Catalogue({item.sku: item for item in by_id.values()}, followers, companions)


def _read_rules() -> Sequence[Ready]:
    query = (
        select(Rule, Product.sku)
        .outerjoin(Product, Product.id == Rule.product_id)
        .where(Rule.active, Rule.stopped_at.is_(None))
        .order_by(Rule.id)
    )
    return [
        Ready(
            rule.id, rule.name, rule.kind, sku or "", rule.conditions or [], rule.weight, rule.holdout,
            rule.reasons or {}, rule.pitches or {}, rule.draw,
        )
        for rule, sku in db.session.execute(query)
    ]  # fmt: skip


def _percent(sale: Sale) -> int:
    return sale.percent
