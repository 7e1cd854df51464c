"""When an outgoing message may go: after the earlier ones of its ticket, and not faster than its channel allows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select, update

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs.ledger import NotYet
from helpdesk.core.models import Delivery
from helpdesk.core.models.delivery import WAITING
from helpdesk.core.transaction import transaction
from helpdesk.plugins.contributions import Channel

_MINUTE = timedelta(minutes=1)
# Answers keep their order for so long; after it a late one is worth more than an orderly one.
_PATIENCE = timedelta(hours=1)
_SOON = timedelta(seconds=2)


def wait_for_earlier(delivery: Delivery) -> None:
    """Raise NotYet while an earlier message of the same ticket to the same address waits, for an hour at most.

    What keeps one from going nearly always keeps the other, and an answer builds on the one before. But a message that
    alone cannot go (a file too large for a server that calls that temporary) must not hold up the rest for days.
    """
    if delivery.ticket_id is None:
        return
    moment = now()
    query = select(Delivery.next_at, Delivery.created_at, Delivery.error).where(
        Delivery.ticket_id == delivery.ticket_id,
        Delivery.address == delivery.address,
        Delivery.id < delivery.id,
        Delivery.state == WAITING,
        Delivery.created_at > moment - _PATIENCE,
    )
    earlier = db.session.execute(query.order_by(Delivery.id).limit(1)).one_or_none()
    if earlier is None:
        return
    next_at, created_at, error = earlier
    pause = max(min((next_at or moment) - moment, created_at + _PATIENCE - moment) + _SOON, _SOON)
    reason = _("An earlier message to the same person goes first.")
    if error:
        reason = _("An earlier message to the same person goes first, and that one waits: %(reason)s", reason=error)
        _say(delivery, reason, moment + pause)
    raise NotYet(reason, after=pause, counts=False)


def _say(delivery: Delivery, reason: str, next_at: datetime) -> None:
    """Write down for people why it waits and until when. Opens a transaction of its own."""
    mine = (Delivery.id == delivery.id, Delivery.state == WAITING)
    with transaction():
        db.session.execute(update(Delivery).where(*mine).values(error=reason, next_at=next_at))


def take_place(delivery: Delivery, channel: Channel) -> None:
    """Take one of the places that the channel has in a minute. Opens a transaction of its own where there is a limit.

    Raises NotYet when none is free: for the moment at which this message has its own, counted from those that wait
    before it, so that they come in order and not all at once.
    """
    limit = channel.per_minute() if callable(channel.per_minute) else channel.per_minute
    if not limit:
        return
    moment = now()
    with transaction():
        _one_at_a_time(channel.name)
        taken = select(Delivery.sent_at).where(Delivery.channel == channel.name, Delivery.sent_at > moment - _MINUTE)
        places = [at for at in db.session.scalars(taken.order_by(Delivery.sent_at)) if at is not None]
        if len(places) < limit:
            # From now on it counts, though it is known only later whether it went.
            row = db.session.get_one(Delivery, delivery.id)
            row.sent_at = moment
            return
        free_at = _free_at(places[-limit:], _ahead_of(delivery))
    raise NotYet(
        _("The channel sends %(number)s messages a minute at most.", number=limit), after=free_at - moment, counts=False
    )


def _free_at(places: Sequence[datetime], ahead: int) -> datetime:
    """When the place is free that comes after those which ``ahead`` others will have taken."""
    rounds, rest = divmod(ahead, len(places))
    return places[rest] + _MINUTE * (1 + rounds)


def _ahead_of(delivery: Delivery) -> int:
    query = select(func.count(Delivery.id)).where(
        Delivery.state == WAITING,
        Delivery.id < delivery.id,
        Delivery.channel == delivery.channel,
        Delivery.attempts == 0,
        Delivery.sent_at.is_(None),
    )
    return db.session.scalar(query) or 0


def _one_at_a_time(channel: str) -> None:
    """Let nobody else count the places of a channel until this transaction ends; SQLite has one writer anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"helpdesk:channel:{channel}"))))
