"""What a person does about work that went wrong: incoming items, outgoing messages, jobs. Each act is recorded."""

from sqlalchemy import select

from helpdesk.core import audit, deliveries
from helpdesk.core.channels import intake, outbox
from helpdesk.core.channels.intake import Outcome
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Delivery, Intake, Job, User
from helpdesk.core.models.delivery import CANCELLED, FAILED
from helpdesk.core.models.intake import DISCARDED, IGNORED, QUARANTINED
from helpdesk.core.models.job import FAILED as PARKED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction


def retry_incoming(item: Intake, actor: User | None) -> Outcome | None:
    """Act on an item again that was put aside; None when there is nothing to try again. Transactions of its own.

    Audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        if item.state not in (QUARANTINED, IGNORED, DISCARDED):
            return None
        audit.record("incoming.retried", actor, f"#{item.id} {item.sender}".strip())
    return intake.retry(item)


def discard_incoming(item: Intake, actor: User | None) -> bool:
    """Put an item in quarantine aside for good; its bytes stay. False when it is not there.

    One transaction; audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        if item.state != QUARANTINED:
            return False
        intake.discard(item)
        audit.record("incoming.discarded", actor, f"#{item.id} {item.sender}".strip())
    return True


def retry_outgoing(delivery: Delivery, actor: User | None) -> bool:
    """Send a message again that failed or was held back; False when it is neither.

    The job that gave it up is at rest then: a new one sends it. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        if delivery.state not in (FAILED, CANCELLED):
            return False
        given_up = select(Job).where(
            Job.state == PARKED, Job.name == deliveries.JOB, Job.args["delivery_id"].as_integer() == delivery.id
        )
        for job in db.session.scalars(given_up):
            ledger.cancel(job)
        outbox.retry(delivery)
        audit.record("outgoing.retried", actor, f"#{delivery.id} {delivery.address}")
    return True


def retry_job(job: Job, actor: User | None) -> bool:
    """Run a failed or cancelled job again; False when it is neither. One transaction; audited. Raises NotAllowed."""
    require(actor, "job.edit")
    with transaction():
        if (delivery := _given_up_delivery(job)) is not None:
            return retry_outgoing(delivery, actor)
        changed = ledger.retry(job)
        if changed:
            audit.record("job.retried", actor, f"#{job.id} {job.name}")
    return changed


def cancel_job(job: Job, actor: User | None) -> bool:
    """Cancel a job that has not begun; False when it has, or is the desk's own. One transaction; audited; NotAllowed.

    Without its jobs the desk would keep mail waiting for ever; messages are held back by other means.
    """
    require(actor, "job.edit")
    if is_own(job):
        return False
    with transaction():
        changed = ledger.cancel(job)
        if changed:
            audit.record("job.cancelled", actor, f"#{job.id} {job.name}")
    return changed


def is_own(job: Job) -> bool:
    """Whether a job is the core's, no plugin's."""
    return job.name.startswith("core.")


def _given_up_delivery(job: Job) -> Delivery | None:
    """The failed message behind a failed job: run again, the job would find nothing to send."""
    if job.name != deliveries.JOB or job.state != PARKED:
        return None
    delivery = db.session.get(Delivery, job.args.get("delivery_id"))
    return delivery if delivery is not None and delivery.state == FAILED else None
