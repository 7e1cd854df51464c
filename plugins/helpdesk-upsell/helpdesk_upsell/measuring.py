"""What suggestions bring: customers to whom a rule's were shown beside those from whom they were held back.

Each customer counts once for each rule, in the group in which the first of its suggestions put her, whatever became of
it and whether or not she was offered it: so the two groups differ in nothing but that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Float, cast, func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import db, now, settings
from helpdesk_upsell.models import DECLINED, Rule, Suggestion, Trial
from helpdesk_upsell.settings import RecommendationSettings
from helpdesk_upsell.statistics import (
    Z_SURE,
    Interval,
    Sample,
    difference_interval,
    mean_difference_interval,
    share_interval,
)

BETTER, WORSE, UNCLEAR, TOO_FEW = "better", "worse", "unclear", "too_few"


@dataclass
class Group:
    """The customers of one group."""

    people: int = 0
    bought: int = 0
    reopened: int = 0
    satisfaction: Sample = field(default_factory=Sample)
    # By currency, of all its people: those who bought nothing paid nothing.
    revenue: dict[str, Sample] = field(default_factory=dict)
    # Whose days have not passed yet.
    waiting: int = 0

    @property
    def rate(self) -> float | None:
        """The share of them who bought."""
        return self.bought / self.people if self.people else None

    @property
    def interval(self) -> Interval | None:
        """Where that of all customers lies."""
        return share_interval(self.bought, self.people)

    @property
    def csat(self) -> float | None:
        """Their mean satisfaction, 0 to 1."""
        return self.satisfaction.mean

    @property
    def reopen_rate(self) -> float | None:
        """The share of them who opened the ticket again."""
        return self.reopened / self.people if self.people else None


@dataclass
class RuleFigures:
    """What one rule has brought. ``rule`` is None for what another plugin suggested, and for deleted ones."""

    key: str
    name: str
    rule: Rule | None
    shown: Group = field(default_factory=Group)
    held: Group = field(default_factory=Group)
    # How many suggestions are how far, and why they were declined.
    funnel: dict[str, int] = field(default_factory=dict)
    declined: dict[str, int] = field(default_factory=dict)
    # With fewer customers in one of the groups no effect is named.
    enough: int = 30

    @property
    def is_enough(self) -> bool:
        """Whether both groups are large enough."""
        return min(self.shown.people, self.held.people) >= self.enough

    @property
    def uplift(self) -> float | None:
        """How much larger the share of buyers is among those who saw it."""
        one, two = self.shown.rate, self.held.rate
        return one - two if one is not None and two is not None else None

    @property
    def uplift_interval(self) -> Interval | None:
        """Where that lies with a confidence of 95 %."""
        return difference_interval(self.shown.bought, self.shown.people, self.held.bought, self.held.people)

    @property
    def verdict(self) -> str:
        """ "better" or "worse" when there is no doubt (99 %, since people look again and again), else "unclear", or
        "too_few".
        """
        one, two = self.shown, self.held
        interval = difference_interval(one.bought, one.people, two.bought, two.people, Z_SURE)
        if not self.is_enough or interval is None:
            return TOO_FEW
        if interval[0] > 0:
            return BETTER
        return WORSE if interval[1] < 0 else UNCLEAR

    @property
    def csat_interval(self) -> Interval | None:
        """Where the difference of the two lies."""
        return mean_difference_interval(self.shown.satisfaction, self.held.satisfaction)

    @property
    def reopened_interval(self) -> Interval | None:
        """Where the difference of the two lies."""
        return difference_interval(self.shown.reopened, self.shown.people, self.held.reopened, self.held.people)

    @property
    def revenue(self) -> list[tuple[str, int, int, float | None, Interval | None]]:
        """By currency: what those paid who saw it, what the others paid, and how much more each hundred of the first
        paid, with its interval. Currencies are never added up.
        """
        found = []
        for currency in sorted(self.shown.revenue.keys() | self.held.revenue.keys()):
            one = _of_all(self.shown, currency)
            two = _of_all(self.held, currency)
            extra, interval = None, None
            if self.is_enough and one.mean is not None and two.mean is not None:
                extra = 100 * (one.mean - two.mean)
                found_interval = mean_difference_interval(one, two)
                interval = (100 * found_interval[0], 100 * found_interval[1]) if found_interval else None
            found.append((currency, int(one.total), int(two.total), extra, interval))
        return found

    @property
    def waiting(self) -> int:
        """How many customers may still buy within their days."""
        return self.shown.waiting + self.held.waiting


def board(first: date | None = None, last: date | None = None) -> list[RuleFigures]:
    """The figures of all that was suggested to customers from one day to another (UTC), rules first; six queries."""
    start, end = _span(first, last)
    rules = {f"rule:{one.id}": one for one in db.session.scalars(select(Rule).options(joinedload(Rule.product)))}
    enough = settings(RecommendationSettings).enough
    found = {key: RuleFigures(key, rule.name, rule, enough=enough) for key, rule in rules.items()}
    mine = [Trial.dropped.is_(False), *_within(Trial.began_at, start, end)]
    _add_groups(found, mine, enough)
    _add_revenue(found, mine)
    shown = _within(Suggestion.shown_at, start, end)
    by_state = select(Suggestion.key, Suggestion.state, func.count()).where(*shown)
    for key, state, number in db.session.execute(by_state.group_by(Suggestion.key, Suggestion.state)):
        _of(found, key, enough).funnel[state] = number
    by_why = select(Suggestion.key, Suggestion.why, func.count()).where(Suggestion.state == DECLINED, *shown)
    for key, why, number in db.session.execute(by_why.group_by(Suggestion.key, Suggestion.why)):
        _of(found, key, enough).declined[why] = number
    return sorted(found.values(), key=lambda one: (one.rule is None, one.rule.id if one.rule else 0, one.key))


def figures_of(rule: Rule, first: date | None = None, last: date | None = None) -> RuleFigures:
    """The figures of one rule."""
    return next(one for one in board(first, last) if one.rule is not None and one.rule.id == rule.id)


def _add_groups(found: dict[str, RuleFigures], mine: Sequence[Any], enough: int) -> None:
    until = now() - timedelta(days=settings(RecommendationSettings).window_days)
    columns = (
        Trial.key, Trial.held, func.count(), func.count(Trial.bought_at),
        func.sum(cast(Trial.reopened, db.Integer)), func.count(Trial.satisfaction), func.sum(Trial.satisfaction),
        func.sum(Trial.satisfaction * Trial.satisfaction), func.sum(cast(Trial.began_at > until, db.Integer)),
    )  # fmt: skip
    query = select(*columns).where(*mine).group_by(Trial.key, Trial.held)
    for key, held, people, bought, reopened, said, total, squares, waiting in db.session.execute(query):
        group = Group(people, bought, int(reopened or 0), Sample(said, float(total or 0), float(squares or 0)))
        group.waiting = int(waiting or 0)
        figures = _of(found, key, enough)
        if held:
            figures.held = group
        else:
            figures.shown = group


def _add_revenue(found: Mapping[str, RuleFigures], mine: Sequence[Any]) -> None:
    amount = cast(Trial.revenue, Float)
    columns = (Trial.key, Trial.held, Trial.currency, func.count(), func.sum(amount), func.sum(amount * amount))
    query = select(*columns).where(*mine, Trial.revenue.is_not(None))
    for key, held, currency, number, total, squares in db.session.execute(
        query.group_by(Trial.key, Trial.held, Trial.currency)
    ):
        group = found[key].held if held else found[key].shown
        group.revenue[currency] = Sample(number, float(total or 0), float(squares or 0))


def _of_all(group: Group, currency: str) -> Sample:
    paid = group.revenue.get(currency, Sample())
    return Sample(group.people, paid.total, paid.squares)


def _of(found: dict[str, RuleFigures], key: str, enough: int) -> RuleFigures:
    if key not in found:
        found[key] = RuleFigures(key, key.partition(":")[2] or key, None, enough=enough)
    return found[key]


def _span(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    start = datetime.combine(first, time(), UTC) if first is not None else None
    end = datetime.combine(last + timedelta(days=1), time(), UTC) if last is not None else None
    return start, end


def _within(column: Any, start: datetime | None, end: datetime | None) -> list[Any]:
    found = []
    if start is not None:
        found.append(column >= start)
    if end is not None:
        found.append(column < end)
    return found
