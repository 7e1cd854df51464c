"""Sends notices by mail: what a customer wrote as it is, so that it can be answered; all else together."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload

from helpdesk.core import deliveries
from helpdesk.core.abreast import Way, together
from helpdesk.core.clock import now
from helpdesk.core.events.record import NOTICE_MAIL
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Delivery, Event, Notification, NotificationCursor, User
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.models.notification import ANSWERED, ASSIGNED
from helpdesk.core.models.user import STAFF
from helpdesk.core.notifications.rights import visible
from helpdesk.core.transaction import transaction

_BATCH = 500
# A mail that lists notices comes once in this time.
_PAUSE = timedelta(minutes=1)


def ask() -> None:
    """Have the mails sent when the first of them is due. Inside a transaction that has locked the cursor."""
    first = db.session.scalar(select(func.min(Notification.mail_at)).where(Notification.mail_at.is_not(None)))
    if first is not None:
        ledger.schedule(NOTICE_MAIL, at=first, key=NOTICE_MAIL)


def send() -> None:
    """Queue the mails that are due (a job, one transaction). What was read meanwhile, or may not be seen any more, is
    passed over; the notices are marked in the same transaction, so that each is mailed once.
    """
    with transaction():
        # Whoever writes notices asks for this job too: one after the other, so that the sooner moment counts.
        db.session.get(NotificationCursor, 1, with_for_update=True)
        moment = now()
        rows = _due(moment)
        wanted = _wanted(rows)
        letters = [row for row in wanted if _is_letter(row)]
        lists = _lists(row for row in wanted if not _is_letter(row))
        last = _mailed_lately(lists, moment)
        ready = {user: mine for user, mine in lists.items() if user.email not in last}
        _queue(letters, ready)
        _settle(_ids(letters) + [row.id for mine in ready.values() for row in mine], mailed_at=moment, mail_at=None)
        _settle(sorted({row.id for row in rows} - {row.id for row in wanted}), mail_at=None)
        for user in lists.keys() - ready.keys():
            # A pause for each of the few who had a mail within this minute.
            _settle(_ids(lists[user]), mail_at=last[user.email] + _PAUSE)
        ask()


def _due(moment: datetime) -> Sequence[Notification]:
    event = joinedload(Notification.event)
    query = select(Notification).where(Notification.mail_at <= moment).order_by(Notification.mail_at, Notification.id)
    options = (joinedload(Notification.user), joinedload(Notification.ticket), event.joinedload(Event.message))
    return db.session.scalars(query.options(*options).limit(_BATCH)).all()


def _wanted(rows: Sequence[Notification]) -> list[Notification]:
    waiting = [row for row in rows if row.read_at is None and row.user.active and row.user.role in STAFF]
    people = {row.user_id: row.user for row in waiting}
    seen = visible(list(people.values()), {row.ticket_id for row in waiting})
    return [row for row in waiting if (row.user_id, row.ticket_id) in seen]


def _is_letter(row: Notification) -> bool:
    """Whether the mail is what the customer wrote: told at once, not hours later or in a summary."""
    message = row.event.message
    if message is None or row.kind not in (ANSWERED, ASSIGNED) or message.author_id == row.user_id:
        return False
    return message.visibility == PUBLIC and row.mail_at is not None and row.mail_at <= row.created_at


def _lists(rows: Any) -> dict[User, list[Notification]]:
    found: dict[User, list[Notification]] = defaultdict(list)
    for row in rows:
        found[row.user].append(row)
    return dict(found)


def _mailed_lately(people: Collection[User], moment: datetime) -> Mapping[str | None, datetime]:
    """When those had a list whose last one is less than the pause ago, by their addresses."""
    addresses = [user.email for user in people if user.email]
    query = (
        select(Delivery.address, func.max(Delivery.created_at))
        .where(
            Delivery.address.in_(addresses),
            Delivery.created_at > moment - _PAUSE,
            Delivery.kind == deliveries.NOTICES,
        )
        .group_by(Delivery.address)
    )
    return {address: at for address, at in db.session.execute(query)} if addresses else {}


def _queue(letters: Sequence[Notification], lists: Mapping[User, Sequence[Notification]]) -> None:
    ways: dict[tuple[str, int], Way[Any]] = {}
    for row in letters:
        message = row.event.message
        ways["letter", row.id] = deliveries.queueing(deliveries.AGENT, [row.user], ticket=row.ticket, message=message)
    for user, mine in lists.items():
        ways["list", user.id] = deliveries.queueing(deliveries.NOTICES, [user], data={"notices": _ids(mine)})
    together(ways)


def _ids(rows: Sequence[Notification]) -> list[int]:
    return [row.id for row in rows]


def _settle(ids: Collection[int], **values: Any) -> None:
    if ids:
        db.session.execute(update(Notification).where(Notification.id.in_(ids)).values(**values))
