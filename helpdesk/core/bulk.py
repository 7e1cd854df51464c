"""Actions on many tickets at once: each for itself, with the reason for what was left out, and a way back.

Up to ``AT_ONCE`` tickets within the request; more as a job in steps. A ticket and what is noted about it are one
transaction, so that a kill in the middle repeats nothing and leaves nothing out.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import func, insert, literal, select, update

from helpdesk.core import actions, i18n, workflow
from helpdesk.core.actions import Action
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.facts_of import restore_facts
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import TicketFilter
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import BulkAct, BulkItem, Ticket, User
from helpdesk.core.permissions import NotAllowed, find_ticket, require, visible_tickets
from helpdesk.core.transaction import transaction

JOB, UNDO_JOB = "core.bulk", "core.undo_bulk"
# So many tickets are dealt with while the browser waits; so many at most in one act.
AT_ONCE, MOST = 50, 10_000
RUNNING, DONE, UNDOING, UNDONE = "running", "done", "undoing", "undone"
WAITING, SKIPPED = "waiting", "skipped"
# A request that ended in the middle is finished by a job after so long.
_PATIENCE = timedelta(minutes=2)
_BATCH = 100
Step = Callable[[int, int], AbstractContextManager[None]]


class NothingChosen(Exception):
    """There is nothing to act on; the text is a sentence."""


@dataclass(frozen=True)
class Sums:
    """How far an act is: tickets by what became of them."""

    waiting: int = 0
    done: int = 0
    skipped: int = 0
    undone: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.done + self.skipped + self.undone

    @property
    def settled(self) -> int:
        return self.total - self.waiting


def begin(which: Sequence[int] | TicketFilter, wanted: Sequence[Action], actor: User) -> BulkAct:
    """Note down an act on tickets, by their numbers or all that a filter finds now, and carry it out or ask for it.

    Opens transactions of its own, one for each ticket. Raises :class:`NothingChosen` (none, or more than ``MOST``) and
    NotAllowed.
    """
    require(actor, "ticket.edit")
    fixed = [one.as_dict() for one in actions.settled(wanted, actor)]
    with transaction():
        act = BulkAct(actor_id=actor.id, actions=fixed)
        db.session.add(act)
        db.session.flush()
        act.total = _collect(act, which, actor)
        small = act.total <= AT_ONCE
        at = now() + _PATIENCE if small else now()
        ledger.schedule(JOB, at=at, key=f"{JOB}:{act.id}", asked_by=actor, act_id=act.id)
    if small:
        _go_on(act.id, lambda done, total: transaction())
    return act


def find_act(number: int, user: User) -> BulkAct | None:
    """The act of that number if ``user`` began it. Not yours and not there are the same answer."""
    return db.session.scalar(select(BulkAct).where(BulkAct.id == number, BulkAct.actor_id == user.id))


def sums(act: BulkAct) -> Sums:
    """How many tickets are in which state. One query."""
    query = select(BulkItem.state, func.count()).where(BulkItem.act_id == act.id).group_by(BulkItem.state)
    counts: Mapping[str, int] = {state: count for state, count in db.session.execute(query)}
    return Sums(counts.get(WAITING, 0), counts.get(DONE, 0), counts.get(SKIPPED, 0), counts.get(UNDONE, 0))


def told_of(act: BulkAct, limit: int = 200) -> Sequence[BulkItem]:
    """The tickets about which there is something to say: left out, or not undone."""
    query = select(BulkItem).where(BulkItem.act_id == act.id, BulkItem.reason != "").order_by(BulkItem.ticket_id)
    return db.session.scalars(query.limit(limit)).all()


def can_undo(act: BulkAct) -> bool:
    """Whether an act is over and has changed what can be changed back."""
    return act.state == DONE and any(one["do"] not in (actions.REPLY, actions.NOTE) for one in act.actions)


def undo(act: BulkAct, actor: User) -> BulkAct:
    """Give each ticket back what it had, where nobody changed it since. Once: twice is the same.

    Opens transactions of its own. Raises NotAllowed for an act of somebody else.
    """
    if act.actor_id != actor.id:
        raise NotAllowed("ticket.edit")
    with transaction():
        db.session.refresh(act, with_for_update={"of": BulkAct})
        if act.state != DONE:
            return act
        act.state, act.finished_at = UNDOING, None
        small = act.total <= AT_ONCE
        at = now() + _PATIENCE if small else now()
        ledger.schedule(UNDO_JOB, at=at, key=f"{UNDO_JOB}:{act.id}", asked_by=actor, act_id=act.id)
    if small:
        _undo_on(act.id, lambda done, total: transaction())
    return act


def run(act_id: int, work: Work) -> None:
    """The job that carries an act out, or what a request left of it."""
    _go_on(act_id, _steps(work))


def run_undo(act_id: int, work: Work) -> None:
    """The job that undoes an act, or what a request left to undo."""
    _undo_on(act_id, _steps(work))


def _steps(work: Work) -> Step:
    return lambda done, total: work.step(done=done, total=total)


def _collect(act: BulkAct, which: Sequence[int] | TicketFilter, actor: User) -> int:
    if isinstance(which, TicketFilter):
        query = visible_tickets(actor).where(*criteria(which, actor)).order_by(None).limit(MOST + 1)
        found = query.with_only_columns(literal(act.id), Ticket.id)
        db.session.execute(insert(BulkItem).from_select(["act_id", "ticket_id"], found, include_defaults=True))
    elif 0 < len(set(which)) <= MOST:
        rows = [{"act_id": act.id, "ticket_id": number} for number in sorted(set(which))]
        db.session.execute(insert(BulkItem), rows)
    total = db.session.scalar(select(func.count()).select_from(BulkItem).where(BulkItem.act_id == act.id)) or 0
    if not total:
        raise NothingChosen(_("Choose at least one ticket."))
    if total > MOST:
        raise NothingChosen(_("These are too many tickets at once; %(number)s fit. Filter the list.", number=MOST))
    return total


# ---- carrying out


def _go_on(act_id: int, step: Step) -> None:
    act = db.session.get(BulkAct, act_id)
    if act is None or act.state != RUNNING:
        return
    actor, total = act.actor, act.total
    with i18n.speaking(actor.locale or i18n.default_locale()):
        wanted = actions.readable(act.actions, actor)
        done = total - sums(act).waiting
        while numbers := _numbers(act_id, WAITING):
            for number in numbers:
                done += 1
                _do_one(act_id, number, wanted, actor, lambda now_done=done: step(now_done, total))  # type: ignore[misc]
    with step(total, total):
        _end(act_id, RUNNING, DONE)


def _do_one(
    act_id: int, number: int, wanted: Sequence[Action], actor: User, step: Callable[[], AbstractContextManager[None]]
) -> None:
    def note(reason: str) -> None:
        with step():
            if (item := _item(act_id, number, WAITING)) is not None:
                item.state, item.reason = SKIPPED, reason

    ticket = find_ticket(actor, number)
    if ticket is None:
        note(_("This ticket is no longer there, or no longer yours to see."))
        return
    if not wanted:
        note(_("What was to be done is no longer there."))
        return
    try:
        prepared = actions.prepare(ticket, wanted, actor)
        with step():
            item = _item(act_id, number, WAITING)
            if item is None:
                return
            item.before = actions.carry_out(prepared)
            item.state, item.version = DONE, ticket.version
    except (workflow.WorkflowError, NotAllowed) as problem:
        note(str(problem))


# ---- undoing


def _undo_on(act_id: int, step: Step) -> None:
    act = db.session.get(BulkAct, act_id)
    if act is None or act.state != UNDOING:
        return
    actor, total = act.actor, act.total
    with i18n.speaking(actor.locale or i18n.default_locale()):
        done = 0
        while numbers := _numbers(act_id, DONE):
            for number in numbers:
                done += 1
                _undo_one(act_id, number, actor, lambda now_done=done: step(now_done, total))  # type: ignore[misc]
    with step(total, total):
        _end(act_id, UNDOING, UNDONE)


def _undo_one(act_id: int, number: int, actor: User, step: Callable[[], AbstractContextManager[None]]) -> None:
    def note(reason: str) -> None:
        with step():
            if (item := _item(act_id, number, DONE)) is not None:
                item.state, item.reason = SKIPPED, reason

    ticket = find_ticket(actor, number)
    if ticket is None:
        note(_("This ticket is no longer there, or no longer yours to see."))
        return
    try:
        with step():
            item = _item(act_id, number, DONE)
            if item is None:
                return
            left = restore_facts(ticket, item.before or {}, actor)
            item.state = UNDONE
            if left:
                item.reason = _(
                    "Changed since, so it stays: %(names)s", names=", ".join(fact_words(name) for name in left)
                )
    except (workflow.WorkflowError, NotAllowed) as problem:
        note(str(problem))


def fact_words(name: str) -> str:
    """What a fact is called."""
    words = {
        "status": _("Status"),
        "team": _("Team"),
        "assignee": _("Assignee"),
        "priority": _("Priority"),
        "type": _("Type"),
        "topic": _("Topic"),
        "due": _("Due"),
        "snooze": _("Snooze until"),
    }
    return words.get(name, name)


def _numbers(act_id: int, state: str) -> Sequence[int]:
    query = select(BulkItem.ticket_id).where(BulkItem.act_id == act_id, BulkItem.state == state)
    return db.session.scalars(query.order_by(BulkItem.ticket_id).limit(_BATCH)).all()


def _item(act_id: int, number: int, state: str) -> BulkItem | None:
    """The item, locked, if nobody has dealt with it meanwhile."""
    query = select(BulkItem).where(BulkItem.act_id == act_id, BulkItem.ticket_id == number, BulkItem.state == state)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True))


def _end(act_id: int, before: str, after: str) -> None:
    ended = update(BulkAct).where(BulkAct.id == act_id, BulkAct.state == before)
    db.session.execute(ended.values(state=after, finished_at=now()))
    db.session.expire_all()
