"""Certificates: earned with a course, found by their serial, revoked, and what they are told of."""

import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, Refused, User, audit, db, drop_cached, now, publish, transaction
from helpdesk.api import gettext as _
from helpdesk_training import moments
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import Assignment, Certificate
from helpdesk_training.scopes import require_about

# Without what is taken for something else.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def issue(assignment: Assignment) -> Certificate:
    """The certificate of an assignment that is done; plugins hear of it. Inside the transaction."""
    course, moment = assignment.course, assignment.done_at or now()
    certificate = Certificate(
        user_id=assignment.user_id, course_id=course.id, version_id=assignment.version_id, assignment_id=assignment.id,
        serial=_serial(), score=assignment.score, earned_at=moment,
        expires_at=moment + timedelta(days=course.valid_days) if course.valid_days is not None else None,
    )  # fmt: skip
    certificate.course = course
    # The ones before it end in silence.
    older = (Certificate.user_id == assignment.user_id, Certificate.course_id == course.id)
    db.session.execute(update(Certificate).where(*older).values(next_at=None))
    moments.plan_certificate(certificate)
    db.session.add(certificate)
    db.session.flush()
    # Rights may hang on it.
    drop_cached()
    publish(
        "training_course_completed", user_id=assignment.user_id, course_id=course.id, assignment_id=assignment.id,
        certificate_id=certificate.id, score=assignment.score,
    )  # fmt: skip
    return certificate


def revoke(certificate: Certificate, why: str, actor: User | None) -> Certificate:
    """Have a certificate count no more; it stays, with the reason. Joins or opens the transaction.

    Raises :class:`Invalid` (why), :class:`Refused` when it was revoked already, :class:`NotAllowed`.
    """
    require_about(actor, certificate.user_id)
    words = storable(why)
    if not words or len(words) > 2_000:
        raise Invalid("why", _("Say why, so that the person knows."))
    with transaction():
        lock(certificate)
        if certificate.revoked_at is not None:
            raise Refused(_("It was revoked already."))
        certificate.revoked_at, certificate.revoked_why = now(), words
        certificate.revoked_by_id, certificate.next_at = actor.id if actor is not None else None, None
        audit("training.certificate_revoked", actor, certificate.course.name,
              {"certificate": certificate.id, "person": certificate.user_id})  # fmt: skip
        tell_end(certificate)
    return certificate


def tell_end(certificate: Certificate) -> None:
    """Tell plugins that a certificate counts no more. Inside the transaction."""
    drop_cached()
    publish(
        "training_certificate_expired", user_id=certificate.user_id, course_id=certificate.course_id,
        certificate_id=certificate.id, revoked=certificate.revoked_at is not None,
    )  # fmt: skip


def of(user_id: int) -> Sequence[Certificate]:
    """What somebody has earned, the newest first."""
    query = select(Certificate).where(Certificate.user_id == user_id).options(joinedload(Certificate.course))
    return db.session.scalars(query.order_by(Certificate.earned_at.desc(), Certificate.id.desc()).limit(500)).all()


def by_serial(serial: str) -> Certificate | None:
    """A certificate by what is printed on it, however it is written."""
    wanted = "".join(serial.upper().replace("-", "").split())
    if len(wanted) != 12:
        return None
    query = select(Certificate).where(Certificate.serial == f"{wanted[:4]}-{wanted[4:8]}-{wanted[8:]}")
    return db.session.scalar(query.options(joinedload(Certificate.course), joinedload(Certificate.person)))


def holders(course_id: int, user_ids: Collection[int] | None = None) -> set[int]:
    """Who holds a valid certificate of a course now. One query."""
    query = select(Certificate.user_id).where(Certificate.course_id == course_id, Certificate.in_force(now()))
    found = set(db.session.scalars(query.distinct()))
    return found if user_ids is None else found & set(user_ids)


def _serial() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _number in range(12))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
