"""Facts that a plugin has not taken in: they wait with their error, those of one ticket in order; nobody else waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import joinedload

from helpdesk.core import audit
from helpdesk.core.events import telling
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Event, HeldFact, Job, User
from helpdesk.core.models.job import FAILED, RUNNING, WAITING
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager

RETRY_JOB = "core.fact"
# One that is paused or off is looked at so often; it is woken when somebody switches it on.
_RESTS = timedelta(hours=1)


# ---- holding


def stand_behind(plugin: str, event: Event) -> bool:
    """Put an event behind those of its ticket that are held; False when none is. Inside the open transaction."""
    if event.ticket_id is None:
        return False
    first = select(HeldFact.event_id).where(HeldFact.plugin == plugin, HeldFact.ticket_id == event.ticket_id)
    # Locked: whoever is taking in the last one of the ticket at this moment ends first.
    if db.session.scalar(first.order_by(HeldFact.event_id).limit(1).with_for_update()) is None:
        return False
    db.session.add(HeldFact(plugin=plugin, event_id=event.id, ticket_id=event.ticket_id))
    return True


def hold(plugin: str, event: Event, error: str) -> None:
    """Keep an event that a plugin failed on, and have it told again. Inside the transaction that moves the cursor."""
    db.session.add(HeldFact(plugin=plugin, event_id=event.id, ticket_id=event.ticket_id, error=error, attempts=1))
    _ask(plugin, event.ticket_id, event.id)


def reason(error: BaseException) -> str:
    """What is kept and shown of an error."""
    return f"{type(error).__name__}: {error}"[:2000]


def _ask(plugin: str, ticket_id: int | None, event_id: int) -> Job:
    place: Mapping[str, Any] = _place(ticket_id, event_id)
    return ledger.schedule(RETRY_JOB, key=_key(plugin, ticket_id, event_id), plugin=plugin, **place)


def _key(plugin: str, ticket_id: int | None, event_id: int) -> str:
    return f"fact:{plugin}:event:{event_id}" if ticket_id is None else f"fact:{plugin}:{ticket_id}"


def _place(ticket_id: int | None, event_id: int) -> dict[str, int]:
    return {"event_id": event_id} if ticket_id is None else {"ticket_id": ticket_id}


# ---- telling again


def retry(work: Work, plugin: str, ticket_id: int | None = None, event_id: int | None = None) -> None:
    """Tell a plugin again of what is held of one ticket (or of one event without a ticket), in order. A job.

    Each fact is a transaction: what the plugin writes, and that the fact is held no more, so that both happen once.
    Raises NotYet when the plugin fails again; one that is off or paused waits, without using up attempts.
    """
    place = HeldFact.ticket_id == ticket_id if ticket_id is not None else HeldFact.event_id == event_id
    while _tell_first(plugin, place):
        work.heed()


def _tell_first(plugin: str, place: ColumnElement[bool]) -> bool:
    query = select(HeldFact).where(HeldFact.plugin == plugin, place).order_by(HeldFact.event_id).limit(1)
    told: int | None = None
    try:
        with transaction():
            fact = db.session.scalar(query.with_for_update())
            if fact is None:
                return False
            told = fact.event_id
            _require_awake(plugin)
            if _is_heard(plugin, fact.event):
                telling.tell(plugin, fact.event)
            # By a statement: the plugin may have taken out the ticket, and the fact with it.
            db.session.execute(delete(HeldFact).where(_is(plugin, told)))
    except telling.NotListening:
        raise ledger.NotYet(_("The plugin “%(name)s” is paused.", name=plugin), after=_RESTS, counts=False) from None
    except ledger.NotYet:
        raise
    except Exception as error:
        _note(plugin, told, reason(error))
        raise ledger.NotYet(reason(error)) from error
    return True


def _require_awake(plugin: str) -> None:
    """Raise NotYet while a plugin is not there to be told."""
    plugins = manager.current()
    if plugin not in plugins.plugins:
        raise ledger.NotYet(_("The plugin “%(name)s” is not installed.", name=plugin))
    if not plugins.is_on(plugin):
        raise ledger.NotYet(_("The plugin “%(name)s” is off.", name=plugin), after=_RESTS, counts=False)
    if plugins.is_paused(plugin):
        raise ledger.NotYet(_("The plugin “%(name)s” is paused.", name=plugin), after=_RESTS, counts=False)


def _is_heard(plugin: str, event: Event) -> bool:
    """Whether the plugin has a hook for it; a new version may have none any more."""
    kinds = telling.kinds_for(plugin)
    return kinds is None or event.kind in kinds


def _note(plugin: str, event_id: int | None, error: str) -> None:
    with transaction():
        db.session.execute(
            update(HeldFact)
            .where(HeldFact.plugin == plugin, HeldFact.event_id == event_id)
            .values(error=error, attempts=HeldFact.attempts + 1)
        )


def _is(plugin: str, event_id: int) -> ColumnElement[bool]:
    return and_(HeldFact.plugin == plugin, HeldFact.event_id == event_id)


# ---- what people see and do


@dataclass(frozen=True)
class Held:
    """What is held of one ticket for one plugin: the first fact, and how many stand behind it.

    ``next_at`` is when it is told again; without one, and not ``running``, it needs attention: a person decides.
    """

    fact: HeldFact
    behind: int
    running: bool
    next_at: datetime | None

    @property
    def needs_attention(self) -> bool:
        """Whether it is not told again by itself."""
        return self.next_at is None and not self.running


def listed(*, plugin: str = "", before: int | None = None, limit: int = 50) -> list[Held]:
    """What is held, a line for each ticket and plugin, the newest first, those whose first event is before ``before``.

    Three queries, whatever the number.
    """
    # All of one ticket are one group; an event without a ticket is one by itself.
    alone = case((HeldFact.ticket_id.is_(None), HeldFact.event_id), else_=0)
    first = func.min(HeldFact.event_id).label("first")
    grouped = select(HeldFact.plugin, first, func.count().label("facts"))
    if plugin:
        grouped = grouped.where(HeldFact.plugin == plugin)
    grouped = grouped.group_by(HeldFact.plugin, HeldFact.ticket_id, alone)
    if before is not None:
        grouped = grouped.having(func.min(HeldFact.event_id) < before)
    groups = grouped.order_by(first.desc(), HeldFact.plugin).limit(limit).subquery()
    query = (
        select(HeldFact, groups.c.facts)
        .join(groups, and_(HeldFact.plugin == groups.c.plugin, HeldFact.event_id == groups.c.first))
        .options(joinedload(HeldFact.event))
        .order_by(HeldFact.event_id.desc(), HeldFact.plugin)
    )
    rows = db.session.execute(query).all()
    jobs = _jobs([fact for fact, _count in rows])
    return [_line(fact, count, jobs.get(_key(fact.plugin, fact.ticket_id, fact.event_id))) for fact, count in rows]


def _line(fact: HeldFact, count: int, job: Job | None) -> Held:
    running = job is not None and job.state == RUNNING
    return Held(fact, count - 1, running, job.run_at if job is not None and not running else None)


def _jobs(facts: Sequence[HeldFact]) -> Mapping[str, Job]:
    """The jobs that will tell of these, or do so now, by key."""
    if not facts:
        return {}
    keys = [_key(fact.plugin, fact.ticket_id, fact.event_id) for fact in facts]
    # One that has begun, or that a person has asked for, has no key: there are few of these.
    mine = or_(Job.key.in_(keys), Job.key.is_(None))
    query = select(Job).where(Job.name == RETRY_JOB, Job.state.in_((WAITING, RUNNING)), mine)
    found = {}
    for job in db.session.scalars(query.order_by(Job.id)):
        found[_key(job.args["plugin"], job.args.get("ticket_id"), job.args.get("event_id", 0))] = job
    return found


def replay(plugin: str, event_id: int, actor: User | None) -> Job | None:
    """Have a worker tell a plugin again, at once, of what is held of the ticket of that event; None when nothing is.

    Joins or opens the transaction; audited. Raises NotAllowed.
    """
    require(actor, "job.edit")
    with transaction():
        fact = db.session.get(HeldFact, (plugin, event_id))
        if fact is None:
            return None
        _lay_down(plugin, _place(fact.ticket_id, fact.event_id))
        job = _ask(plugin, fact.ticket_id, fact.event_id)
        audit.record("fact.replayed", actor, f"{plugin} #{event_id}")
    return job


def discard(plugin: str, event_id: int, actor: User | None) -> bool:
    """Forget one fact that is held: the plugin is never told of it, those behind it go on. False when it is not held.

    Joins or opens the transaction; audited. Raises NotAllowed.
    """
    require(actor, "job.edit")
    with transaction():
        fact = db.session.get(HeldFact, (plugin, event_id), with_for_update=True)
        if fact is None:
            return False
        ticket_id, kind = fact.ticket_id, fact.event.kind
        db.session.execute(delete(HeldFact).where(_is(plugin, event_id)))
        _lay_down(plugin, _place(ticket_id, event_id))
        if ticket_id is not None:
            _ask(plugin, ticket_id, event_id)
        audit.record("fact.discarded", actor, f"{plugin} #{event_id}", {"kind": kind})
    return True


def _lay_down(plugin: str, place: Mapping[str, Any]) -> None:
    """Let the jobs rest that have given these facts up: another tells of them."""
    ((name, number),) = place.items()
    given_up = select(Job).where(
        Job.name == RETRY_JOB,
        Job.state == FAILED,
        Job.args["plugin"].as_string() == plugin,
        Job.args[name].as_integer() == number,
    )
    for job in db.session.scalars(given_up):
        ledger.cancel(job)
