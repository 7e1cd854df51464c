"""What the conditions of rules look at: the customer as she is known, the ticket, the day."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from helpdesk.api import Ticket, language_of


class Bought(NamedTuple):
    """What others bought with something that a customer has."""

    one: str
    other: str
    together: int
    confidence: float
    lift: float


@dataclass
class Known:
    """What is known of a customer, as ``Profile.known`` keeps it."""

    # SKU: the first and the last day on which it is hers, as text; None: no bound.
    owned: dict[str, list[str | None]] = field(default_factory=dict)
    segments: list[int] = field(default_factory=list)
    orders: int = 0
    # By currency, in minor units.
    spent: dict[str, int] = field(default_factory=dict)
    last_order: str | None = None
    # Of her last order; "" without one.
    currency: str = ""
    # What is bought with what she has, the surest first; each as ``Bought``.
    together: list[list[Any]] = field(default_factory=list)

    def has(self, sku: str, today: date) -> bool:
        """Whether she has a product on a day."""
        span = self.owned.get(sku)
        if span is None:
            return False
        since, until = span
        return (since is None or since <= today.isoformat()) and (until is None or until >= today.isoformat())

    def skus(self, today: date) -> set[str]:
        """All that she has on a day."""
        day = today.isoformat()
        return {
            sku
            for sku, (since, until) in self.owned.items()
            if (since is None or since <= day) and (until is None or until >= day)
        }


@dataclass
class Situation:
    """A customer with a ticket on a day."""

    known: Known
    owned: set[str]
    language: str
    topics: set[int]
    type_key: str
    team_id: int | None
    tags: set[str]
    channel: str
    subject: str
    today: date
    # What was found for it by ``candidates``, by the kind of rule.
    offers: dict[str, Any] = field(default_factory=dict)


def situation(ticket: Ticket, known: Known, today: date) -> Situation:
    """The situation of a ticket's customer."""
    topics: set[int] = set()
    topic = ticket.topic
    if topic is not None:
        # A topic below another one is about that one too.
        topics = {topic.id, *(int(part) for part in topic.path.split("/") if part)}
    return Situation(
        known=known,
        owned=known.skus(today),
        language=language_of(ticket) or "",
        topics=topics,
        type_key=ticket.type.key if ticket.type is not None else "",
        team_id=ticket.team_id,
        tags={tag.name.casefold() for tag in ticket.tags},
        channel=ticket.channel,
        subject=(ticket.subject or "").casefold(),
        today=today,
    )
