"""What falls due: remind, say that it is late, tell supervisors, renew certificates, end them. In batches."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import Invalid, Refused, User, Work, db, now, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_training import mails, moments
from helpdesk_training.assigning import Cause, give
from helpdesk_training.certificates import tell_end
from helpdesk_training.models import PUBLISHED, REFRESHER, WITHDRAWN, Assignment, Certificate
from helpdesk_training.scopes import STAFF

BATCH = 100
SeeTo = Callable[[Collection[int], datetime], None]
_AGAIN = timedelta(hours=1)
# What one row may raise that all others do not.
_BROKEN = (LookupError, ValueError, TypeError, Invalid, Refused)
log = logging.getLogger(__name__)


def look(work: Work) -> None:
    """See to every assignment and certificate whose moment has come (a job in steps).

    A batch is one transaction: mails and states are written together, so that nobody is told twice, however often a
    worker dies.
    """
    seen = 0
    for table, see_to in ((Assignment, see_to_assignments), (Certificate, see_to_certificates)):
        while ids := _come(table, now()):
            try:
                with work.step(done=seen + len(ids)):
                    see_to(ids, now())
            except _BROKEN:
                _one_by_one(work, table, see_to, ids)
            seen += len(ids)
    with work.last_step(result={"seen": seen}):
        pass


def look_now() -> int:
    """The same for the command line, in transactions of its own; how many were seen to."""
    seen = 0
    for table, see_to in ((Assignment, see_to_assignments), (Certificate, see_to_certificates)):
        while ids := _come(table, now()):
            with transaction():
                see_to(ids, now())
            seen += len(ids)
    return seen


def see_to_assignments(ids: Collection[int], at: datetime) -> None:
    """Do what has come for these. Inside the transaction; as many queries for many as for one."""
    query = (
        select(Assignment)
        .where(Assignment.id.in_(ids), Assignment.next_at <= at)
        .order_by(Assignment.id)
        .options(joinedload(Assignment.course), joinedload(Assignment.person).options(selectinload(User.teams)))
        .with_for_update(of=Assignment)
        .execution_options(populate_existing=True)
    )
    late = [one for one in db.session.scalars(query).all() if _is_to_escalate(one, at)]
    _escalate(late, at)
    db.session.flush()


def see_to_certificates(ids: Collection[int], at: datetime) -> None:
    """The same of certificates; each course that is given again asks for itself."""
    query = (
        select(Certificate)
        .where(Certificate.id.in_(ids), Certificate.next_at <= at)
        .order_by(Certificate.id)
        .options(joinedload(Certificate.course), joinedload(Certificate.person))
        .with_for_update(of=Certificate)
        .execution_options(populate_existing=True)
    )
    for certificate in db.session.scalars(query).all():
        if certificate.expires_at is not None and certificate.expires_at <= at:
            _expire(certificate, at)
        else:
            _refresh(certificate, at)
        moments.plan_certificate(certificate)
    db.session.flush()


def _is_to_escalate(assignment: Assignment, at: datetime) -> bool:
    """Remind the person, or say that it is late; whether supervisors are to be told as well."""
    person, due = assignment.person, assignment.due_at
    if not person.active or person.role not in STAFF:
        with speaking(None):
            assignment.withdrawn_why = _("The person is not on the staff any more.")
        assignment.state, assignment.next_at = WITHDRAWN, None
        return False
    if not assignment.is_open or due is None:
        assignment.next_at = None
        return False
    if at >= due and assignment.late_at is not None:
        return True
    if at < due:
        assignment.reminded_at = at
    else:
        assignment.late_at = at
    moments.plan(assignment)
    (mails.reminder if at < due else mails.late)(assignment)
    return False


def _escalate(late: Sequence[Assignment], at: datetime) -> None:
    """Each supervisor gets one mail about all of them."""
    if not late:
        return
    told: dict[int, tuple[User, list[Assignment]]] = {}
    chiefs = mails.chiefs_of({one.user_id: one.person for one in late}.values())
    for one in late:
        one.escalated_at = at
        moments.plan(one)
        for chief in chiefs[one.user_id]:
            told.setdefault(chief.id, (chief, []))[1].append(one)
    for chief, some in told.values():
        mails.escalation(chief, some)


def _refresh(certificate: Certificate, at: datetime) -> None:
    """Give the course again while the certificate still counts."""
    certificate.refreshed_at = at
    person, course = certificate.person, certificate.course
    if not person.active or person.role not in STAFF or course.state != PUBLISHED:
        return
    give([person], [(course, certificate.expires_at)], Cause(REFRESHER, again=True), tell=False)
    mails.expiring(certificate)


def _expire(certificate: Certificate, at: datetime) -> None:
    certificate.expired_at = at
    tell_end(certificate)
    if certificate.person.active and certificate.person.role in STAFF:
        mails.expired(certificate)


def _come(table: type[Assignment] | type[Certificate], at: datetime) -> list[int]:
    query = select(table.id).where(table.next_at <= at).order_by(table.next_at, table.id).limit(BATCH)
    return list(db.session.scalars(query))


def _one_by_one(work: Work, table: type[Assignment] | type[Certificate], see_to: SeeTo, ids: Sequence[int]) -> None:
    """Those that can be seen to are; the one that cannot is put off, so that it holds up nobody."""
    for number in ids:
        try:
            with work.step():
                see_to([number], now())
        except _BROKEN:
            log.exception("Training: %s %s could not be seen to; it is tried again later.", table.__name__, number)
            with work.step():
                db.session.execute(update(table).where(table.id == number).values(next_at=now() + _AGAIN))
