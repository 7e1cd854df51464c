"""What other plugins put into careers, and what they hear of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.api import collect, hookimpl, hookspec

# In what a criterion is measured; of "yes" somebody has something or not, and no number is asked for.
NUMBER, DAYS, PERCENT, SCORE, YES = "number", "days", "percent", "score", "yes"
UNITS = (NUMBER, DAYS, PERCENT, SCORE, YES)
MORE, LESS = "more", "less"


@hookspec("slot")
def career_criteria() -> Any:
    """What levels may ask for, measured from a plugin's own records: a list of mappings, all keys required.

    ``key`` ("surveys.csat"), ``label`` (lazy), ``unit`` (number, days, percent, score, yes), ``better`` (more, less),
    ``counts`` (whether the second number of a measure means something), ``choices`` (None, or a function that returns
    a list of (value, label) of which a requirement names one), ``measure(user_ids, since, choice)``: for all these
    people in one or two queries a mapping from id to (value or None, count), and ``link(user_id, choice, days)``: the
    address of what is behind it, or None, which must not ask the database.
    """


@hookspec("slot")
def career_competences() -> Any:
    """Names of competences that a plugin knows, in a list, such as the skills of courses; shown beside one's own."""


@hookspec("slot")
def career_certificates() -> Any:
    """Certificates in force: a list of mappings with ``key``, ``label`` and ``holders`` ({user id: end or None}).

    Kept until the plugin calls ``drop_cached``, which it does whenever it gives or takes one.
    """


@hookspec("fact")
def career_level_changed(user_id: int, level_id: int | None, from_level_id: int | None, level: str) -> None:
    """Somebody has got another level, or none any more; ``level`` is its name in the desk's language."""


@hookimpl
def register_hookspecs() -> list[Any]:
    """Three places for what others know, one fact."""
    return [career_criteria, career_competences, career_certificates, career_level_changed]


@dataclass(frozen=True)
class Criterion:
    """One of :func:`career_criteria`, checked."""

    key: str
    label: str
    unit: str
    better: str
    counts: bool
    choices: Any
    measure: Any
    link: Any

    def options(self) -> list[tuple[str, str]]:
        """What may be chosen; nothing where there is nothing to choose."""
        return [(str(value), str(label)) for value, label in self.choices()] if self.choices is not None else []

    def is_met(self, value: float | None, threshold: float) -> bool:
        """Whether a value is as good as asked for."""
        if value is None:
            return False
        if self.unit == YES:
            return value >= 1
        return value <= threshold if self.better == LESS else value >= threshold


@dataclass(frozen=True)
class Certificate:
    """One of :func:`career_certificates`, checked."""

    key: str
    label: str
    holders: Mapping[int, datetime | None]


def criteria() -> dict[str, Criterion]:
    """All that can be measured now, by key; what a plugin described wrongly is left out."""
    found: dict[str, Criterion] = {}
    for one in collect("career_criteria"):
        criterion = _criterion(one)
        if criterion is not None:
            found.setdefault(criterion.key, criterion)
    return found


def certificates() -> dict[str, Certificate]:
    """All certificates that are in force now, by key."""
    found: dict[str, Certificate] = {}
    for one in collect("career_certificates"):
        if isinstance(one, Mapping) and one.get("key") and isinstance(one.get("holders"), Mapping):
            key = str(one["key"])
            found.setdefault(key, Certificate(key, str(one.get("label") or key), dict(one["holders"])))
    return found


def _criterion(one: Any) -> Criterion | None:
    if not isinstance(one, Mapping) or not one.get("key") or not callable(one.get("measure")):
        return None
    unit, better = one.get("unit", NUMBER), one.get("better", MORE)
    if unit not in UNITS or better not in (MORE, LESS):
        return None
    return Criterion(
        str(one["key"]), str(one.get("label") or one["key"]), unit, better, bool(one.get("counts")),
        one.get("choices"), one["measure"], one.get("link"),
    )  # fmt: skip
