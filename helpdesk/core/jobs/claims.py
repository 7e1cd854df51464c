"""What workers do with the rows of jobs: claim them in batches, begin one after the other, settle each.

A claim carries a token. A worker whose lease ran out, so that somebody else may have its jobs, finds another token
there and changes nothing any more.
"""

import random
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Table,
    Update,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import given_up, known, ledger
from helpdesk.core.models import Job
from helpdesk.core.models.job import CANCELLED, DONE, FAILED, PRIORITIES, RUNNING, WAITING
from helpdesk.core.transaction import after_commit, count_rows, transaction
from helpdesk.plugins.contributions import Job as Declared

BATCH = 20
# A job whose workers were lost so often while they ran it may be what kills them.
DEATHS = 3
_ENDED = "Its worker ended without finishing it."
_UNKNOWN = Declared("unknown", lambda: None)
# Any number, as long as all who claim from one database use it.
_LOCK = 7_231_004
# Written out: SQLite uses a partial index only where the statement itself says what is in it.
_IS_WAITING = Job.state == literal_column("'waiting'")
_IS_RUNNING = Job.state == literal_column("'running'")
_AT_REST: dict[str, Any] = {"token": None, "lease_until": None, "started_at": None}
# What waits for another worker as if this one had not had it: an attempt that had begun does not count.
_NOT_RUN: dict[str, Any] = {
    "state": WAITING,
    "attempts": case((Job.started_at.is_not(None), Job.attempts - 1), else_=Job.attempts),
    **_AT_REST,
}


class LeaseLost(Exception):
    """Somebody else may have the job by now: nothing that was about to be written is written."""


@dataclass(frozen=True)
class Claim:
    """One job in a worker's hands. ``attempt`` counts this time as well."""

    id: int
    token: str
    name: str
    args: dict[str, Any]
    attempt: int
    max_attempts: int
    checkpoint: dict[str, Any] | None = None


# ---- claiming


def claim(
    worker: str, limit: int = BATCH, only: Collection[str] | None = None, mine: Iterable[Claim] = ()
) -> list[Claim]:
    """Take due jobs, those of the highest priority first; the first of them has begun. Transactions of its own.

    A job in steps ends the batch, since nobody shall wait behind it. ``only`` names the jobs that may run at all,
    ``mine`` what this process has in hands: a machine that was asleep finds its own leases run out.
    """
    moment = now()
    lost = (Job.lease_until < moment) & Job.id.not_in([one.id for one in mine])
    # Looked at without the writer's lock first: an idle desk does not write.
    if not _is_any_due(moment, only, lost):
        return []
    token = secrets.token_hex(16)
    with transaction():
        take_back(lost)
        jobs = _pick(moment, limit, only)
        claims = [
            Claim(job.id, token, job.name, job.args, job.attempts + 1, job.max_attempts, job.checkpoint) for job in jobs
        ]
        if claims:
            held = {"worker": worker, "token": token, "lease_until": moment + ledger.lease(), "started_at": None}
            ids = [one.id for one in claims]
            db.session.execute(_update().where(Job.id.in_(ids)).values(state=RUNNING, key=None, **held))
            _begin(claims[0])
    return claims


def _is_any_due(moment: datetime, only: Collection[str] | None, lost: ColumnElement[bool]) -> bool:
    allowed = [] if only is None else [Job.name.in_(only)]
    due = [select(Job.id).where(_IS_WAITING, Job.priority == one, Job.run_at <= moment, *allowed) for one in PRIORITIES]
    to_take_back = select(Job.id).where(_IS_RUNNING, lost)
    return bool(db.session.scalar(select(or_(*(query.exists() for query in [*due, to_take_back])))))


def _pick(moment: datetime, limit: int, only: Collection[str] | None) -> list[Any]:
    picked: list[Any] = []
    full: set[str] = set()
    for priority in PRIORITIES:
        more = True
        while more and len(picked) < limit:
            rows = _due(moment, priority, limit - len(picked), only, full, [job.id for job in picked])
            fitting, now_full = _fitting(rows, picked)
            for job in fitting:
                picked.append(job)
                if _declared(job.name).takes_work:
                    return picked
            more = bool(now_full)
            full |= now_full
    return picked


def _due(
    moment: datetime,
    priority: int,
    limit: int,
    only: Collection[str] | None,
    full: Collection[str],
    picked: Collection[int],
) -> Sequence[Any]:
    query = select(Job.id, Job.name, Job.args, Job.attempts, Job.max_attempts, Job.checkpoint)
    query = query.where(_IS_WAITING, Job.priority == priority, Job.run_at <= moment)
    if only is not None:
        query = query.where(Job.name.in_(only))
    if full:
        query = query.where(Job.name.not_in(full), Job.id.not_in(picked))
    query = query.order_by(Job.run_at, Job.id).limit(limit)
    return db.session.execute(query.with_for_update(skip_locked=True, of=Job)).all()


def _fitting(rows: Sequence[Any], picked: Sequence[Any]) -> tuple[list[Any], set[str]]:
    """Those of the rows that may run beside what runs already, and the names of which no more may."""
    room = _room({job.name for job in rows}, picked)
    fitting, full = [], set()
    for job in rows:
        if job.name not in room:
            fitting.append(job)
        elif room[job.name] > 0:
            room[job.name] -= 1
            fitting.append(job)
        else:
            full.add(job.name)
    return fitting, full


def _room(names: Collection[str], picked: Sequence[Any]) -> dict[str, int]:
    """How many more may run of each name that has a limit."""
    limits = {name: limit for name in names if (limit := _declared(name).at_once) is not None}
    if not limits:
        return {}
    if db.engine.dialect.name == "postgresql":
        # Two who claim at once would each count without the other.
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    query = select(Job.name, func.count()).where(_IS_RUNNING, Job.name.in_(limits)).group_by(Job.name)
    running = {name: count for name, count in db.session.execute(query)}
    for job in picked:
        running[job.name] = running.get(job.name, 0) + 1
    return {name: limit - running.get(name, 0) for name, limit in limits.items()}


def _declared(name: str) -> Declared:
    return known.declared(name) or _UNKNOWN


# ---- running


def begin(claim: Claim) -> bool:
    """Note that a claimed job begins; False when it is somebody else's by now. Joins or opens the transaction."""
    with transaction():
        return _begin(claim)


def _begin(claim: Claim) -> bool:
    moment = now()
    return _execute(_BEGIN, claim, moment=moment, until=moment + ledger.lease())


def extend(claims: Iterable[Claim]) -> None:
    """Lengthen the leases of jobs that are still held. Opens a transaction of its own.

    A row that its own job is about to change is passed over: nobody else can take it meanwhile.
    """
    tokens = {one.id: one.token for one in claims}
    if not tokens:
        return
    with transaction():
        mine = select(Job.id).where(Job.id.in_(tokens), Job.token.in_(set(tokens.values())), _IS_RUNNING)
        free = list(db.session.scalars(mine.with_for_update(skip_locked=True)))
        db.session.execute(_update().where(Job.id.in_(free)).values(lease_until=now() + ledger.lease()))


def checkpoint(claim: Claim, **values: Any) -> bool:
    """Keep how far a job in steps is; False when it is somebody else's by now. Joins the open transaction.

    A step that was finished proves that the job does not kill its workers.
    """
    return _change(claim, deaths=0, lease_until=now() + ledger.lease(), **values)


def is_cancelled(claim: Claim) -> bool:
    """Whether somebody wants the job stopped. Raises :class:`LeaseLost` when it is somebody else's by now."""
    asked = db.session.scalar(select(Job.cancel_asked).where(*_mine(claim)))
    if asked is None:
        raise LeaseLost(claim.name)
    return asked


# ---- settling


def finish(claim: Claim, result: dict[str, Any] | None = None, following: Claim | None = None) -> bool:
    """Mark a job done, inside the transaction of its effects, and begin the next of the batch with the same commit.

    Answers whether the next one has begun. Raises :class:`LeaseLost`, which undoes the effects.
    """
    if not _execute(_FINISH, claim, moment=now(), outcome=result):
        raise LeaseLost(claim.name)
    return following is not None and _begin(following)


def retry_later(
    claim: Claim,
    error: str,
    *,
    after: timedelta | None = None,
    counts: bool = True,
    following: Claim | None = None,
) -> bool:
    """Put a job back with a growing pause (or ``after``), or give it up after its last attempt. A transaction.

    Answers whether the next of the batch has begun. Its worker has outlived it: deaths count in a row.
    """
    if counts and claim.attempt >= claim.max_attempts:
        return give_up(claim, error, following)
    run_at = now() + (after if after is not None else pause_after(claim))
    attempts = claim.attempt if counts else claim.attempt - 1
    with transaction():
        if db.session.scalar(select(Job.cancel_asked).where(*_mine(claim))):
            cancelled(claim)
        elif _change(claim, state=WAITING, error=error, run_at=run_at, attempts=attempts, deaths=0, **_AT_REST):
            after_commit(lambda: ledger.nudge(run_at))
        return following is not None and _begin(following)


def pause_after(claim: Claim) -> timedelta:
    """How long a job waits after an attempt that failed."""
    job = _declared(claim.name)
    # The exponent is capped: a job that waits for weeks must not overflow a timedelta.
    return min(job.first_pause * 4 ** min(claim.attempt - 1, 10), job.last_pause) * random.uniform(0.8, 1.2)


def give_up(claim: Claim, error: str, following: Claim | None = None) -> bool:
    """Mark a job failed; a person decides what to do with it. A transaction; answers whether the next has begun."""
    with transaction():
        if _change(claim, state=FAILED, error=error, finished_at=_end(), lease_until=None):
            given_up.ask(claim.id, claim.name)
        return following is not None and _begin(following)


def cancelled(claim: Claim) -> None:
    """Mark a job as stopped because somebody wanted that. Joins or opens the transaction."""
    with transaction():
        _change(claim, state=CANCELLED, finished_at=_end(), lease_until=None)


def _execute(statement: Update, claim: Claim, **values: Any) -> bool:
    result = db.session.connection().execute(statement, {"mine": claim.id, "held": claim.token, **values})
    return bool(result.rowcount)


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (Job.id == claim.id, Job.token == claim.token, _IS_RUNNING)


def _update() -> Update:
    # Rows are read anew where they are needed: nothing in the session has to be told.
    return update(Job).execution_options(synchronize_session=False)


def _end() -> ColumnElement[datetime]:
    """Now, but never before the job began: a clock that was put back meanwhile makes no negative span."""
    return _later_of(Job.started_at, literal(now(), Job.started_at.type))


def _later_of(begun: Any, moment: Any) -> ColumnElement[datetime]:
    return case((begun > moment, begun), else_=moment)


# Executed for every job, so they are built once.
_JOB = cast(Table, Job.__table__)
_HELD = (_JOB.c.id == bindparam("mine"), _JOB.c.token == bindparam("held"), _JOB.c.state == literal_column("'running'"))
_MOMENT = bindparam("moment", type_=_JOB.c.started_at.type)
_BEGIN = (
    update(_JOB).where(*_HELD).values(attempts=_JOB.c.attempts + 1, started_at=_MOMENT, lease_until=bindparam("until"))
)
_FINISH = (
    update(_JOB)
    .where(*_HELD)
    .values(
        state=DONE,
        error="",
        result=bindparam("outcome"),
        finished_at=_later_of(_JOB.c.started_at, _MOMENT),
        lease_until=None,
    )
)


def _change(claim: Claim, **values: Any) -> bool:
    return bool(count_rows(_update().where(*_mine(claim)).values(**values)))


# ---- taking back


def give_back(worker: str) -> None:
    """A worker ends: what it holds waits for another, and neither an attempt nor a death is counted. A transaction."""
    with transaction():
        if count_rows(_update().where(_IS_RUNNING, Job.worker == worker).values(_NOT_RUN)):
            moment = now()
            after_commit(lambda: ledger.nudge(moment))


def put_back(claims: Iterable[Claim]) -> None:
    """Let jobs of a batch wait for another worker: nothing of them has run. Opens a transaction of its own."""
    with transaction():
        for one in claims:
            _change(one, **_NOT_RUN)


def take_back(lost: ColumnElement[bool]) -> int:
    """Let the jobs of workers that are lost wait again, or give up those that kill them. Joins the transaction.

    Answers how many. What had not begun is as it was. A second death may have been the job's doing, so others go
    before it.
    """
    columns = (Job.id, Job.name, Job.deaths, Job.attempts, Job.max_attempts, Job.started_at)
    query = select(*columns).where(_IS_RUNNING, lost).with_for_update(skip_locked=True)
    rows = db.session.execute(query).all()
    moment = now()
    for job in rows:
        row = _update().where(Job.id == job.id)
        deaths = job.deaths + 1 if job.started_at is not None else job.deaths
        if job.started_at is not None and (deaths >= DEATHS or job.attempts >= job.max_attempts):
            reason = f"Its worker ended {deaths} times without finishing it." if deaths > 1 else _ENDED
            ended = {"state": FAILED, "finished_at": _end(), "lease_until": None, "token": None}
            db.session.execute(row.values(deaths=deaths, error=reason, **ended))
            given_up.ask(job.id, job.name)
            continue
        run_at = moment + _declared(job.name).first_pause if deaths > 1 and job.started_at is not None else Job.run_at
        error = {"error": _ENDED} if job.started_at is not None else {}
        db.session.execute(row.values(state=WAITING, deaths=deaths, run_at=run_at, **error, **_AT_REST))
    return len(rows)
