"""Conditions as rows of a form, which grows by a button: works without a script, in an address as well."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpdesk_customers.condition_choices import Choice, choices
from helpdesk_customers.conditions import MOST, Condition, typed

_PARTS = ("what", "how", "value")
# The button that adds a row and the one that takes one out; what a new row is about.
ADD, DROP, NEW = "add", "drop", "new"


@dataclass(frozen=True)
class Row:
    """A condition as it is typed; ``choice`` says how its value is asked for."""

    choice: Choice
    how: str
    value: str


def known_of(subject: str) -> dict[str, Choice]:
    """What conditions can be about, by key. One query for the owner's fields."""
    return {choice.key: choice for choice in choices(subject)}


def is_changing(sent: Mapping[str, str]) -> bool:
    """Whether a row is to be added or taken out, so that the form is shown again."""
    return ADD in sent or DROP in sent


def is_growing(sent: Mapping[str, str]) -> bool:
    """Whether the last row was just added."""
    return bool(sent.get(NEW)) and DROP not in sent


def sent_rows(sent: Mapping[str, str], known: Mapping[str, Choice]) -> list[Row]:
    """The rows that somebody sent, with the one that was added and without the one taken out."""
    dropped = sent.get(DROP)
    rows = []
    for place in range(MOST):
        what, how, value = (sent.get(f"{part}-{place}", "") for part in _PARTS)
        if what in known and str(place) != dropped:
            rows.append(Row(known[what], how or known[what].operators[0][0], value))
    if sent.get(NEW) in known and DROP not in sent and len(rows) < MOST:
        choice = known[sent[NEW]]
        rows.append(Row(choice, choice.operators[0][0], ""))
    return rows


def stored_rows(subject: str, conditions: Iterable[Condition], known: Mapping[str, Choice]) -> list[Row]:
    """The rows of conditions that are kept; those about a field that is gone are left out."""
    return [Row(known[one["what"]], one["how"], typed(subject, one)) for one in conditions if one["what"] in known]


def as_read(rows: Iterable[Row]) -> list[dict[str, str]]:
    """Rows as :func:`conditions.read` takes them."""
    return [{"what": row.choice.key, "how": row.how, "value": row.value} for row in rows]


def as_query(rows: Iterable[Row]) -> dict[str, Any]:
    """Rows as parts of an address."""
    return {f"{part}-{place}": text for place, row in enumerate(as_read(rows)) for part, text in row.items() if text}


def errors_of(problem_field: str, sentence: str) -> dict[str, str]:
    """What is wrong with one row, by the name of its field."""
    name, _dot, place = problem_field.partition(".")
    return {f"value-{place}": sentence} if name == "conditions" and place else {problem_field: sentence}
