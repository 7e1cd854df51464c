"""What became of the copies of a message: who gets them, which wait and why, which did not arrive."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, User
from helpdesk.core.models.delivery import BOUNCED, FAILED, WAITING
from helpdesk.core.models.ticket import Ticket


@dataclass
class Unsent:
    """Copies that are not sent for the same reason: ``error`` says why, ``next_at`` when the first is tried again."""

    state: str
    error: str
    next_at: datetime | None
    addresses: list[str] = field(default_factory=list)

    @property
    def is_late(self) -> bool:
        """Whether it was tried in vain and waits for another try."""
        return self.state == WAITING and bool(self.error)

    @property
    def is_lost(self) -> bool:
        """Whether it was given up, or came back."""
        return self.state in (FAILED, BOUNCED)


@dataclass
class Sending:
    """The copies of one message."""

    # Who gets a reply beside the requester.
    names: list[str] = field(default_factory=list)
    unsent: list[Unsent] = field(default_factory=list)

    @property
    def lost(self) -> Sequence[Unsent]:
        return [copies for copies in self.unsent if copies.is_lost]

    @property
    def late(self) -> Sequence[Unsent]:
        return [copies for copies in self.unsent if copies.is_late]

    def add(self, address: str, state: str, error: str, next_at: datetime | None) -> None:
        """Note a copy that is not sent, beside others of the same reason."""
        same = next((known for known in self.unsent if (known.state, known.error) == (state, error)), None)
        if same is None:
            same = Unsent(state, error, next_at)
            self.unsent.append(same)
        same.addresses.append(address)
        same.next_at = min(filter(None, (same.next_at, next_at)), default=None)


def of_messages(ticket: Ticket, numbers: Collection[int]) -> dict[int, Sending]:
    """The copies of messages of a ticket, by the message's number. One query."""
    columns = (Delivery.message_id, Delivery.kind, Delivery.user_id, Delivery.address, Delivery.state)
    rows = db.session.execute(
        select(*columns, Delivery.error, Delivery.next_at, User.name)
        .outerjoin(User, User.id == Delivery.user_id)
        .where(
            Delivery.message_id.in_(numbers),
            or_(Delivery.kind == "reply", Delivery.state.in_((WAITING, FAILED, BOUNCED))),
        )
        .order_by(Delivery.id)
    )
    found: dict[int, Sending] = {}
    for row in rows:
        sending = found.setdefault(row.message_id, Sending())
        if row.kind == "reply" and row.user_id != ticket.requester_id:
            sending.names.append(row.name or row.address)
        if row.state in (WAITING, FAILED, BOUNCED):
            sending.add(row.address, row.state, row.error, row.next_at)
    return found
