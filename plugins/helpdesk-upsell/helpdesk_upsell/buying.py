"""Find in orders what was suggested: the same product, the same person, within the days that count."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk_customers.api import COUNTED, Order, OrderLine
from sqlalchemy import func, select

from helpdesk.api import Work, db, hookimpl, now, settings, transaction
from helpdesk_upsell import profiles
from helpdesk_upsell.models import BOUGHT, Suggestion, Trial
from helpdesk_upsell.settings import RecommendationSettings
from helpdesk_upsell.suggestions import take_as_bought

MATCH = "upsell.match"
# Orders come by files, some of them late; returns as well. So long after its days a trial is looked at again.
GRACE = timedelta(days=60)
_BATCH = 500


def match(work: Work) -> None:
    """Look at all trials and suggestions whose days have not long passed (a job)."""
    done = {"trials": 0, "suggestions": 0, **(work.checkpoint or {})}
    while trials := _numbers(_trials(), Trial, done["trials"]):
        done["trials"] = trials[-1]
        with work.step(checkpoint=dict(done)):
            _match_trials(db.session.scalars(select(Trial).where(Trial.id.in_(trials))).all())
    while rows := _numbers(_suggestions(), Suggestion, done["suggestions"]):
        done["suggestions"] = rows[-1]
        with work.step(checkpoint=dict(done)):
            _match_suggestions(db.session.scalars(select(Suggestion).where(Suggestion.id.in_(rows))).all())


def match_now(user_ids: Sequence[int] | None = None) -> int:
    """The same at once, of some customers or all; how many trials there were. One transaction, joined or opened."""
    of_trials, of_suggestions = _trials(), _suggestions()
    if user_ids is not None:
        of_trials = of_trials.where(Trial.user_id.in_(user_ids))
        of_suggestions = of_suggestions.where(Suggestion.user_id.in_(user_ids))
    with transaction():
        trials = db.session.scalars(of_trials.order_by(Trial.id)).all()
        rows = db.session.scalars(of_suggestions.order_by(Suggestion.id)).all()
        for start in range(0, len(trials), _BATCH):
            _match_trials(trials[start : start + _BATCH])
        for start in range(0, len(rows), _BATCH):
            _match_suggestions(rows[start : start + _BATCH])
    return len(trials)


@hookimpl(optionalhook=True)
def customers_products_changed(person_ids: Sequence[int], organization_ids: Sequence[int]) -> None:
    """Somebody bought something, or has it: what is known of them is old, and perhaps it is what was suggested."""
    profiles.forget(person_ids)
    profiles.forget(profiles.of_organizations(organization_ids))
    numbers = list(person_ids)
    for start in range(0, len(numbers), _BATCH):
        match_now(numbers[start : start + _BATCH])


def _trials() -> Any:
    """Those that are looked at; what was bought as well, since it may have been returned."""
    return select(Trial).where(Trial.began_at > _since(), Trial.user_id.is_not(None))


def _suggestions() -> Any:
    return select(Suggestion).where(
        Suggestion.bought_at.is_(None), Suggestion.shown_at > _since(), Suggestion.user_id.is_not(None)
    )


def _since() -> datetime:
    return now() - timedelta(days=settings(RecommendationSettings).window_days) - GRACE


def _numbers(query: Any, model: Any, last: int) -> Sequence[int]:
    """The numbers of the next rows, from behind the last one on."""
    query = query.with_only_columns(model.id).where(model.id > last).order_by(model.id).limit(_BATCH)
    return db.session.scalars(query).all()


def _match_trials(trials: Sequence[Trial]) -> None:
    """Write down for each trial what its orders say now: one that was returned counts no more."""
    found = _first_orders([(one.user_id or 0, one.sku, one.began_at) for one in trials])
    for trial in trials:
        placed = found.get((trial.user_id or 0, trial.sku, trial.began_at))
        trial.bought_at, trial.revenue, trial.currency = placed or (None, None, "")


def _match_suggestions(rows: Sequence[Suggestion]) -> None:
    found = _first_orders([(one.user_id or 0, one.sku, one.shown_at) for one in rows])
    for row in rows:
        placed = found.get((row.user_id or 0, row.sku, row.shown_at))
        if placed is not None and row.state != BOUGHT:
            take_as_bought(row, placed[1], placed[2])
            row.bought_at = placed[0]


_Wanted = tuple[int, str, datetime]


def _first_orders(wanted: Iterable[_Wanted]) -> Mapping[_Wanted, tuple[datetime, int, str]]:
    """The first order of each of them within the days that count: when, how much of it was the product's, currency."""
    wanted = list(wanted)
    if not wanted:
        return {}
    days = timedelta(days=settings(RecommendationSettings).window_days)
    people, skus = {user for user, _sku, _at in wanted}, {sku for _user, sku, _at in wanted}
    query = (
        select(Order.user_id, OrderLine.sku, Order.placed_at, Order.currency, func.sum(OrderLine.amount))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.user_id.in_(people), OrderLine.sku.in_(skus), Order.state.in_(COUNTED),
            Order.placed_at >= _midnight(min(at for _user, _sku, at in wanted)),
        )
        .group_by(Order.user_id, OrderLine.sku, Order.id, Order.placed_at, Order.currency)
        .order_by(Order.placed_at, Order.id)
    )  # fmt: skip
    orders: dict[tuple[int, str], list[tuple[datetime, int, str]]] = {}
    for user, sku, placed, currency, amount in db.session.execute(query):
        orders.setdefault((user, sku), []).append((placed, int(amount or 0), currency))
    found = {}
    for user, sku, at in wanted:
        first = next((one for one in orders.get((user, sku), ()) if _counts(one[0], at, days)), None)
        if first is not None:
            found[user, sku, at] = first
    return found


def _counts(placed: datetime, at: datetime, days: timedelta) -> bool:
    """Whether an order came after a suggestion, and soon enough. A file that knows only the day says midnight."""
    return (at if placed != _midnight(placed) else _midnight(at)) <= placed <= at + days


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
