"""Takes due times: each runs once, whatever workers and clocks do."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, select, update

from helpdesk.core import generation, holding
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Schedule, ScheduleRun
from helpdesk.core.models.schedule import ALL, SKIP
from helpdesk.core.schedules.rows import contributed, rests, sync
from helpdesk.core.schedules.rules import all_due, last_due, next_due
from helpdesk.core.transaction import count_rows, transaction
from helpdesk.plugins.contributions import Schedule as Contributed

log = logging.getLogger(__name__)

_LOOKED = "helpdesk.schedules_looked"
_BATCH = 100
# Of what was missed, "all" runs so many; the rest is left out.
_MOST = 1_000
# "skip" leaves out what is later than this: a worker that was busy for a moment has missed nothing.
_LATE = timedelta(minutes=10)
_KEPT = timedelta(days=100)
# So far apart may the clocks of two machines be before one of them is taken to have jumped.
_APART = timedelta(minutes=1)


def look() -> int:
    """Ask for the jobs whose time has come; answer how many. For workers, each time they are woken.

    A due time is taken by changing its row, in a transaction together with its job and with the note that it was
    taken. What a plugin that is off (or a schedule that is) would have done is passed over. While the desk is held
    only the desk's own safe ones are taken; what the others missed is caught up as they ask for when it is released.
    """
    wanted = contributed()
    if wanted and holding.held_since() is not None:
        wanted = {key: found for key, found in wanted.items() if found.job in holding.SAFE_JOBS}
    if not wanted:
        return 0
    # Once for each generation: a plugin, its rule or the desk's time zone may be another one now.
    generation.cached(f"schedules:{','.join(wanted)}", sync)
    moment = now()
    if _is_time_to_check(moment):
        _pull_back(wanted, moment)
    query = select(Schedule).where(Schedule.next_due_at <= moment, Schedule.key.in_(wanted))
    due = list(db.session.scalars(query.order_by(Schedule.next_due_at, Schedule.key).limit(_BATCH)))
    taken = [(row.key, row.next_due_at) for row in due]
    return sum(_take(wanted[key], at, moment) for key, at in taken)


def forget_old() -> int:
    """Forget the due times that were taken long ago; answer how many. Joins or opens the transaction."""
    with transaction():
        return count_rows(delete(ScheduleRun).where(ScheduleRun.due_at < now() - _KEPT))


# ---- clocks that jump


def _is_time_to_check(moment: datetime) -> bool:
    """Once a minute in each process, and whenever its clock was put back."""
    checked: datetime | None = current_app.extensions.get(_LOOKED)
    if checked is not None and timedelta() <= moment - checked < timedelta(minutes=1):
        return False
    current_app.extensions[_LOOKED] = moment
    return True


def _pull_back(wanted: Iterable[str], moment: datetime) -> None:
    """Mend what a clock that had jumped ahead has left: a due time later than the rule's next from now.

    What had run by then does not run again: the due times that were taken are kept. The clocks of several machines
    are never quite the same: what another one saw a moment before its time is no jump.
    """
    query = select(Schedule).where(Schedule.next_due_at > moment, Schedule.key.in_(wanted))
    for row in list(db.session.scalars(query)):
        try:
            jumped = next_due(row.rule, row.zone, moment + _APART, row.next_due_at) < row.next_due_at
            following = next_due(row.rule, row.zone, moment, row.next_due_at)
        except (KeyError, ValueError):
            log.exception("The schedule %s has a rule that cannot be read.", row.key)
            continue
        if jumped:
            _move(row.key, row.next_due_at, following)


def _move(key: str, seen: datetime, due: datetime) -> None:
    log.warning("The schedule %s was due next at %s, which is too far away: now at %s.", key, seen, due)
    with transaction():
        mine = update(Schedule).where(Schedule.key == key, Schedule.next_due_at == seen)
        db.session.execute(mine.values(next_due_at=due))


# ---- what is due


def _take(found: Contributed, due: datetime, moment: datetime) -> int:
    try:
        return _ask(found, due, moment)
    except Exception:
        # The other schedules, and all other jobs, go on.
        log.exception("The schedule %s could not be looked at; it is tried again.", found.name)
        return 0


def _ask(found: Contributed, due: datetime, moment: datetime) -> int:
    with transaction():
        row = db.session.get_one(Schedule, found.name, with_for_update=True)
        if row.next_due_at != due:
            return 0
        row.next_due_at = next_due(row.rule, row.zone, moment, due)
        if not row.enabled or rests(row):
            return 0
        wanted = _without_taken(row.key, _caught_up(row, due, moment))
        if wanted:
            row.last_due_at = wanted[-1]
        for at in wanted:
            job = ledger.schedule(found.job, **found.args)
            db.session.add(ScheduleRun(schedule_key=row.key, due_at=at, job_id=job.id))
    return len(wanted)


def _caught_up(row: Schedule, due: datetime, moment: datetime) -> list[datetime]:
    """The due times that run now, the oldest first, of those from ``due`` up to now."""
    if row.catch_up == ALL:
        return all_due(row.rule, row.zone, moment, due, _MOST)
    newest = last_due(row.rule, row.zone, moment, due)
    # One run stands for all that was missed.
    return [] if row.catch_up == SKIP and moment - newest > _LATE else [newest]


def _without_taken(key: str, dues: Sequence[datetime]) -> list[datetime]:
    """Without those that have run: a clock was put back since. The schedule's row is locked, so none comes between."""
    if not dues:
        return []
    query = select(ScheduleRun.due_at).where(
        ScheduleRun.schedule_key == key, ScheduleRun.due_at.between(dues[0], dues[-1])
    )
    taken = set(db.session.scalars(query))
    return [due for due in dues if due not in taken]
