"""The conditions of a rule as fields of a form: what was typed becomes a value, and a value is shown again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpdesk.api import Invalid, language_name, locales
from helpdesk.api import gettext as _
from helpdesk_upsell import amounts, conditions, words
from helpdesk_upsell.conditions import CONDITIONS, Names
from helpdesk_upsell.forms import split

# What can be chosen from a list, and what is a list that is written.
_CHOSEN = (
    conditions.SEGMENTS, conditions.LANGUAGES, conditions.TOPICS, conditions.TYPES, conditions.TEAMS, conditions.KIND,
)  # fmt: skip
_WRITTEN = (conditions.SKUS, conditions.TEXTS)


@dataclass
class Row:
    """One condition in the form: what it is about, what was typed, and what is wrong with it."""

    what: str
    text: str = ""
    chosen: Sequence[str] = ()
    days: str = ""
    amount: str = ""
    currency: str = ""
    error: str = ""
    options: Sequence[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The kind of its value."""
        return CONDITIONS[self.what].kind

    @property
    def widget(self) -> str:
        """How its value is asked for: text, choice, number, money, skus_days, none."""
        if self.kind in _CHOSEN:
            return "choice"
        if self.kind in _WRITTEN:
            return "text"
        return {
            conditions.COUNT: "number", conditions.DAYS: "number", conditions.MONEY: "money",
            conditions.SKU_DAYS: "skus_days",
        }.get(self.kind, "none")  # fmt: skip


def read_rows(form: Any, most: int = conditions.MOST) -> list[Row]:
    """The rows that a form has; those that are to be taken out are left out."""
    found = []
    for place in range(most):
        name = f"c-{place}"
        what = form.get(f"{name}-what", "")
        if what not in CONDITIONS or f"{name}-gone" in form:
            continue
        texts = {key: form.get(f"{name}-{key}", "").strip() for key in ("text", "days", "amount", "currency")}
        found.append(Row(what, chosen=form.getlist(f"{name}-chosen"), **texts))
    return found


def conditions_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What the rows say, as rules keep it. What is wrong with a row stands in it afterwards."""
    found = []
    for row in rows:
        try:
            [one] = conditions.clean([{"what": row.what, "value": _value(row)}])
        except Invalid as problem:
            row.error = str(problem)
        else:
            found.append(one)
    return found


def rows_of(given: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The rows of what a rule has."""
    return [_row(one["what"], one["value"]) for one in given if one["what"] in CONDITIONS]


def fill_options(rows: Sequence[Row], names: Names) -> None:
    """Put what can be chosen into the rows; each list is asked for once."""
    for row in rows:
        if row.widget == "choice":
            row.options = _options(row, names)


def offered() -> list[tuple[str, list[tuple[str, str]]]]:
    """The kinds of conditions that can be added, by what they look at."""
    heads = _heads()
    return [
        (heads[group], [(key, str(one.label)) for key, one in kinds.items()])
        for group, kinds in conditions.by_group().items()
    ]


def label(what: str) -> tuple[str, str]:
    """What a condition looks at, and its own words: “The customer”, “owns one of”."""
    return _heads()[CONDITIONS[what].group], str(CONDITIONS[what].label)


def _heads() -> Mapping[str, str]:
    return {"customer": _("The customer"), "product": _("The product"), "ticket": _("The ticket")}


def _value(row: Row) -> Any:
    if row.widget == "text":
        return split(row.text)
    if row.widget == "choice":
        return list(row.chosen)
    if row.widget == "number":
        return row.text
    if row.widget == "skus_days":
        return {"skus": split(row.text), "days": row.days}
    if row.widget == "money":
        currency = row.currency.upper()
        if not amounts.is_currency(currency):
            raise Invalid("conditions", _("Write the three letters of a currency, such as %(code)s.", code="EUR"))
        return {"amount": amounts.parse(row.amount, currency), "currency": currency}
    return True


def _row(what: str, value: Any) -> Row:
    row = Row(what)
    if row.widget == "text":
        row.text = ", ".join(str(one) for one in value)
    elif row.widget == "choice":
        row.chosen = [str(one) for one in value]
    elif row.widget == "number":
        row.text = str(value)
    elif row.widget == "skus_days":
        row.text, row.days = ", ".join(value["skus"]), str(value["days"])
    elif row.widget == "money":
        row.amount, row.currency = amounts.typed(value["amount"], value["currency"]), value["currency"]
    return row


def _options(row: Row, names: Names) -> list[tuple[str, str]]:
    """What there is to choose; what was chosen and is gone stays, so that saving never widens a rule unseen."""
    lists: Mapping[str, Callable[[], Mapping[Any, str]]] = {
        conditions.SEGMENTS: lambda: names.segments,
        conditions.TOPICS: lambda: names.topics,
        conditions.TYPES: lambda: names.types,
        conditions.TEAMS: lambda: names.teams,
        conditions.KIND: lambda: dict(words.kinds()),
        conditions.LANGUAGES: lambda: dict(locales()),
    }
    found = lists[row.kind]()
    listed = [(str(key), str(name)) for key, name in found.items()]
    known = {key for key, _name in listed}
    gone = [(key, language_name(key) if row.kind == conditions.LANGUAGES else key) for key in row.chosen]
    return sorted(listed, key=lambda one: one[1].casefold()) + [one for one in gone if one[0] not in known]
