"""Stop a rule by itself when it hurts: customers are less satisfied, or come back with the ticket more often."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from helpdesk.api import Ticket, Work, audit, collect, db, drop_cached, now, settings, transaction
from helpdesk_upsell import measuring
from helpdesk_upsell.measuring import RuleFigures
from helpdesk_upsell.models import Rule, Trial
from helpdesk_upsell.settings import RecommendationSettings
from helpdesk_upsell.statistics import Z_SURE, difference_interval, mean_difference_interval

WATCH = "upsell.watch"
SATISFACTION, REOPENED = "satisfaction", "reopened"
# So long after a suggestion answers of surveys and opened tickets are looked for.
_LOOK = timedelta(days=60)
_BATCH = 500


def watch(work: Work) -> None:
    """Look how satisfied customers were since, and stop the rules that hurt (a job)."""
    last = (work.checkpoint or {"last": 0})["last"]
    while True:
        numbers = _due(last)
        if not numbers:
            break
        last = numbers[-1]
        scores = _scores(numbers)
        with work.step(checkpoint={"last": last}):
            _write(numbers, scores)
    with work.last_step():
        stop_harmful()


def watch_now() -> Sequence[Rule]:
    """The same at once; the rules that were stopped."""
    last = 0
    while numbers := _due(last):
        last = numbers[-1]
        scores = _scores(numbers)
        with transaction():
            _write(numbers, scores)
    with transaction():
        return stop_harmful()


def stop_harmful() -> Sequence[Rule]:
    """Stop the rules whose figures leave no doubt that they hurt. Inside the transaction."""
    stopped = []
    for figures in measuring.board():
        rule, why = figures.rule, harm(figures)
        if rule is None or not why or not rule.active or rule.stopped_at is not None:
            continue
        rule.stopped_at, rule.stop_reason = now(), why
        drop_cached()
        audit(
            "upsell.rule_stopped", None, rule.name,
            {"rule": rule.id, "why": why, "shown": figures.shown.people, "held": figures.held.people},
        )  # fmt: skip
        stopped.append(rule)
    db.session.flush()
    return stopped


def harm(figures: RuleFigures) -> str:
    """ "satisfaction" or "reopened" when one of them is worse without a doubt among those who saw it, else "".

    With 99 %, since it is asked each night.
    """
    one, two = figures.shown.satisfaction, figures.held.satisfaction
    if min(one.number, two.number) >= settings(RecommendationSettings).enough:
        interval = mean_difference_interval(one, two, Z_SURE)
        if interval is not None and interval[1] < 0:
            return SATISFACTION
    if figures.is_enough:
        shown, held = figures.shown, figures.held
        interval = difference_interval(shown.reopened, shown.people, held.reopened, held.people, Z_SURE)
        if interval is not None and interval[0] > 0:
            return REOPENED
    return ""


def _due(last: int) -> list[int]:
    query = select(Trial.id).where(Trial.began_at > now() - _LOOK, Trial.ticket_id.is_not(None), Trial.id > last)
    return list(db.session.scalars(query.order_by(Trial.id).limit(_BATCH)))


def _scores(numbers: Sequence[int]) -> dict[int, float]:
    """How satisfied customers said they were, by ticket. Other plugins are asked: outside the transaction."""
    tickets = list(db.session.scalars(select(Trial.ticket_id).where(Trial.id.in_(numbers)).distinct()))
    scores: dict[int, float] = {}
    for ticket, score in collect("upsell_satisfaction", ticket_ids=tickets):
        scores[int(ticket)] = min(1.0, max(0.0, float(score)))
    return scores


def _write(numbers: Sequence[int], scores: dict[int, float]) -> None:
    query = select(Trial, Ticket.reopened).join(Ticket, Ticket.id == Trial.ticket_id).where(Trial.id.in_(numbers))
    for trial, reopened in db.session.execute(query):
        trial.satisfaction = scores.get(trial.ticket_id or 0, trial.satisfaction)
        trial.reopened = reopened > trial.reopened_before
