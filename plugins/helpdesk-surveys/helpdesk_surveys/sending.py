"""What falls due: send, remind, close. One job, one at a time, in batches."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, Refused, Ticket, Work, db, now, transaction
from helpdesk_surveys import counting, mails
from helpdesk_surveys.clocks import out_of_quiet
from helpdesk_surveys.excluding import Limits, leaves_out, limits_of, tags_of, why_not, write_down
from helpdesk_surveys.links import ballot_of, token
from helpdesk_surveys.models import (
    CLOSED,
    HAND,
    PLANNED,
    SENT,
    SUPPRESSED,
    Invitation,
    Response,
    Survey,
    Version,
)

BATCH = 100
# What could not be sent so long after its time is not sent any more: a desk that was down for long.
LATE = timedelta(days=14)
_AGAIN = timedelta(minutes=10)
# What one invitation may raise that all others do not.
_BROKEN = (LookupError, ValueError, TypeError, Invalid, Refused)
log = logging.getLogger(__name__)


def send_due(work: Work) -> None:
    """See to every invitation whose moment has come (a job in steps).

    A batch is one transaction: mails, states, counts and the log are written together, so that nobody is asked twice,
    however often a worker dies.
    """
    seen = 0
    while ids := _come(now()):
        try:
            with work.step(done=seen + len(ids)):
                seen += see_to(ids, now())
        except _BROKEN:
            seen += _one_by_one(work, ids)
    with work.last_step(result={"invitations": seen}):
        _forget_papers(now())


def send_now() -> int:
    """The same for the command line, in transactions of its own; how many were seen to."""
    seen = 0
    while ids := _come(now()):
        with transaction():
            seen += see_to(ids, now())
    return seen


def see_to(ids: Collection[int], at: datetime) -> int:
    """Do what has come for these, those of them that still wait. Inside the transaction; as many queries for many."""
    query = (
        select(Invitation)
        .where(Invitation.id.in_(ids), Invitation.due_at <= at)
        .order_by(Invitation.id)
        .options(
            joinedload(Invitation.person), joinedload(Invitation.survey),
            joinedload(Invitation.ticket).selectinload(Ticket.tags),
        )
        .with_for_update(of=Invitation)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    found = db.session.scalars(query).all()
    limits = limits_of({one.user_id for one in found if one.user_id is not None})
    versions = _versions(found)
    sent = [one for one in found if _do(one, at, limits, versions)]
    counting.add([(counting.counts_of(one, one.survey), {"invitations": 1}) for one in sent])
    _forget_ballots([one for one in found if one.state == CLOSED and one.survey.anonymous])
    return len(found)


def _do(invitation: Invitation, at: datetime, limits: Limits, versions: dict[int, Version]) -> bool:
    """Whether it was sent now."""
    survey = invitation.survey
    if invitation.state == PLANNED:
        return _send(invitation, survey, at, limits, versions)
    if invitation.closes_at is None or invitation.closes_at <= at:
        # Nothing can be answered or changed any more.
        invitation.state, invitation.due_at = CLOSED, None
    elif invitation.state == SENT and invitation.reminded_at is None:
        _remind(invitation, survey, at, limits, versions)
    else:
        invitation.due_at = invitation.closes_at
    return False


def _send(invitation: Invitation, survey: Survey, at: datetime, limits: Limits, versions: dict[int, Version]) -> bool:
    version = versions.get(survey.version_id or 0)
    due = invitation.due_at or at
    if not survey.active or version is None:
        return _suppress(invitation, survey, "off")
    if at - due > LATE:
        return _suppress(invitation, survey, "late")
    why, words = why_not(invitation, survey, limits)
    if why:
        return _suppress(invitation, survey, why, words)
    if invitation.person is not None and (later := out_of_quiet(survey, invitation.person, at)) > at:
        invitation.due_at = later
        return False
    invitation.version, invitation.version_id = version, version.id
    invitation.sent_at, invitation.closes_at = at, at + timedelta(days=survey.closes_days)
    if invitation.ticket is not None and invitation.source == HAND:
        invitation.tags = sorted(tags_of(invitation.ticket))
    if mails.invite(invitation, survey, version) is None:
        invitation.sent_at = invitation.closes_at = None
        return _suppress(invitation, survey, "no_address")
    invitation.state = SENT
    reminder = at + timedelta(days=survey.reminder_days)
    reminds = survey.reminder_days and reminder < invitation.closes_at
    invitation.due_at = reminder if reminds else invitation.closes_at
    if invitation.user_id is not None:
        limits.count(invitation.user_id)
    return True


def _suppress(invitation: Invitation, survey: Survey, why: str, words: str = "") -> bool:
    invitation.state, invitation.due_at = SUPPRESSED, None
    write_down(survey, invitation.user_id, invitation.ticket_id, why, words)
    return False


def _remind(invitation: Invitation, survey: Survey, at: datetime, limits: Limits, versions: dict[int, Version]) -> None:
    """Once, unless the person is not to be asked any more; it is no second survey, so the cap does not count it."""
    person, version = invitation.person, versions.get(invitation.version_id or 0)
    if person is None or version is None or leaves_out(invitation, survey, limits) or not survey.active:
        invitation.due_at = invitation.closes_at
        return
    if (later := out_of_quiet(survey, person, at)) > at:
        invitation.due_at = min(later, invitation.closes_at or later)
        return
    invitation.reminded_at = at
    invitation.due_at = invitation.closes_at
    mails.remind(invitation, survey, version)


def _forget_ballots(closed: Sequence[Invitation]) -> None:
    """Take from anonymous answers the last thing that led from the link in somebody's mail to them. One statement."""
    if not closed:
        return
    db.session.execute(
        update(Response)
        .where(Response.ballot.in_([ballot_of(token(one)) for one in closed]))
        .values(ballot=None, ballot_until=None),
        execution_options={"synchronize_session": False},
    )


def _forget_papers(at: datetime) -> None:
    """Take from answers whose time has passed the digest by which they could be changed."""
    db.session.execute(
        update(Response).where(Response.ballot_until <= at).values(ballot=None, ballot_until=None),
        execution_options={"synchronize_session": False},
    )


def _versions(found: Sequence[Invitation]) -> dict[int, Version]:
    numbers = {one.version_id or one.survey.version_id for one in found}
    query = select(Version).where(Version.id.in_([number for number in numbers if number is not None]))
    return {version.id: version for version in db.session.scalars(query)}


def _come(at: datetime) -> Sequence[int]:
    db.session.rollback()
    query = select(Invitation.id).where(Invitation.due_at <= at).order_by(Invitation.due_at, Invitation.id)
    return db.session.scalars(query.limit(BATCH)).all()


def _one_by_one(work: Work, ids: Sequence[int]) -> int:
    """See to each alone. What cannot be seen to holds up no other: it is tried again in a while."""
    seen = 0
    for number in ids:
        try:
            with work.step():
                found = see_to([number], now())
            seen += found
        except _BROKEN:
            log.exception("The invitation %s cannot be seen to; it is tried again.", number)
            with work.step():
                db.session.execute(update(Invitation).where(Invitation.id == number).values(due_at=now() + _AGAIN))
    return seen
