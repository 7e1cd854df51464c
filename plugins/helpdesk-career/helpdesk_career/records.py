"""The history of levels: entries that are never changed, and corrections that name what they correct."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, Refused, User, allowed, db, drop_cached, hookimpl, now, publish, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_career import words
from helpdesk_career.models import (
    CORRECTED,
    ENDED,
    LOWERED,
    MOVED,
    OPEN,
    PLACED,
    WITHDRAWN,
    Level,
    Person,
    Proposal,
    Step,
    Track,
)
from helpdesk_career.permissions import MANAGE
from helpdesk_career.scopes import is_here, require_lead, sees


def place(user: User, level: Level, why: str, actor: User | None, held_from: date | None = None) -> Step:
    """Give somebody their first level, or one of another track or a lower one; a higher one takes a proposal.

    Joins or opens. Raises :class:`Invalid` (level, why, held_from), :class:`Refused`, and :class:`NotAllowed`.
    """
    require_lead(actor, user)
    reason = words.clean(why, "why", needed=_("Say why."))
    began = _moment(held_from, "held_from")
    if not is_here(user):
        raise Refused(_("%(name)s does not work here any more.", name=user.display_name))
    with transaction():
        person = locked(user)
        lock_level(level)
        if person.level_id == level.id:
            raise Invalid("level", _("%(name)s has this level already.", name=user.display_name))
        kind = PLACED
        if person.level is not None:
            # Decided on the rows as they are locked: somebody may have been promoted a moment ago.
            if person.level.track_id == level.track_id and person.level.position < level.position and actor is not None:
                raise Invalid("level", _("A higher level takes a proposal that somebody approves."))
            kind = LOWERED if person.level.track_id == level.track_id else MOVED
        if actor is not None and not allowed(actor, MANAGE) and not _is_by_hand(user, level):
            raise Invalid("level", _("A higher level takes a proposal that somebody approves."))
        return add_step(person, user, level, kind, reason, actor, began, {})


def _is_by_hand(user: User, level: Level) -> bool:
    """Whether whoever leads somebody gives them a level alone: the first one of all, or of a track; one held before.

    Otherwise leaving the ladder, or going by another track, would be a promotion that nobody approves.
    """
    steps = db.session.scalars(select(Step).where(Step.user_id == user.id).order_by(Step.id)).all()
    if not steps:
        return True
    held = [step.level_id for step in in_force(steps) if step.level_id is not None]
    before = select(func.max(Level.position)).where(Level.id.in_(held), Level.track_id == level.track_id)
    highest = db.session.scalar(before)
    if highest is None:
        first = select(func.min(Level.position)).where(Level.track_id == level.track_id, Level.retired_at.is_(None))
        highest = db.session.scalar(first)
    return highest is None or level.position <= highest


def end(user: User, why: str, actor: User | None, held_from: date | None = None) -> Step | None:
    """Take somebody off the ladder; what was recorded stays. None when they have no level. Joins or opens."""
    require_lead(actor, user)
    reason = words.clean(why, "why", needed=_("Say why."))
    began = _moment(held_from, "held_from")
    with transaction():
        person = locked(user)
        withdraw_open(user, _("They have left the ladder."))
        if person.level_id is None:
            return None
        return add_step(person, user, None, ENDED, reason, actor, began, {})


def correct(step: Step, level: Level | None, why: str, actor: User | None, held_from: date | None = None) -> Step:
    """Write what should have stood in an entry: another level, or another day; without a level it is taken back.

    The entry stays as it is, and a correction is corrected in turn, not the entry again. Joins or opens. Raises
    :class:`Invalid` (level, why, held_from), :class:`Refused` when somebody else was quicker, and :class:`NotAllowed`.
    """
    user = db.session.get_one(User, step.user_id)
    require_lead(actor, user)
    reason = words.clean(why, "why", needed=_("Say what was wrong."))
    began = _moment(held_from, "held_from") if held_from is not None else step.held_from
    with transaction():
        person = locked(user)
        if db.session.scalar(select(Step.id).where(Step.corrects_id == step.id)) is not None:
            raise Refused(_("This entry has been corrected already. Correct the correction."))
        if level is not None:
            lock_level(level, retired=True)
            if _is_higher(level, step) and actor is not None:
                raise Invalid("level", _("A higher level takes a proposal that somebody approves."))
        return add_step(person, user, level, CORRECTED, reason, actor, began, {}, corrects_id=step.id)


def _is_higher(level: Level, step: Step) -> bool:
    """Whether a correction would give more than the entry said."""
    if step.level_id is None:
        return level.id != step.from_level_id
    if step.level_id == level.id:
        return False
    said = db.session.get_one(Level, step.level_id)
    return said.track_id != level.track_id or level.position > said.position


def history(user: User) -> Sequence[Step]:
    """All entries, the newest first, with who made them. One query."""
    query = select(Step).where(Step.user_id == user.id).order_by(Step.id.desc())
    return db.session.scalars(query.options(joinedload(Step.by), joinedload(Step.proposal))).all()


def step_for(actor: User, step_id: int) -> Step | None:
    """An entry, if ``actor`` sees whose it is."""
    step = db.session.get(Step, step_id)
    return step if step is not None and sees(actor, step.user_id) else None


def in_force(steps: Sequence[Step]) -> list[Step]:
    """The entries that hold after all corrections, by the day from which they hold."""
    by_id = {step.id: step for step in steps}
    replaced = {step.corrects_id for step in steps if step.corrects_id is not None}
    kept = []
    for step in steps:
        if step.id in replaced:
            continue
        first = step
        while first.corrects_id is not None and first.corrects_id in by_id:
            first = by_id[first.corrects_id]
        # A correction without a level takes an entry back, unless that was an end itself.
        if step.level_id is None and step.kind == CORRECTED and first.kind != ENDED:
            continue
        kept.append((step.held_from, first.id, step))
    return [step for _from, _first, step in sorted(kept, key=lambda one: one[:2])]


# ---- inside a transaction that is open


def locked(user: User) -> Person:
    """The row of a person, locked; made when there is none."""
    query = select(Person).where(Person.user_id == user.id).with_for_update(of=Person)
    person = db.session.scalar(query.execution_options(populate_existing=True))
    if person is None:
        # Two at once: the user's row makes them wait for one another.
        db.session.execute(select(User.id).where(User.id == user.id).with_for_update())
        person = db.session.scalar(query.execution_options(populate_existing=True))
    if person is None:
        person = Person(user_id=user.id)
        db.session.add(person)
        db.session.flush()
    return person


def lock_level(level: Level, retired: bool = False) -> None:
    """Keep a level from being removed meanwhile. Raises :class:`Invalid` when it is gone or given to nobody new."""
    query = select(Level).where(Level.id == level.id).with_for_update(of=Level)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Invalid("level", _("There is no such level any more. Choose another one."))
    if not retired and (found.retired_at is not None or found.track.retired_at is not None):
        raise Invalid("level", _("This level is given to nobody new. Choose another one."))


def add_step(
    person: Person, user: User, level: Level | None, kind: str, why: str, actor: User | None, held_from: datetime,
    evidence: Mapping[str, Any], corrects_id: int | None = None, proposal_id: int | None = None,
) -> Step:  # fmt: skip
    """Write an entry and make anew where the person stands."""
    before = person.level
    with speaking(None):
        said, was = (words.full_name(level) if level else "", words.full_name(before) if before else "")
    step = Step(
        user_id=user.id, kind=kind, level_id=level.id if level else None, from_level_id=before.id if before else None,
        level_name=said, from_name=was, held_from=held_from, by_id=actor.id if actor else None, why=why,
        evidence=dict(evidence), corrects_id=corrects_id, proposal_id=proposal_id,
    )  # fmt: skip
    db.session.add(step)
    db.session.flush()
    rebuild(person)
    if person.level_id != (before.id if before else None):
        with speaking(None):
            name = words.full_name(db.session.get(Level, person.level_id)) if person.level_id else ""
        publish(
            "career_level_changed",
            user_id=user.id,
            level_id=person.level_id,
            from_level_id=before.id if before else None,
            level=name,
        )
    return step


def rebuild(person: Person) -> None:
    """Make where somebody stands from their entries; what others have cached of it is dropped."""
    steps = db.session.scalars(select(Step).where(Step.user_id == person.user_id).order_by(Step.id)).all()
    holding = in_force(steps)
    newest = holding[-1] if holding else None
    person.level_id = newest.level_id if newest is not None else None
    person.since = None
    if newest is not None and newest.level_id is not None:
        # The same level twice in a row has been held since the first time.
        first = newest
        for step in reversed(holding):
            if step.level_id != newest.level_id:
                break
            first = step
        person.since = first.held_from
    person.left_at = newest.held_from if newest is not None and newest.level_id is None else None
    person.stale = True
    db.session.flush()
    db.session.expire(person, ["level"])
    drop_cached()


def withdraw_open(user: User, answer: str) -> None:
    """Take back the proposal that is open for somebody, if there is one."""
    query = select(Proposal).where(Proposal.user_id == user.id, Proposal.state == OPEN).with_for_update(of=Proposal)
    for proposal in db.session.scalars(query.execution_options(populate_existing=True)).all():
        proposal.state, proposal.decided_at, proposal.answer = WITHDRAWN, now(), answer


def _moment(day: date | None, field: str) -> datetime:
    if day is None:
        return now()
    if day.year < 1970:
        raise Invalid(field, _("Choose a day after 1970."))
    moment = datetime.combine(day, time(), UTC)
    if moment > now():
        raise Invalid(field, _("This day has not come yet."))
    return moment


# ---- who stands where, for others


@hookimpl(optionalhook=True)
def training_groups() -> list[dict[str, Any]]:
    """Who holds each level: whom rules of courses may name."""
    rows = db.session.execute(
        select(Person.level_id, Person.user_id)
        .join(User, User.id == Person.user_id)
        .where(Person.level_id.is_not(None), User.active)
        .order_by(Person.level_id, Person.user_id)
    )
    holders: dict[int, list[int]] = {}
    for level_id, user_id in rows:
        holders.setdefault(level_id or 0, []).append(user_id)
    query = select(Level).join(Track).order_by(Track.position, Track.id, Level.position, Level.id)
    return [
        {"key": f"career.level:{level.id}", "label": words.full_name(level), "user_ids": holders.get(level.id, [])}
        for level in db.session.scalars(query.options(joinedload(Level.track)))
        if level.retired_at is None or level.id in holders
    ]
