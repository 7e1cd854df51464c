"""Promotion proposals: made with the evidence of the moment, decided once, by somebody else."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, NotAllowed, Refused, User, db, now, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_career import progress, records, scopes, words
from helpdesk_career.models import (
    APPROVED,
    MOVED,
    OPEN,
    PLACED,
    PROMOTED,
    REFUSED,
    WITHDRAWN,
    Level,
    Proposal,
)
from helpdesk_career.permissions import APPROVE, LEAD
from helpdesk_career.settings import CareerSettings


def propose(user: User, level: Level, why: str, actor: User | None) -> Proposal:
    """Propose somebody for a level that they may go to, with how they stand now as evidence.

    Not inside a transaction: it measures first. Raises :class:`Invalid` (level, why), :class:`Refused` when they are
    proposed already or have left, and :class:`NotAllowed`.
    """
    scopes.require_lead(actor, user)
    reason = words.clean(why, "why", needed=_("Say why."))
    if not scopes.is_here(user):
        raise Refused(_("%(name)s does not work here any more.", name=user.display_name))
    if level.id not in {one.id for one in progress.targets(user)}:
        raise Invalid("level", _("%(name)s cannot go to this level now. Choose another one.", name=user.display_name))
    evidence = progress.of(user, level, fresh=True).evidence()
    with transaction():
        person = records.locked(user)
        records.lock_level(level)
        other = _open_of(user)
        if other is not None:
            raise Refused(_already(other))
        made = Proposal(
            user_id=user.id, level_id=level.id, from_level_id=person.level_id, why=reason, evidence=evidence,
            by_id=actor.id if actor else None,
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
    return made


def _already(other: Proposal) -> str:
    if other.by is None:
        return _("They are proposed already. Decide about that first.")
    return _("%(name)s has proposed them already. Decide about that first.", name=other.by.display_name)


def decide(proposal: Proposal, approve: bool, answer: str, actor: User | None) -> Proposal:
    """Approve or refuse, with an answer; a refusal says why. Approved, the level is theirs at once.

    The first decision counts: the same one again by the same person changes nothing, any other one is :class:`Refused`
    and says who has decided. Refused, too, when the person has left or has another level since, or the level is given
    to nobody new. Not inside a transaction: it measures first. Raises :class:`Invalid` (answer), :class:`NotAllowed`.
    """
    user = db.session.get_one(User, proposal.user_id)
    if not scopes.may_decide(actor, user):
        raise NotAllowed(APPROVE)
    said = words.clean(answer, "answer", needed="" if approve else _("Say why not."))
    evidence: dict[str, Any] = {}
    if approve and proposal.state == OPEN:
        evidence = progress.of(user, proposal.level, fresh=True).evidence()
    wanted = APPROVED if approve else REFUSED
    with transaction():
        person = records.locked(user)
        proposal = _locked(proposal)
        if proposal.state != OPEN:
            if proposal.state == wanted and actor is not None and proposal.decided_by_id == actor.id:
                return proposal
            raise Refused(_decided(proposal))
        if actor is not None and proposal.by_id == actor.id and settings(CareerSettings).two_people:
            raise Refused(_("You proposed this yourself. Somebody else has to decide."))
        if approve:
            if not scopes.is_here(user):
                raise Refused(_("%(name)s does not work here any more.", name=user.display_name))
            if person.level_id != proposal.from_level_id:
                raise Refused(_("They have another level since. Refuse this, and propose them anew."))
            records.lock_level(proposal.level)
        proposal.state, proposal.decided_at, proposal.answer = wanted, now(), said
        proposal.decided_by_id = actor.id if actor else None
        if approve:
            records.add_step(
                person, user, proposal.level, _kind(person.level, proposal.level), proposal.why, actor, now(), evidence,
                proposal_id=proposal.id,
            )  # fmt: skip
    return proposal


def withdraw(proposal: Proposal, actor: User | None) -> Proposal:
    """Take a proposal back: who made it, or somebody who decides. Twice is once. Joins or opens.

    Raises :class:`Refused` when it is decided, and :class:`NotAllowed`.
    """
    user = db.session.get_one(User, proposal.user_id)
    mine = actor is not None and proposal.by_id == actor.id and scopes.may_lead(actor, user)
    if not mine and not scopes.may_decide(actor, user):
        raise NotAllowed(LEAD)
    with transaction():
        proposal = _locked(proposal)
        if proposal.state == WITHDRAWN:
            return proposal
        if proposal.state != OPEN:
            raise Refused(_decided(proposal))
        proposal.state, proposal.decided_at = WITHDRAWN, now()
        proposal.decided_by_id = actor.id if actor else None
    return proposal


def waiting(actor: User, most: int = 200) -> Sequence[Proposal]:
    """What is to be decided of people whom ``actor`` looks after, the oldest first."""
    query = select(Proposal).join(User, User.id == Proposal.user_id).where(Proposal.state == OPEN)
    criterion = scopes.scope_of(actor).criterion()
    if criterion is not None:
        query = query.where(criterion)
    query = query.where(User.id != actor.id).order_by(Proposal.id).limit(most)
    return db.session.scalars(query.options(*_WITH)).all()


def of_person(user: User) -> Sequence[Proposal]:
    """All proposals for somebody, the newest first."""
    query = select(Proposal).where(Proposal.user_id == user.id).order_by(Proposal.id.desc())
    return db.session.scalars(query.options(*_WITH)).all()


def find(actor: User, proposal_id: int) -> Proposal | None:
    """A proposal, if ``actor`` sees whose it is."""
    found = db.session.get(Proposal, proposal_id)
    return found if found is not None and scopes.sees(actor, found.user_id) else None


_WITH = (
    joinedload(Proposal.user),
    joinedload(Proposal.by),
    joinedload(Proposal.decided_by),
    joinedload(Proposal.level).joinedload(Level.track),
    joinedload(Proposal.from_level).joinedload(Level.track),
)


def _kind(before: Level | None, level: Level) -> str:
    if before is None:
        return PLACED
    return PROMOTED if before.track_id == level.track_id else MOVED


def _open_of(user: User) -> Proposal | None:
    return db.session.scalar(select(Proposal).where(Proposal.user_id == user.id, Proposal.state == OPEN))


def _locked(proposal: Proposal) -> Proposal:
    query = select(Proposal).where(Proposal.id == proposal.id).with_for_update(of=Proposal)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _decided(proposal: Proposal) -> str:
    state = words.proposal_state(proposal.state)
    if proposal.decided_by is None:
        return _("This has been decided already: %(state)s. Nothing was changed.", state=state)
    name = proposal.decided_by.display_name
    return _("%(name)s has decided this already: %(state)s. Nothing was changed.", name=name, state=state)
