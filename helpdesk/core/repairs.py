"""What a person does about work that went wrong: incoming items, outgoing messages, jobs, the queue.

Each act is recorded; an act on many takes at most :data:`AT_ONCE` and answers how many it was.
"""

from sqlalchemy import Select, delete, func, select

from helpdesk.core import audit, deliveries
from helpdesk.core.channels import intake, outbox, pauses
from helpdesk.core.channels.items import Outcome
from helpdesk.core.events import held
from helpdesk.core.events.record import DISPATCH
from helpdesk.core.extensions import db
from helpdesk.core.jobs import known, ledger
from helpdesk.core.jobs.given_up import JOB as FOLLOWING
from helpdesk.core.models import Delivery, Intake, Job, Message, QuarantinedMessage, User
from helpdesk.core.models.delivery import AT_REST, BOUNCED, CANCELLED, FAILED, WAITING
from helpdesk.core.models.intake import DISCARDED, IGNORED, QUARANTINED
from helpdesk.core.models.job import CANCELLED as LAID_DOWN
from helpdesk.core.models.job import FAILED as PARKED
from helpdesk.core.models.job import RUNNING
from helpdesk.core.models.job import WAITING as AWAITING
from helpdesk.core.permissions import require
from helpdesk.core.transaction import count_rows, transaction

AT_ONCE = 500
# Without these the desk would keep mail and facts waiting for ever; each is held back by other means.
_CARRIERS = frozenset({deliveries.JOB, intake.JOB, DISPATCH, held.RETRY_JOB, FOLLOWING})


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


def accept_incoming(item: Intake, actor: User | None) -> Outcome | None:
    """Take an item in that was held, for want of proof of its sender or by a rule; None when it is not held.

    It gives nobody rights (:func:`intake.accept`). Transactions of its own. Audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        db.session.refresh(item, with_for_update={"of": Intake})
        if item.state != QUARANTINED:
            return None
        audit.record("incoming.accepted", actor, f"#{item.id} {item.sender}".strip())
    return intake.accept(item)


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
    """Send a message again that failed, came back or was held back; False when it is none of these.

    A new job sends it. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        if not outbox.retry(Delivery.id == delivery.id):
            return False
        audit.record("outgoing.retried", actor, f"#{delivery.id} {delivery.address}")
    return True


def resend(message: Message, actor: User | None) -> int:
    """Send the copies of a message again that failed or came back; answer how many.

    Who may answer on its ticket may do so. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "ticket.reply", message.ticket)
    with transaction():
        gone = (Delivery.message_id == message.id, Delivery.state.in_((FAILED, BOUNCED)))
        count = outbox.retry(*gone, limit=AT_ONCE)
        if count:
            audit.record("outgoing.retried", actor, f"#{message.ticket_id}", {"messages": count})
    return count


def count_failed_outgoing() -> int:
    """How many messages have failed, counted up to :data:`AT_ONCE`. One query."""
    return _count(select(Delivery.id).where(Delivery.state == FAILED))


def retry_failed_outgoing(actor: User | None) -> int:
    """Send the failed messages again, the oldest first; answer how many.

    One transaction; audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        count = outbox.retry(Delivery.state == FAILED, limit=AT_ONCE)
        if count:
            audit.record("outgoing.retried", actor, "", {"messages": count})
    return count


def try_outgoing(actor: User | None, delivery: Delivery | None = None) -> int:
    """Try a message now that waits for another try, or (None) all of them, the oldest first; answer how many.

    One transaction; audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        count = pauses.end(*() if delivery is None else (Delivery.id == delivery.id,))
        if count:
            subject = "" if delivery is None else f"#{delivery.id} {delivery.address}"
            audit.record("outgoing.tried", actor, subject, {"messages": count})
    return count


def cancel_outgoing(delivery: Delivery, actor: User | None) -> bool:
    """Hold a waiting message back for good; False when it does not wait, or is being sent this moment.

    One transaction; audited. Raises NotAllowed.
    """
    require(actor, "intake.edit")
    with transaction():
        db.session.refresh(delivery, with_for_update={"of": Delivery})
        if delivery.state != WAITING or outbox.is_being_sent(delivery):
            return False
        delivery.state, delivery.next_at = CANCELLED, None
        audit.record("outgoing.cancelled", actor, f"#{delivery.id} {delivery.address}")
    return True


def retry_job(job: Job, actor: User | None) -> bool:
    """Run a failed or cancelled job again; False when it is neither.

    Where it sent a message that is at rest, that one is sent again. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "job.edit")
    with transaction():
        if (delivery := _delivery_at_rest(job)) is not None:
            return retry_outgoing(delivery, actor)
        changed = ledger.retry(job)
        if changed:
            audit.record("job.retried", actor, f"#{job.id} {job.name}")
    return changed


def count_failed(name: str) -> int:
    """How many jobs of that name have failed, counted up to :data:`AT_ONCE`. One query."""
    return _count(select(Job.id).where(Job.name == name, Job.state == PARKED))


def retry_failed(name: str, actor: User | None) -> int:
    """Run the failed jobs of that name again, the oldest first; answer how many.

    Where they send messages, it is the messages that are sent again. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "job.edit")
    if name == deliveries.JOB:
        return retry_failed_outgoing(actor)
    with transaction():
        changed = ledger.retry_failed(name, AT_ONCE)
        if changed:
            audit.record("job.retried", actor, name, {"jobs": changed})
    return changed


def cancel_job(job: Job, actor: User | None) -> bool:
    """Cancel a job that does not run, or ask one that runs in steps to stop after its step.

    False when it is done, runs in one piece, or carries mail or facts. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "job.edit")
    if not may_cancel(job):
        return False
    with transaction():
        changed = ledger.cancel(job)
        if changed:
            audit.record("job.cancelled", actor, f"#{job.id} {job.name}")
    return changed


def may_cancel(job: Job) -> bool:
    """Whether a person may cancel a job as it stands: no carrier of mail or facts, and none that runs in one piece."""
    if is_carrier(job) or job.cancel_asked:
        return False
    if job.state != RUNNING or job.started_at is None:
        return job.state in (RUNNING, AWAITING, PARKED)
    declared = known.declared(job.name)
    return declared is not None and declared.takes_work


def is_carrier(job: Job) -> bool:
    """Whether mail or facts would wait for ever without this job."""
    return job.name in _CARRIERS


def clear_quarantine(up_to: int, actor: User | None) -> int:
    """Forget the messages of the queue that were put aside, up to that number; answer how many.

    ``up_to`` is the newest that the person has seen. One transaction; audited. Raises NotAllowed.
    """
    require(actor, "job.edit")
    with transaction():
        gone = count_rows(delete(QuarantinedMessage).where(QuarantinedMessage.id <= up_to))
        if gone:
            audit.record("queue.cleared", actor, "", {"messages": gone})
    return gone


def _count(query: Select[int]) -> int:
    return db.session.scalar(select(func.count()).select_from(query.limit(AT_ONCE).subquery())) or 0


def _delivery_at_rest(job: Job) -> Delivery | None:
    """The message at rest behind a failed or cancelled job: run again, the job would find nothing to send."""
    if job.name != deliveries.JOB or job.state not in (PARKED, LAID_DOWN):
        return None
    delivery = db.session.get(Delivery, job.args.get("delivery_id"))
    return delivery if delivery is not None and delivery.state in AT_REST else None
