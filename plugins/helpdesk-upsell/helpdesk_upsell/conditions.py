"""The conditions of rules: each is one kind of value, one test, and one sentence that anybody can read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from babel.lists import format_list
from flask_babel import get_locale
from helpdesk_customers.api import segments, sku_key
from sqlalchemy import select

from helpdesk.api import Invalid, Team, TicketType, Topic, db, language_name, ngettext, pgettext
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_upsell import amounts, cleaning
from helpdesk_upsell.catalogue import by_skus
from helpdesk_upsell.models import KINDS
from helpdesk_upsell.prepared import Catalogue, Item, catalogue
from helpdesk_upsell.situations import Situation

CUSTOMER, PRODUCT, TICKET = "customer", "product", "ticket"
GROUPS = (CUSTOMER, PRODUCT, TICKET)
MOST, MOST_VALUES, LONGEST_DAYS = 20, 50, 3_650
# What a value is: some of a kind, a number, or several parts.
SKUS, SEGMENTS, LANGUAGES, TOPICS, TYPES, TEAMS, TEXTS, KIND, COUNT, DAYS, MONEY, SKU_DAYS, YES = (
    "skus", "segments", "languages", "topics", "types", "teams", "texts", "kinds", "count", "days", "money",
    "skus_days", "yes",
)  # fmt: skip


class Names:
    """What numbers in conditions are called; each kind is asked for once, when it is needed first."""

    def __init__(self, locale: str | None = None) -> None:
        self.locale = locale

    @cached_property
    def products(self) -> Catalogue:
        """The catalogue."""
        return catalogue()

    @cached_property
    def segments(self) -> Mapping[int, str]:
        """Segments of customers."""
        return {one.id: one.name for one in segments()}

    @cached_property
    def topics(self) -> Mapping[int, str]:
        """Topics of tickets."""
        return {number: name for number, name in db.session.execute(select(Topic.id, Topic.name))}

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Types of tickets, by their keys."""
        return {key: name for key, name in db.session.execute(select(TicketType.key, TicketType.name))}

    @cached_property
    def teams(self) -> Mapping[int, str]:
        """Teams."""
        return {number: name for number, name in db.session.execute(select(Team.id, Team.name))}

    def skus(self, values: Sequence[str]) -> str:
        """“Basic plan or Plus plan”."""
        return either([self.products.name(sku, self.locale) for sku in values])


@dataclass(frozen=True)
class Condition:
    """One kind of condition."""

    # One of GROUPS.
    group: str
    label: Any
    # One of the kinds above.
    kind: str
    holds: Callable[[Any, Situation, Item | None], bool]
    words: Callable[[Any, Names], str]


def either(words: Sequence[str]) -> str:
    """“A, B or C”, in the reader's language."""
    return str(format_list(list(words), style="or", locale=_locale()))


def both(words: Sequence[str]) -> str:
    """“A, B and C”, in the reader's language. These are clauses: Chinese joins them by commas alone."""
    if _locale().startswith("zh"):
        return "，".join(words)
    return str(format_list(list(words), locale=_locale()))


def holds(given: Sequence[Mapping[str, Any]], situation: Situation, item: Item | None) -> bool:
    """Whether all conditions hold. Those about the product hold for no product at all (``item`` is None)."""
    return all(CONDITIONS[one["what"]].holds(one["value"], situation, item) for one in given)


def words(condition: Mapping[str, Any], names: Names) -> str:
    """What a condition says, as a part of a sentence: “the customer owns Basic plan”."""
    return CONDITIONS[condition["what"]].words(condition["value"], names)


def clean(given: Any) -> list[dict[str, Any]]:
    """Conditions as they are stored. Raises :class:`Invalid` (conditions) with what is wrong."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Invalid("conditions", _("Give a list of conditions."))
    if len(given) > MOST:
        raise Invalid("conditions", _("A rule has at most %(number)s conditions.", number=MOST))
    found: list[dict[str, Any]] = []
    for one in given:
        what = one.get("what") if isinstance(one, Mapping) else None
        if not isinstance(what, str) or what not in CONDITIONS:
            raise Invalid("conditions", _("There is no such condition."))
        try:
            value = _CLEAN[CONDITIONS[what].kind](one.get("value"))
        except Invalid as error:
            label = str(CONDITIONS[what].label)
            raise Invalid("conditions", _("%(label)s: %(problem)s", label=label, problem=str(error))) from error
        cleaned = {"what": what, "value": value}
        if cleaned not in found:
            found.append(cleaned)
    _look_up(found)
    return found


# ---- what values may be


def _values(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = [part.strip() for part in value.replace("，", ",").split(",")]
    if not isinstance(value, Sequence):
        raise Invalid("conditions", _("Choose something."))
    found = [one for one in dict.fromkeys(value) if one not in ("", None)]
    if not found:
        raise Invalid("conditions", _("Choose something."))
    if len(found) > MOST_VALUES:
        raise Invalid("conditions", _("Choose at most %(number)s.", number=MOST_VALUES))
    return found


def _skus(value: Any) -> list[str]:
    return list(dict.fromkeys(sku_key(str(one)) for one in _values(value)))


def _numbers(value: Any) -> list[int]:
    return [cleaning.number(one, "conditions", 1, 2**62) for one in _values(value)]


def _texts(value: Any) -> list[str]:
    found = [" ".join(str(one).replace("\x00", "").split()).casefold()[:100] for one in _values(value)]
    return list(dict.fromkeys(text for text in found if text))


def _money(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid("conditions", _("Give an amount and its currency."))
    return {
        "amount": cleaning.amount(value.get("amount"), "conditions"),
        "currency": cleaning.currency(value.get("currency"), "conditions"),
    }


def _sku_days(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid("conditions", _("Choose a product, and give a number of days."))
    return {"skus": _skus(value.get("skus")), "days": _days(value.get("days"))}


def _days(value: Any) -> int:
    return cleaning.number(value, "conditions", 1, LONGEST_DAYS)


def _count(value: Any) -> int:
    return cleaning.number(value, "conditions", 1, 1_000_000)


def _kinds(value: Any) -> list[str]:
    return [cleaning.one_of(one, "conditions", KINDS) for one in _values(value)]


def _languages(value: Any) -> list[str]:
    return [cleaning.language(one, "conditions") for one in _values(value)]


_CLEAN: Mapping[str, Callable[[Any], Any]] = {
    SKUS: _skus, SEGMENTS: _numbers, LANGUAGES: _languages, TOPICS: _numbers, TYPES: _texts, TEAMS: _numbers,
    TEXTS: _texts, KIND: _kinds, COUNT: _count, DAYS: _days, MONEY: _money, SKU_DAYS: _sku_days,
    YES: lambda value: True,
}  # fmt: skip


def _look_up(found: Sequence[Mapping[str, Any]]) -> None:
    """Products that conditions name are in the catalogue: a misspelt one would never hold."""
    wanted: set[str] = set()
    for one in found:
        kind = CONDITIONS[one["what"]].kind
        if kind in (SKUS, SKU_DAYS):
            wanted |= set(one["value"] if kind == SKUS else one["value"]["skus"])
    unknown = sorted(wanted - by_skus(sorted(wanted)).keys())
    if unknown:
        raise Invalid(
            "conditions", _("There is no product with the SKU %(sku)s. Add it to the catalogue first.", sku=unknown[0])
        )


# ---- what holds


def _is_below(language: str, wanted: str) -> bool:
    """Whether a language is the wanted one or a form of it: pt_BR is Portuguese."""
    return language == wanted or language.startswith(f"{wanted}_")


def _owned_for(value: Mapping[str, Any], seen: Situation) -> bool:
    latest = (seen.today - timedelta(days=value["days"])).isoformat()
    for sku in value["skus"]:
        since = seen.known.owned.get(sku, [None])[0]
        if sku in seen.owned and since is not None and since <= latest:
            return True
    return False


def _ends_within(value: Mapping[str, Any], seen: Situation) -> bool:
    last = (seen.today + timedelta(days=value["days"])).isoformat()
    for sku in value["skus"]:
        until = seen.known.owned.get(sku, [None, None])[1]
        if sku in seen.owned and until is not None and until <= last:
            return True
    return False


def _ordered_since(days: int, seen: Situation) -> bool:
    last = seen.known.last_order
    return last is not None and date.fromisoformat(last) >= seen.today - timedelta(days=days)


def _on_sale(seen: Situation, item: Item | None) -> bool:
    return item is not None and any(one.starts <= seen.today <= one.ends for one in item.sales)


def _costs_most(value: Mapping[str, Any], seen: Situation, item: Item | None) -> bool:
    quote = item.quote(value["currency"], seen.today) if item is not None else None
    return quote is not None and quote.amount <= value["amount"]


def _named(numbers: Sequence[Any], names: Mapping[Any, str]) -> str:
    return either([names.get(one) or str(one) for one in numbers])


def _price(value: Mapping[str, Any]) -> str:
    return amounts.show(value["amount"], value["currency"])


def _days_words(days: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", days)


def _quoted(word: str) -> str:
    return pgettext("quoted", "“%(word)s”", word=word)


def _locale() -> str:
    return str(get_locale() or "en")


CONDITIONS: Mapping[str, Condition] = {
    "owns": Condition(
        CUSTOMER, _l("Owns one of"), SKUS,
        lambda value, seen, item: not seen.owned.isdisjoint(value),
        lambda value, names: _("the customer owns %(products)s", products=names.skus(value)),
    ),
    "owns_not": Condition(
        CUSTOMER, _l("Owns none of"), SKUS,
        lambda value, seen, item: seen.owned.isdisjoint(value),
        lambda value, names: _("the customer does not own %(products)s", products=names.skus(value)),
    ),
    "segment": Condition(
        CUSTOMER, _l("Is in one of the segments"), SEGMENTS,
        lambda value, seen, item: not set(value).isdisjoint(seen.known.segments),
        lambda value, names: _("the customer is in the segment %(segments)s", segments=_named(value, names.segments)),
    ),
    "segment_not": Condition(
        CUSTOMER, _l("Is in none of the segments"), SEGMENTS,
        lambda value, seen, item: set(value).isdisjoint(seen.known.segments),
        lambda value, names: _(
            "the customer is not in the segment %(segments)s", segments=_named(value, names.segments)
        ),
    ),
    "language": Condition(
        CUSTOMER, _l("Is answered in one of"), LANGUAGES,
        lambda value, seen, item: any(_is_below(seen.language, one) for one in value),
        lambda value, names: _(
            "the customer is answered in %(languages)s", languages=either([language_name(one) for one in value])
        ),
    ),
    "orders_least": Condition(
        CUSTOMER, _l("Number of orders, at least"), COUNT,
        lambda value, seen, item: seen.known.orders >= value,
        lambda value, names: ngettext(
            "the customer has at least %(num)s order", "the customer has at least %(num)s orders", value
        ),
    ),
    "spent_least": Condition(
        CUSTOMER, _l("Spent at least"), MONEY,
        lambda value, seen, item: seen.known.spent.get(value["currency"], 0) >= value["amount"],
        lambda value, names: _("the customer has spent at least %(amount)s", amount=_price(value)),
    ),
    "ordered_within": Condition(
        CUSTOMER, _l("Has ordered within so many days"), DAYS,
        lambda value, seen, item: _ordered_since(value, seen),
        lambda value, names: _("the customer has ordered within %(days)s", days=_days_words(value)),
    ),
    "quiet_for": Condition(
        CUSTOMER, _l("Has not ordered for so many days"), DAYS,
        lambda value, seen, item: not _ordered_since(value, seen),
        lambda value, names: _("the customer has not ordered for %(days)s", days=_days_words(value)),
    ),
    "owned_for": Condition(
        CUSTOMER, _l("Has owned one of them for so many days"), SKU_DAYS,
        lambda value, seen, item: _owned_for(value, seen),
        lambda value, names: _(
            "the customer has owned %(products)s for at least %(days)s", products=names.skus(value["skus"]),
            days=_days_words(value["days"]),
        ),
    ),
    "ends_within": Condition(
        CUSTOMER, _l("One of them ends within so many days"), SKU_DAYS,
        lambda value, seen, item: _ends_within(value, seen),
        lambda value, names: _(
            "the customer's %(products)s ends within %(days)s", products=names.skus(value["skus"]),
            days=_days_words(value["days"]),
        ),
    ),
    "product_kind": Condition(
        PRODUCT, _l("Is one of"), KIND,
        lambda value, seen, item: item is not None and item.kind in value,
        lambda value, names: _("the product is %(kinds)s", kinds=either([_kind(one) for one in value])),
    ),
    "category": Condition(
        PRODUCT, _l("Is in one of the categories"), TEXTS,
        lambda value, seen, item: item is not None and item.category.casefold() in value,
        lambda value, names: _("the product is in the category %(categories)s", categories=either(value)),
    ),
    "on_promotion": Condition(
        PRODUCT, _l("Costs less for some days"), YES,
        lambda value, seen, item: _on_sale(seen, item),
        lambda value, names: _("there is a promotion for the product"),
    ),
    "costs_most": Condition(
        PRODUCT, _l("Costs at most"), MONEY,
        _costs_most,
        lambda value, names: _("the product costs at most %(amount)s", amount=_price(value)),
    ),
    "topic": Condition(
        TICKET, _l("Topic is one of"), TOPICS,
        lambda value, seen, item: not seen.topics.isdisjoint(value),
        lambda value, names: _("the ticket is about %(topics)s", topics=_named(value, names.topics)),
    ),
    "type": Condition(
        TICKET, _l("Type is one of"), TYPES,
        lambda value, seen, item: seen.type_key.casefold() in value,
        lambda value, names: _("the ticket has the type %(types)s", types=_named(value, names.types)),
    ),
    "tag": Condition(
        TICKET, _l("Has one of the tags"), TEXTS,
        lambda value, seen, item: not seen.tags.isdisjoint(value),
        lambda value, names: _("the ticket has the tag %(tags)s", tags=either(value)),
    ),
    "tag_not": Condition(
        TICKET, _l("Has none of the tags"), TEXTS,
        lambda value, seen, item: seen.tags.isdisjoint(value),
        lambda value, names: _("the ticket does not have the tag %(tags)s", tags=either(value)),
    ),
    "team": Condition(
        TICKET, _l("Is in one of the teams"), TEAMS,
        lambda value, seen, item: seen.team_id in value,
        lambda value, names: _("the ticket is in the team %(teams)s", teams=_named(value, names.teams)),
    ),
    "channel": Condition(
        TICKET, _l("Came by one of the channels"), TEXTS,
        lambda value, seen, item: seen.channel.casefold() in value,
        lambda value, names: _("the ticket came by %(channels)s", channels=either(value)),
    ),
    "words": Condition(
        TICKET, _l("Subject has one of the words"), TEXTS,
        lambda value, seen, item: any(one in seen.subject for one in value),
        lambda value, names: _("the subject has %(words)s", words=either([_quoted(one) for one in value])),
    ),
}  # fmt: skip


def _kind(kind: str) -> str:
    return {
        "product": pgettext("kind of product", "a product"),
        "plan": pgettext("kind of product", "a plan"),
        "addon": pgettext("kind of product", "an add-on"),
    }[kind]


def by_group() -> Mapping[str, Mapping[str, Condition]]:
    """All kinds of conditions, for a form: by what they look at."""
    return {group: {key: one for key, one in CONDITIONS.items() if one.group == group} for group in GROUPS}
