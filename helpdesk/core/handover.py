"""What somebody who leaves has in hand goes to a named person or team: nothing is left lying."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, or_, select, update

from helpdesk.core import audit, labels, workflow
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import CannedResponse, Job, Macro, Promise, ReplyDraft, Team, Ticket, User, View
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.models.view import MINE
from helpdesk.core.permissions import NotAllowed, require
from helpdesk.core.transaction import count_rows, transaction
from helpdesk.core.workflow.errors import Invalid, WorkflowError
from helpdesk.core.workflow.locking import lock

JOB = "core.hand_over"
# So much is handed over at once; more is a job that people can watch.
AT_ONCE = 25
_BATCH = 200
_SHARED = (View, CannedResponse, Macro)


@dataclass(frozen=True)
class Holdings:
    """How much somebody has in hand."""

    tickets: int = 0
    drafts: int = 0
    promises: int = 0
    # Views, canned responses and macros that others use.
    shared: int = 0

    @property
    def is_empty(self) -> bool:
        return not any(asdict(self).values())


@dataclass(frozen=True)
class Receiver:
    """Who gets it: one of both."""

    person: User | None = None
    team: Team | None = None

    @property
    def name(self) -> str:
        return (
            self.person.display_name if self.person is not None else (labels.team_name(self.team) if self.team else "")
        )


def holdings(user: User) -> Holdings:
    """What a handover would take from somebody. One query."""
    counts = [
        select(func.count(Ticket.id)).where(_assigned(user.id)),
        select(func.count(ReplyDraft.id)).where(ReplyDraft.user_id == user.id),
        select(func.count(Promise.id)).where(_promised(user.id)),
        *(select(func.count(kind.id)).where(kind.owner_id == user.id, kind.shared_with != MINE) for kind in _SHARED),
    ]
    tickets, drafts, promises, *shared = db.session.execute(select(*(one.scalar_subquery() for one in counts))).one()
    return Holdings(tickets, drafts, promises, sum(shared))


def hand_over(user: User, to: Receiver, actor: User | None) -> Job | None:
    """Give what somebody has in hand to a person or a team: unsolved tickets, open promises, drafts, and what they
    share (views, canned responses, macros). Answers the job that does it where there is much, else None: it is done.

    A team gives the tickets out if it does so by itself. Drafts and promises go with a team to whoever has the ticket
    then; where nobody has, a draft stays on its ticket, where all can read it, and a promise is nobody's. What was held
    to be sent becomes a draft: nobody writes in the name of somebody who has left. What was never shared stays theirs.

    Each ticket is a transaction of its own; audited. Raises :class:`Invalid` with ``to`` and NotAllowed.
    """
    require(actor, "user.edit")
    check_receiver(user, to)
    person, team = (to.person.id if to.person else None), (to.team.id if to.team else None)
    found = holdings(user)
    if found.tickets + found.drafts + found.promises > AT_ONCE:
        with transaction():
            audit.record("user.handed_over", actor, user.email or user.name, {"to": to.name, **asdict(found)})
            return ledger.schedule(
                JOB,
                key=f"{JOB}:{user.id}",
                asked_by=actor,
                user_id=user.id,
                person_id=person,
                team_id=team,
                actor_id=actor.id if actor is not None else None,
            )
    for number in _ticket_ids(user.id, 0):
        try:
            with transaction():
                _pass_on(number, user.id, _receiver(person, team), actor)
        except (WorkflowError, NotAllowed):
            # This one cannot go (a plugin denies it); the others can, and what is left is still to be seen.
            continue
    with transaction():
        _pass_shared(user.id, _receiver(person, team))
        audit.record("user.handed_over", actor, user.email or user.name, {"to": to.name, **asdict(found)})
    return None


def run(user_id: int, person_id: int | None, team_id: int | None, actor_id: int | None, work: Work) -> None:
    """Hand over in steps (a job): a ticket at a time, so that nobody waits for long and a kill loses nothing."""
    checkpoint = work.checkpoint or {}
    after, done, kept = checkpoint.get("after", 0), checkpoint.get("done", 0), checkpoint.get("kept", 0)
    total = done + (db.session.scalar(select(func.count()).select_from(_tickets(user_id, after).subquery())) or 0)
    while numbers := _ticket_ids(user_id, after):
        for number in numbers:
            after, done = number, done + 1
            try:
                with work.step(checkpoint={"after": after, "done": done, "kept": kept}, done=done, total=total):
                    _pass_on(number, user_id, _receiver(person_id, team_id), _actor(actor_id))
            except (WorkflowError, NotAllowed):
                # This one cannot go (a plugin denies it); the others can.
                kept += 1
    with work.last_step({"tickets": done - kept, "kept": kept}):
        _pass_shared(user_id, _receiver(person_id, team_id))


def check_receiver(user: User, to: Receiver) -> None:
    """Raise :class:`Invalid` with ``to`` unless that person or team can take what ``user`` has."""
    if to.person is not None and to.team is None:
        if to.person.id == user.id:
            raise Invalid("to", _("Choose somebody else: these are theirs already."))
        if not (to.person.is_staff and to.person.active and not to.person.is_service):
            raise Invalid("to", _("%(name)s cannot take tickets.", name=to.person.display_name))
    elif to.team is not None and to.person is None:
        if not to.team.active:
            raise Invalid("to", _("The team %(name)s is switched off.", name=labels.team_name(to.team)))
    else:
        raise Invalid("to", _("Choose who takes over: a person or a team."))


# ---- which rows


def _assigned(user_id: int) -> ColumnElement[bool]:
    return (Ticket.assignee_id == user_id) & Ticket.category.in_(UNSOLVED)


def _promised(user_id: int) -> ColumnElement[bool]:
    return (Promise.owner_id == user_id) & Promise.outcome.is_(None)


def _tickets(user_id: int, after: int) -> Select[int]:
    """The tickets on which somebody has something, by number."""
    drafts = select(ReplyDraft.ticket_id).where(ReplyDraft.user_id == user_id)
    promises = select(Promise.ticket_id).where(_promised(user_id))
    meant = or_(_assigned(user_id), Ticket.id.in_(drafts), Ticket.id.in_(promises))
    return select(Ticket.id).where(meant, Ticket.id > after).order_by(Ticket.id)


def _ticket_ids(user_id: int, after: int) -> Sequence[int]:
    return db.session.scalars(_tickets(user_id, after).limit(_BATCH)).all()


# ---- one after the other, inside the open transaction


def _receiver(person_id: int | None, team_id: int | None) -> Receiver:
    return Receiver(
        db.session.get(User, person_id) if person_id is not None else None,
        db.session.get(Team, team_id) if team_id is not None else None,
    )


def _actor(actor_id: int | None) -> User | None:
    return db.session.get_one(User, actor_id) if actor_id is not None else None


def _pass_on(ticket_id: int, user_id: int, to: Receiver, actor: User | None) -> None:
    ticket = db.session.get(Ticket, ticket_id)
    if ticket is None:
        return
    lock(ticket)
    if ticket.assignee_id == user_id and ticket.category in UNSOLVED:
        if to.team is not None:
            workflow.give_to_team(ticket, to.team, actor)
        else:
            workflow.assign(ticket, to.person, actor)
    owner = to.person.id if to.person is not None else ticket.assignee_id
    mine = (ReplyDraft.ticket_id == ticket_id) & (ReplyDraft.user_id == user_id)
    # Nobody is to be named as its writer who has not seen it: what was held is a draft again.
    values = {"send_at": None, **({"user_id": owner} if owner is not None else {})}
    db.session.execute(update(ReplyDraft).where(mine).values(values))
    db.session.execute(update(Promise).where(_promised(user_id), Promise.ticket_id == ticket_id).values(owner_id=owner))


def _pass_shared(user_id: int, to: Receiver) -> int:
    """What others use goes to the person, or is the desk's own."""
    owner = to.person.id if to.person is not None else None
    return sum(
        count_rows(update(kind).where(kind.owner_id == user_id, kind.shared_with != MINE).values(owner_id=owner))
        for kind in _SHARED
    )
