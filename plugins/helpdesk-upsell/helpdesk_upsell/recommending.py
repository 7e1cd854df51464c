"""What fits a customer on a ticket now: what is suggested, what is held back, or why nothing is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date

from sqlalchemy import bindparam, select

from helpdesk.api import Ticket, UnknownHook, User, ask, db, language_of, now, settings, speaking
from helpdesk.api import gettext as _
from helpdesk_upsell import availability, prepared, profiles
from helpdesk_upsell.candidates import Candidate, candidates
from helpdesk_upsell.catalogue import in_language, word
from helpdesk_upsell.holdout import is_held
from helpdesk_upsell.models import Suggestion, Trial
from helpdesk_upsell.objections import Objection, objections
from helpdesk_upsell.prepared import Catalogue, Item, Quote
from helpdesk_upsell.reasons import Grounds, say
from helpdesk_upsell.settings import RecommendationSettings
from helpdesk_upsell.situations import situation

# So many products are named with the reason why they are left out.
_NAMED = 10
_GROUPS = select(Trial.key, Trial.held).where(
    Trial.user_id == bindparam("user"), Trial.key.in_(bindparam("keys", expanding=True))
)


@dataclass(frozen=True)
class Recommendation:
    """Something that fits, with all that an agent is shown of it."""

    product_id: int
    sku: str
    name: str
    rule_id: int | None
    # What it is counted under, and by what customers of it are drawn.
    key: str
    score: int
    parts: tuple[tuple[str, int], ...]
    # For the agent, in the reader's language; for the customer, in hers.
    reason: str
    pitch: str
    language: str
    amount: int
    list_amount: int
    currency: str
    period: str
    promotion_id: int | None
    # What the reason is made of.
    grounds: Grounds = ()
    held: bool = False


@dataclass
class Advice:
    """What there is to suggest on a ticket. Nothing, when there is an objection."""

    suggestions: list[Recommendation] = field(default_factory=list)
    # Those that fit and are not shown, so that the effect of the others can be seen.
    held: list[Recommendation] = field(default_factory=list)
    # Why nothing is suggested now, each reading on after “because”.
    objections: list[str] = field(default_factory=list)
    # Products that would fit but for one thing: name, and why not, reading on after it.
    left_out: list[tuple[str, str]] = field(default_factory=list)
    # What was shown on this ticket before.
    rows: list[Suggestion] = field(default_factory=list)
    reasons: list[Objection] = field(default_factory=list)


def is_ready() -> bool:
    """Whether the plugin with the customers is on."""
    try:
        return bool(ask("customers_is_on"))
    except UnknownHook:
        return False


def recommendations(ticket: Ticket, customer: User) -> Sequence[Recommendation]:
    """What fits a customer now, the best first; empty when something speaks against it. It only reads."""
    return advice(ticket, None, customer).suggestions


def advice(ticket: Ticket, user: User | None = None, customer: User | None = None) -> Advice:
    """What to suggest to the customer of a ticket, or why nothing. It only reads; nothing is measured by it."""
    customer = customer or ticket.requester
    if not is_ready():
        return Advice(objections=[_("customer records are switched off")])
    found = list(objections(ticket, customer))
    result = Advice(objections=[one.sentence for one in found], reasons=found)
    if found:
        return result
    _choose(result, ticket, customer)
    if not result.suggestions:
        result.objections = [_why_none(result)]
    return result


def _choose(result: Advice, ticket: Ticket, customer: User) -> None:
    today = now().astimezone(UTC).date()
    known, products, chosen = profiles.known(customer), prepared.catalogue(), settings(RecommendationSettings)
    seen = situation(ticket, known, today)
    currency, refused = known.currency or chosen.currency, availability.refused(customer.id)
    fitting: list[Candidate] = []
    for one in candidates(ticket, customer, seen, products):
        item = products.items.get(one.sku)
        why = availability.why_not(item, seen.owned, currency, refused, products, today)
        if not why:
            fitting.append(one)
            if len(fitting) == chosen.most:
                break
        elif len(result.left_out) < _NAMED:
            result.left_out.append((products.name(one.sku), why))
    # The places are given before anybody is held back: a place that is held back stays empty, or the two groups would
    # not be shown the same besides.
    drawn = _drawn(customer.id, [one.key for one in fitting])
    for one in fitting:
        percent = chosen.holdout if one.holdout is None else one.holdout
        held = drawn.get(one.key)
        if held is None:
            held = is_held(one.draw, customer.id, percent)
        made = _recommendation(one, products, ticket, currency, today, held)
        (result.held if held else result.suggestions).append(made)


def _drawn(user_id: int, keys: Sequence[str]) -> Mapping[str, bool]:
    """In which group a customer is already: it stays so, whatever share is held back later."""
    if not keys:
        return {}
    return {key: held for key, held in db.session.execute(_GROUPS, {"user": user_id, "keys": sorted(set(keys))})}


def _recommendation(
    one: Candidate, products: Catalogue, ticket: Ticket, currency: str, today: date, held: bool
) -> Recommendation:
    item = products.items[one.sku]
    quote, language = item.quote(currency, today), language_of(ticket)
    assert quote is not None, "What has no price was left out."
    return Recommendation(
        product_id=item.id, sku=item.sku, name=item.name(language), rule_id=one.rule.id if one.rule else None,
        key=one.key, score=one.score.fit, parts=one.score.parts, reason=say(one.grounds),
        grounds=one.grounds,
        pitch=_pitch(one, item, quote, language), language=language, amount=quote.amount,
        list_amount=quote.list_amount, currency=quote.currency, period=quote.period,
        promotion_id=quote.sale.id if quote.sale else None, held=held,
    )  # fmt: skip


def _pitch(one: Candidate, item: Item, quote: Quote, language: str) -> str:
    """What the customer reads, in her language: the rule's words, else the product's, else the usual ones."""
    words = one.pitch or (in_language(one.rule.pitches, language) if one.rule else "") or item.pitch(language)
    if not words:
        with speaking(language):
            words = _("We think that %(product)s could be useful to you.", product=item.name(language))
    sale = word(quote.sale.texts, language, "pitch") if quote.sale else ""
    return f"{words}\n{sale}" if sale else words


def _why_none(result: Advice) -> str:
    if result.held:
        return _("this customer is in the group to which nothing is shown, so that the effect can be measured")
    if not result.left_out:
        return _("no rule fits this customer and this ticket")
    name, why = result.left_out[0]
    # Translators: reads on after “because”; %(why)s is such as “is owned already”
    return _("%(product)s %(why)s", product=name, why=why)
