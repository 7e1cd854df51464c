"""The pause of an outgoing message after a failure, cut short when what kept it is mended."""

from sqlalchemy import ColumnElement, literal_column, select, update

from helpdesk.core.clock import now
from helpdesk.core.deliveries import JOB
from helpdesk.core.extensions import db
from helpdesk.core.jobs.ledger import nudge
from helpdesk.core.models import Delivery, Job
from helpdesk.core.models.delivery import WAITING
from helpdesk.core.models.job import PRIORITIES
from helpdesk.core.transaction import after_commit, transaction

AT_ONCE = 500
# Written out: SQLite uses a partial index only where the statement itself says what is in it.
_IS_WAITING = Job.state == literal_column("'waiting'")


def send_waiting(channel: str) -> int:
    """Try what waits on a channel now, the oldest first; answer how many. For a channel that was seen to work.

    At most :data:`AT_ONCE`; those that succeed take the others along. Joins or opens the transaction.
    """
    return end(Delivery.channel == channel)


def end(*which: ColumnElement[bool]) -> int:
    """Try those of ``which`` now that wait until a later moment, the oldest first; answer how many.

    Each try counts as any other. At most :data:`AT_ONCE`. Joins or opens the transaction.
    """
    moment = now()
    # By the jobs that are due later: of many messages that wait to be sent at once, none is looked at.
    later = (_IS_WAITING, Job.priority.in_(PRIORITIES), Job.run_at > moment, Job.name == JOB)
    paused = (Delivery.state == WAITING, Delivery.next_at > moment)
    query = select(Delivery.id, Delivery.job_id).join(Job, Job.id == Delivery.job_id).where(*later, *paused, *which)
    query = query.order_by(Delivery.id).limit(AT_ONCE).with_for_update(of=Delivery, skip_locked=True)
    with transaction():
        rows = db.session.execute(query).all()
        if not rows:
            return 0
        jobs, numbers = [row.job_id for row in rows], [row.id for row in rows]
        db.session.execute(update(Job).where(Job.id.in_(jobs), _IS_WAITING).values(run_at=moment))
        db.session.execute(update(Delivery).where(Delivery.id.in_(numbers)).values(next_at=moment))
        after_commit(lambda: nudge(moment))
    return len(rows)
