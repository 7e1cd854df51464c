"""What could be suggested: by rules, by what is bought together, by the catalogue, by other plugins."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import format_percent
from helpdesk_customers.api import sku_key
from sqlalchemy import select

from helpdesk.api import Invalid, Ticket, User, collect, db, fallbacks, settings
from helpdesk.api import gettext as _
from helpdesk_upsell import conditions, scoring
from helpdesk_upsell.models import ONE, TOGETHER, Pair
from helpdesk_upsell.prepared import Catalogue, Ready
from helpdesk_upsell.scoring import Score
from helpdesk_upsell.settings import RecommendationSettings
from helpdesk_upsell.situations import Situation

_MOST_PAIRS, _MOST_WORDS = 200, 500
Parts = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Candidate:
    """Something that could be suggested. Its reason is made when it is shown."""

    sku: str
    key: str
    draw: str
    rule: Ready | None
    holdout: int | None
    score: Score
    reason: Callable[[], str]
    pitch: str = ""


def candidates(ticket: Ticket, customer: User, seen: Situation, rules: Sequence[Ready], products: Catalogue) -> list[
    Candidate
]:  # fmt: skip
    """The best candidate for each product, the best product first; nothing is left out yet."""
    best: dict[str, Candidate] = {}
    found = [*_by_rules(seen, rules, products), *_by_plugins(ticket, customer, products)]
    for one in found:
        there = best.get(one.sku)
        if there is None or one.score.order < there.score.order:
            best[one.sku] = one
    return sorted(best.values(), key=lambda one: (*one.score.order, one.sku))


def _by_rules(seen: Situation, rules: Sequence[Ready], products: Catalogue) -> Iterator[Candidate]:
    pairs: Sequence[Pair] | None = None
    for rule in rules:
        about_product = [one for one in rule.conditions if _is_about_product(one)]
        others = [one for one in rule.conditions if not _is_about_product(one)]
        # What the product does not decide is asked once, not for each product.
        if not conditions.holds(others, seen, None):
            continue
        base = scoring.of_rule(rule.weight, rule.conditions)
        if rule.kind == ONE:
            item = products.items.get(rule.sku)
            if item is not None and conditions.holds(about_product, seen, item):
                yield _candidate(rule, base, rule.sku, [], products, _Because(rule))
            continue
        if rule.kind == TOGETHER:
            pairs = _pairs(seen.owned) if pairs is None else pairs
            offers = list(_together(pairs, products))
        else:
            offers = list(_by_catalogue(seen.owned, products))
        for sku, parts, reason in offers:
            item = products.items.get(sku)
            if sku not in seen.owned and item is not None and conditions.holds(about_product, seen, item):
                yield _candidate(rule, base, sku, parts, products, reason)


def _candidate(
    rule: Ready, base: Parts, sku: str, parts: Parts, products: Catalogue, reason: Callable[[], str]
) -> Candidate:
    score = Score((*base, *parts), products.items[sku].margin)
    if rule.reasons:
        reason = _Said(in_language(rule.reasons, None))
    return Candidate(sku, rule.key, rule.draw, rule, rule.holdout, score, reason)


def _is_about_product(condition: Mapping[str, Any]) -> bool:
    return conditions.CONDITIONS[condition["what"]].group == conditions.PRODUCT


class _Because:
    """Why a rule fits, made of its conditions."""

    def __init__(self, rule: Ready) -> None:
        self._rule = rule

    def __call__(self) -> str:
        names = conditions.Names()
        name = names.products.name(self._rule.sku)
        given = [conditions.words(one, names) for one in self._rule.conditions]
        if not given:
            return _("%(product)s is suggested to everybody.", product=name)
        return _("%(product)s fits because %(conditions)s.", product=name, conditions=conditions.both(given))


Offer = tuple[str, list[tuple[str, int]], Callable[[], str]]


def _pairs(owned: set[str]) -> Sequence[Pair]:
    """What is bought with what she has, the surest first."""
    if not owned:
        return []
    chosen = settings(RecommendationSettings)
    # With more products than this nobody can say which of them it was.
    query = select(Pair).where(
        Pair.sku_a.in_(sorted(owned)[:_MOST_WORDS]), Pair.sku_b.not_in(sorted(owned)[:_MOST_WORDS])
    )
    confidence = Pair.together * 100 >= Pair.count_a * chosen.confidence_least
    return db.session.scalars(
        query.where(confidence).order_by((Pair.together * 1.0 / Pair.count_a).desc(), Pair.id).limit(_MOST_PAIRS)
    ).all()


def _together(pairs: Sequence[Pair], products: Catalogue) -> Iterator[Offer]:
    for pair in pairs:
        yield (
            pair.sku_b,
            scoring.of_pair(pair),
            _Together(pair.sku_a, pair.sku_b, pair.confidence, pair.together, products),
        )


@dataclass(frozen=True)
class _Together:
    one: str
    other: str
    confidence: float
    together: int
    products: Catalogue

    def __call__(self) -> str:
        share = format_percent(self.confidence, "#,##0%")
        return _(
            "%(share)s of those who bought %(one)s also bought %(other)s: together %(number)s times.",
            share=share,
            one=self.products.name(self.one),
            other=self.products.name(self.other),
            number=self.together,
        )


def _by_catalogue(owned: set[str], products: Catalogue) -> Iterator[Offer]:
    for sku in sorted(owned & products.followers.keys()):
        for newer in products.successors(sku) - owned:
            yield newer, [("replaces", scoring.REPLACEMENT)], _Related(sku, newer, True, products)
    for sku in sorted(owned & products.companions.keys()):
        for other in products.companions[sku] - owned:
            yield other, [("goes_with", scoring.COMPANION)], _Related(sku, other, False, products)


@dataclass(frozen=True)
class _Related:
    owned: str
    other: str
    replaces: bool
    products: Catalogue

    def __call__(self) -> str:
        one, other = self.products.name(self.owned), self.products.name(self.other)
        if self.replaces:
            return _("%(other)s replaces %(one)s, which the customer owns.", other=other, one=one)
        return _("%(other)s goes with %(one)s, which the customer owns.", other=other, one=one)


def _by_plugins(ticket: Ticket, customer: User, products: Catalogue) -> Iterator[Candidate]:
    """What other plugins would suggest; what is not as it should be is left out."""
    for given in collect("upsell_recommendations", ticket=ticket, customer=customer):
        try:
            sku, fit, reason = sku_key(str(given["sku"])), int(given["fit"]), str(given["reason"])
            source, pitch = str(given["source"])[:40], str(given.get("pitch") or "")
        except (TypeError, KeyError, ValueError, AttributeError, Invalid):
            continue
        item = products.items.get(sku)
        if item is None or not 1 <= fit <= 50 or not reason:
            continue
        key = f"plugin:{source}"
        yield Candidate(sku, key, key, None, None, Score((("plugin", fit),), item.margin), _Said(reason), pitch)


@dataclass(frozen=True)
class _Said:
    text: str

    def __call__(self) -> str:
        return self.text


def in_language(texts: Mapping[str, str], locale: str | None) -> str:
    """A text in a language, or in the next one that there is; "" where there is none."""
    if not texts:
        return ""
    for code in fallbacks(locale):
        if texts.get(code):
            return texts[code]
    return next(iter(texts.values()), "")
