"""The one next moment of an assignment: remind, say that it is late, tell supervisors."""

from datetime import datetime, timedelta

from helpdesk.api import now, schedule, settings
from helpdesk_training.models import Assignment, Certificate
from helpdesk_training.settings import TrainingSettings

LOOK = "training.look"


def next_of(assignment: Assignment, how: TrainingSettings) -> datetime | None:
    """When something is to happen by itself; None: never."""
    if not assignment.is_open or assignment.due_at is None or assignment.escalated_at is not None:
        return None
    if assignment.late_at is not None:
        return assignment.due_at + timedelta(days=how.escalate_days)
    if assignment.reminded_at is None and how.remind_days:
        reminder = assignment.due_at - timedelta(days=how.remind_days)
        # What was given later than that needs no reminder.
        if reminder > assignment.assigned_at:
            return reminder
    return assignment.due_at


def plan(assignment: Assignment) -> None:
    """Set it anew, after anything has changed. Inside the transaction."""
    assignment.next_at = next_of(assignment, settings(TrainingSettings))


def plan_certificate(certificate: Certificate) -> None:
    """The next moment of a certificate: a refresher, the end. Inside the transaction."""
    certificate.next_at = None
    if certificate.revoked_at is not None or certificate.expires_at is None or certificate.expired_at is not None:
        return
    days = certificate.course.refresher_days
    soon = certificate.expires_at - timedelta(days=days)
    wants = days > 0 and certificate.refreshed_at is None and soon > certificate.earned_at
    certificate.next_at = soon if wants else certificate.expires_at


def wake(at: datetime | None) -> None:
    """Have a worker look then, should it be soon; what is later is found by the clock. Inside the transaction."""
    if at is not None and at - now() < timedelta(minutes=10):
        schedule(LOOK, at=at)
