"""What could be suggested: by rules, by what is bought together, by the catalogue, by other plugins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from helpdesk_customers.api import sku_key

from helpdesk.api import Invalid, Ticket, User, cached, collect, settings
from helpdesk_upsell import conditions, prepared, scoring
from helpdesk_upsell.models import ONE, TOGETHER
from helpdesk_upsell.prepared import Catalogue, Ready
from helpdesk_upsell.reasons import Grounds
from helpdesk_upsell.scoring import MOST, Score
from helpdesk_upsell.settings import RecommendationSettings
from helpdesk_upsell.situations import Bought, Situation

Parts = Sequence[tuple[str, int]]
_REPLACES, _GOES_WITH = (("replaces", scoring.REPLACEMENT),), (("goes_with", scoring.COMPANION),)


@dataclass(frozen=True)
class Candidate:
    """Something that could be suggested. Its reason is said when it is shown."""

    sku: str
    key: str
    draw: str
    rule: Ready | None
    holdout: int | None
    score: Score
    grounds: Grounds
    pitch: str = ""


@dataclass(frozen=True)
class _Rule:
    """A rule that is on, taken apart once: what the product does not decide, and what it does."""

    rule: Ready
    others: Sequence[Mapping[str, Any]]
    about_product: Sequence[Mapping[str, Any]]
    base: Parts
    points: int


class _Offer(NamedTuple):
    """A product that fits by being bought with what she has, or by the catalogue."""

    sku: str
    parts: Parts
    points: int
    grounds: Grounds


# How well it fits; and the rule with the offer that says so, or what another plugin suggests.
_Found = tuple[int, _Rule | None, _Offer | None, Candidate | None]


def candidates(ticket: Ticket, customer: User, seen: Situation, products: Catalogue) -> Iterator[Candidate]:
    """The best candidate for each product, the best product first; nothing is left out yet. They are made one by one,
    since only the first few are looked at.
    """
    best: dict[str, _Found] = {}
    done: set[str] = set()
    for one in cached("upsell.taken_apart", _take_apart):
        # What the product does not decide is asked once, not for each product. A rule that is no stronger than one of
        # its kind that suggests all there is adds nothing.
        if one.rule.kind in done or not conditions.holds(one.others, seen, None):
            continue
        _add_rule(best, one, seen, products)
        if one.rule.kind != ONE and not one.about_product:
            done.add(one.rule.kind)
    for given in _by_plugins(ticket, customer, products):
        _put(best, given.sku, (given.score.fit, None, None, given))
    items = products.items
    for sku in sorted(best, key=lambda sku: (scoring.order(best[sku][0], items[sku].margin), sku)):
        _fit, found, offer, candidate = best[sku]
        yield candidate if found is None and candidate is not None else _candidate(found, offer, sku)


def _take_apart() -> Sequence[_Rule]:
    """The strongest rules of a kind first: they leave little to do for the others."""
    found = []
    for rule in prepared.rules():
        about_product = [one for one in rule.conditions if _is_about_product(one)]
        others = [one for one in rule.conditions if not _is_about_product(one)]
        base = scoring.of_rule(rule.weight, rule.conditions)
        found.append(_Rule(rule, others, about_product, base, sum(points for _part, points in base)))
    return sorted(found, key=lambda one: -one.points)


def _add_rule(best: dict[str, _Found], one: _Rule, seen: Situation, products: Catalogue) -> None:
    if one.rule.kind == ONE:
        item = products.items.get(one.rule.sku)
        if item is not None and conditions.holds(one.about_product, seen, item):
            _put(best, item.sku, (min(MOST, one.points), one, None, None))
        return
    for offer in _offers(one.rule.kind, seen, products):
        fit = min(MOST, one.points + offer.points)
        there = best.get(offer.sku)
        if there is not None and there[0] >= fit:
            continue
        if not one.about_product or conditions.holds(one.about_product, seen, products.items[offer.sku]):
            best[offer.sku] = (fit, one, offer, None)


def _put(best: dict[str, _Found], sku: str, found: _Found) -> None:
    there = best.get(sku)
    if there is None or found[0] > there[0]:
        best[sku] = found


def _candidate(one: _Rule | None, offer: _Offer | None, sku: str) -> Candidate:
    assert one is not None, "What no rule suggests was suggested by a plugin."
    rule, parts = one.rule, offer.parts if offer is not None else ()
    grounds: Grounds = ("conditions", sku, rule.conditions)
    if rule.reasons:
        grounds = ("texts", dict(rule.reasons))
    elif offer is not None:
        grounds = offer.grounds
    return Candidate(sku, rule.key, rule.draw, rule, rule.holdout, Score((*one.base, *parts)), grounds)


def _is_about_product(condition: Mapping[str, Any]) -> bool:
    return conditions.CONDITIONS[condition["what"]].group == conditions.PRODUCT


def _offers(kind: str, seen: Situation, products: Catalogue) -> Sequence[_Offer]:
    """What is bought with what she has, or what the catalogue says fits it; found once for all rules of a kind."""
    if kind not in seen.offers:
        seen.offers[kind] = list(_together(seen, products) if kind == TOGETHER else _by_catalogue(seen, products))
    found: Sequence[_Offer] = seen.offers[kind]
    return found


def _together(seen: Situation, products: Catalogue) -> Iterator[_Offer]:
    least = settings(RecommendationSettings).confidence_least / 100
    for row in seen.known.together:
        one = Bought(*row)
        if one.confidence < least:
            return
        if one.one in seen.owned and one.other not in seen.owned and one.other in products.items:
            parts = scoring.of_pair(one)
            grounds = ("together", one.one, one.other, one.together, one.confidence)
            yield _Offer(one.other, parts, sum(points for _part, points in parts), grounds)


def _by_catalogue(seen: Situation, products: Catalogue) -> Iterator[_Offer]:
    owned = seen.owned
    for sku in sorted(owned & products.followers.keys()):
        for newer in products.successors(sku) - owned:
            yield _Offer(newer, _REPLACES, scoring.REPLACEMENT, ("replaces", sku, newer))
    for sku in sorted(owned & products.companions.keys()):
        for other in products.companions[sku] - owned:
            yield _Offer(other, _GOES_WITH, scoring.COMPANION, ("goes_with", sku, other))


def _by_plugins(ticket: Ticket, customer: User, products: Catalogue) -> Iterator[Candidate]:
    """What other plugins would suggest; what is not as it should be is left out."""
    for given in collect("upsell_recommendations", ticket=ticket, customer=customer):
        try:
            sku, fit, reason = sku_key(str(given["sku"])), int(given["fit"]), str(given["reason"])
            source, pitch = str(given["source"])[:40], str(given.get("pitch") or "")
        except (TypeError, KeyError, ValueError, AttributeError, Invalid):
            continue
        if sku not in products.items or not 1 <= fit <= 50 or not reason:
            continue
        key = f"plugin:{source}"
        yield Candidate(sku, key, key, None, None, Score((("plugin", fit),)), ("said", reason), pitch)
