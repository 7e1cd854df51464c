"""Anything going out: a waiting delivery is rendered in its reader's language and handed to its channel."""

import logging
import random
import time
from collections.abc import Sequence
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload

from helpdesk.core import deliveries, workflow
from helpdesk.core.accounts import INVITATION
from helpdesk.core.channels import pauses, turns
from helpdesk.core.channels.composing import compose, locale_of
from helpdesk.core.clock import now
from helpdesk.core.deliveries import JOB
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.i18n import speaking
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.ledger import NotYet
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Delivery, Job
from helpdesk.core.models import job as jobs
from helpdesk.core.models.delivery import AT_REST, BOUNCED, CANCELLED, FAILED, SENT, WAITING
from helpdesk.core.transaction import Busy, transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel, DeliveryFailed, Reject

log = logging.getLogger(__name__)

# Between the attempts. Nearly four days in all: a mail server that is down over a weekend loses nothing.
PAUSES = tuple(timedelta(minutes=number) for number in (1, 5, 15, 60, 240, 720, 1440))
ATTEMPTS = 10
# It is woken when its plugin is switched on; this is for one that comes with a restart.
_CHANNEL_OFF = timedelta(minutes=15)
# What was sent is tried to be noted for so long, so often, before the job is given back and it is sent once more.
_NOTING = timedelta(minutes=1)
_NOTING_PAUSE = timedelta(seconds=1)


def deliver(delivery_id: int, work: Work) -> None:
    """Send one waiting delivery (a job in steps). Sent, failed and cancelled ones are left alone, and those that
    another job is to send.

    Takes it in a transaction of its own; nobody holds it back from then on. Renders outside transactions, asks
    ``before_delivery_sent``, hands it to the channel, then writes the state together with the end of the job. Killed
    in between, or where the desk cannot write for a minute after it, it is sent again under the same identity. Raises
    :class:`NotYet` for a retry, and while it waits for its turn.
    """
    if not _take(work, delivery_id):
        return
    options = [joinedload(Delivery.user), joinedload(Delivery.ticket)]
    delivery = db.session.get_one(Delivery, delivery_id, options=options)
    if delivery.address.endswith(".invalid"):
        # RFC 2606: nobody can ever be there; sample customers are.
        _finish(work, delivery_id, CANCELLED, _("This is a sample address; nothing is sent to it."))
        return
    if delivery.kind == deliveries.CARE and not (delivery.user and deliveries.takes_care(delivery.user)):
        _finish(work, delivery_id, CANCELLED, _("This person wants no such mail, or cannot be reached."))
        return
    if delivery.kind == INVITATION and delivery.user is not None and delivery.user.password_hash:
        # A late one would carry a link that lets its reader choose another password.
        _finish(work, delivery_id, CANCELLED, _("They have a password already; send them a link by mail instead."))
        return
    channel: Channel | None = manager.current().find("register_channels", delivery.channel)
    if channel is None or channel.send is None:
        raise _put_off(work, delivery_id, _("The channel “%(name)s” is off.", name=delivery.channel))
    turns.wait_for_earlier(delivery)
    turns.take_place(delivery, channel)
    with speaking(locale_of(delivery)) as locale:
        try:
            outgoing = compose(delivery, locale)
            outgoing = manager.current().before("before_delivery_sent", "outgoing", outgoing=outgoing)
            channel.send(outgoing)
        except Reject as rejection:
            _finish(work, delivery_id, CANCELLED, rejection.reason)
        except DeliveryFailed as failure:
            if not failure.permanent:
                raise _later(work, delivery_id, failure.sentence) from failure
            _finish(work, delivery_id, FAILED, failure.sentence, unreachable=failure.unreachable)
        except Busy:
            raise
        except Exception as error:
            log.exception("Outgoing message %s could not be handed to %s.", delivery_id, channel.name)
            raise _later(work, delivery_id, f"{type(error).__name__}: {error}") from error
        else:
            _finish(work, delivery_id, SENT, "")


def given_up(delivery_id: int, reason: str) -> None:
    """The job ran out of attempts: the delivery is failed and the ticket says so. Joins or opens the transaction."""
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.state == WAITING)
    with transaction():
        if (delivery := db.session.scalar(query.with_for_update(of=Delivery))) is not None:
            _settle(delivery, FAILED, reason)


def bounced(identity: str, reason: str) -> bool:
    """A message that was sent has come back: mark it so and say it on its ticket. For channels.

    ``identity`` is the one that it travelled under, ``reason`` a sentence or the other side's words. False when the
    desk sent no such message, or knows already. Joins or opens the transaction.
    """
    with transaction():
        query = select(Delivery).where(Delivery.identity == identity, Delivery.state.in_((SENT, WAITING)))
        delivery = db.session.scalar(query.with_for_update(of=Delivery))
        if delivery is None:
            return False
        delivery.state, delivery.error, delivery.next_at = BOUNCED, reason, None
        _tell(delivery, "delivery_bounced", reason)
    return True


def mark_unreachable(delivery: Delivery, reason: str) -> None:
    """Note on the person that messages to the address do not arrive. Joins the open transaction."""
    person = delivery.user
    # Somebody who has another address by now is not to blame for this one.
    if person is not None and person.email == delivery.address:
        person.bounced_at, person.bounce_reason = now(), reason


def retry(*which: ColumnElement[bool], limit: int = 1) -> int:
    """Send deliveries again that failed, came back or were cancelled: the oldest ``limit`` of ``which``.

    Each gets a new job; those that were to send it before are cancelled. Answers how many there were. Joins or opens
    the transaction.
    """
    with transaction():
        query = select(Delivery).where(Delivery.state.in_(AT_REST), *which).order_by(Delivery.id).limit(limit)
        # Locked: of two who ask at once, the second finds that they wait.
        query = query.with_for_update(of=Delivery).execution_options(populate_existing=True)
        rows = db.session.scalars(query).all()
        _lay_down([row.id for row in rows])
        for row in rows:
            row.state, row.sent_at, row.next_at = WAITING, None, None
            row.job_id = ledger.schedule(JOB, delivery_id=row.id).id
    return len(rows)


def is_being_sent(delivery: Delivery) -> bool:
    """Whether its job has begun. In the transaction that has locked the delivery, a "no" holds until its end."""
    begun = (Job.id == delivery.job_id, Job.state == jobs.RUNNING, Job.started_at.is_not(None))
    return db.session.scalar(select(Job.id).where(*begun)) is not None


def _lay_down(numbers: Sequence[int]) -> None:
    """Cancel the jobs that wait to send these deliveries, or have given them up."""
    theirs = (Job.name == JOB, Job.args["delivery_id"].as_integer().in_(numbers))
    laid_down = {"state": jobs.CANCELLED, "key": None, "finished_at": now()}
    db.session.execute(update(Job).where(Job.state.in_((jobs.WAITING, jobs.FAILED)), *theirs).values(laid_down))


def _take(work: Work, delivery_id: int) -> bool:
    """Whether this job sends the delivery: it waits still, and no other job is to do it. A transaction of its own."""
    with transaction():
        work.heed()
        row = _mine(work, delivery_id)
        if row is not None:
            row.job_id = work.job_id
        return row is not None


def _later(work: Work, delivery_id: int, reason: str) -> NotYet:
    """Write down that it could not be sent now; what is to be raised for another attempt after a pause."""
    pause = PAUSES[min(work.attempt, len(PAUSES)) - 1] * random.uniform(0.9, 1.1)
    with transaction():
        if (row := _mine(work, delivery_id)) is not None:
            _settle(row, WAITING, reason)
            row.next_at = now() + pause
    return NotYet(reason, after=pause)


def _put_off(work: Work, delivery_id: int, reason: str) -> NotYet:
    """Write down why nothing can be tried; what is to be raised, which uses up no attempt."""
    with transaction():
        if (row := _mine(work, delivery_id)) is not None:
            row.error, row.next_at = reason, now() + _CHANNEL_OFF
    return NotYet(reason, after=_CHANNEL_OFF, counts=False)


def _finish(work: Work, delivery_id: int, state: str, error: str, *, unreachable: bool = False) -> None:
    """The delivery's last state and the end of the job are one transaction.

    A desk that cannot write just now is asked again and again for a while: given back, the job would send once more.
    """
    end = time.monotonic() + _NOTING.total_seconds()
    while True:
        try:
            with work.last_step():
                if (row := _mine(work, delivery_id)) is not None:
                    kept_by = row.error
                    _settle(row, state, error)
                    if state == SENT and kept_by:
                        pauses.end(_waited_beside(row, kept_by))
                    if unreachable:
                        mark_unreachable(row, error)
            return
        except (Busy, OperationalError):
            if time.monotonic() > end:
                raise
            log.warning("Outgoing message %s is %s, which cannot be noted now; tried again.", delivery_id, state)
        time.sleep(_NOTING_PAUSE.total_seconds())


def _waited_beside(delivery: Delivery, reason: str) -> ColumnElement[bool]:
    """What waits for the same reason as one that went in the end, or only for that one.

    Not all of its channel: one that its own server puts off would lose its tries to others that go.
    """
    behind = (Delivery.ticket_id == delivery.ticket_id, Delivery.address == delivery.address)
    return and_(Delivery.channel == delivery.channel, or_(Delivery.error == reason, and_(*behind)))


def _mine(work: Work, delivery_id: int) -> Delivery | None:
    """The delivery, locked, while it waits and no other job is to send it. Inside the open transaction."""
    mine = or_(Delivery.job_id.is_(None), Delivery.job_id == work.job_id)
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.state == WAITING, mine)
    return db.session.scalar(query.with_for_update(of=Delivery))


def _settle(delivery: Delivery, state: str, error: str) -> None:
    delivery.state, delivery.error, delivery.next_at = state, error, None
    delivery.attempts += 1
    delivery.sent_at = now() if state == SENT else None
    if state == FAILED:
        _tell(delivery, "delivery_failed", error)


def _tell(delivery: Delivery, kind: str, reason: str) -> None:
    if delivery.ticket is None:
        return
    record(kind, delivery.ticket, None, {"address": delivery.address, "reason": reason}, delivery.message)
    if delivery.kind == "reply" and delivery.user_id == delivery.ticket.requester_id:
        workflow.take_back(delivery.ticket)
