"""Tickets, their statuses, followers and who has read what."""

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime
from helpdesk.core.models.organization import Organization
from helpdesk.core.models.tag import Tag
from helpdesk.core.models.team import Team
from helpdesk.core.models.topic import TicketType, Topic
from helpdesk.core.models.user import User

NEW, OPEN, PENDING, ON_HOLD, SOLVED, CLOSED = "new", "open", "pending", "on_hold", "solved", "closed"
CATEGORIES = (NEW, OPEN, PENDING, ON_HOLD, SOLVED, CLOSED)
# Categories in which somebody still has to do something.
UNSOLVED = (NEW, OPEN, PENDING, ON_HOLD)
PRIORITIES = ("low", "normal", "high", "urgent")

_IS_DUE = text("due_at IS NOT NULL")
_IS_PROMISED = text("promised_at IS NOT NULL")
_IS_SNOOZED = text("snoozed_until IS NOT NULL")
_HAS_ALARM = text("alarm_at IS NOT NULL")
_IS_ANSWERED = text("first_response_at IS NOT NULL")
_IS_SOLVED = text("solved_at IS NOT NULL")
_IS_MERGED = text("merged_into_id IS NOT NULL")


class Status(Base):
    """A status is free to name and belongs to one category, which decides what it means."""

    __tablename__ = "status"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    # Empty: the translated name of its category.
    name: Mapped[str] = mapped_column(CleanText, default="")
    category: Mapped[str] = mapped_column(String(20))
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class Ticket(Base):
    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_category_updated", "category", "updated_at", "id"),
        Index("ix_ticket_assignee_category_updated", "assignee_id", "category", "updated_at", "id"),
        Index("ix_ticket_team_category_updated", "team_id", "category", "updated_at", "id"),
        Index("ix_ticket_requester_updated", "requester_id", "updated_at", "id"),
        Index("ix_ticket_organization_updated", "organization_id", "updated_at", "id"),
        Index("ix_ticket_locale_updated", "locale", "updated_at", "id"),
        Index("ix_ticket_updated", "updated_at", "id"),
        Index("ix_ticket_created", "created_at", "id"),
        Index("ix_ticket_priority_updated", "priority_rank", "updated_at", "id"),
        # With the category, so that of what was overdue and is long solved no row is read.
        Index("ix_ticket_due", "due_at", "id", "category", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
        Index("ix_ticket_promised", "promised_at", "id", sqlite_where=_IS_PROMISED, postgresql_where=_IS_PROMISED),
        Index("ix_ticket_snoozed", "snoozed_until", "id", sqlite_where=_IS_SNOOZED, postgresql_where=_IS_SNOOZED),
        Index("ix_ticket_alarm", "alarm_at", "id", sqlite_where=_HAS_ALARM, postgresql_where=_HAS_ALARM),
        # Those alone: lists leave them out, and no index may be chosen for being of all others.
        Index("ix_ticket_merged_into_id", "merged_into_id", sqlite_where=_IS_MERGED, postgresql_where=_IS_MERGED),
        Index(
            "ix_ticket_answered",
            "first_response_at",
            "id",
            sqlite_where=_IS_ANSWERED,
            postgresql_where=_IS_ANSWERED,
        ),
        Index("ix_ticket_solved", "solved_at", "id", sqlite_where=_IS_SOLVED, postgresql_where=_IS_SOLVED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(CleanText)
    status_id: Mapped[int] = mapped_column(ForeignKey("status.id"), index=True)
    # The status's category, kept here so that lists and counts need one index.
    category: Mapped[str] = mapped_column(String(20))
    priority: Mapped[str] = mapped_column(String(10), default="normal")
    priority_rank: Mapped[int] = mapped_column(default=1)
    requester_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="SET NULL"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    channel: Mapped[str] = mapped_column(String(40), default="web")
    # Which of the channel's accounts it came by (for mail one of our addresses); answers leave by it.
    account: Mapped[str | None] = mapped_column(String(255))
    locale: Mapped[str | None] = mapped_column(String(20))
    # Part of every signed link to this ticket; a new value makes the old links dead.
    access_key: Mapped[str] = mapped_column(String(32), default=lambda: secrets.token_hex(16))
    # Counts every change; a form that was made from an older one is stale.
    version: Mapped[int] = mapped_column(default=1)

    # What a list shows of the newest message: who wrote it ("requester", "agent", "note") and how it begins.
    last_message_by: Mapped[str | None] = mapped_column(String(10))
    last_message_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    snippet: Mapped[str] = mapped_column(CleanText, default="")

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    first_response_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    solved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    type_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_type.id", ondelete="SET NULL"), index=True)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"), index=True)
    # When it must be done; what was promised and is still open; until when it rests, and who put it to rest.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    promised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    snoozed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    snoozed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    # The next moment at which something is to happen by itself (due soon, overdue, a snooze ends); None: never.
    alarm_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Working minutes from opening to the first response and to the (last) solution, by the team's hours of then.
    response_minutes: Mapped[int | None] = mapped_column()
    solve_minutes: Mapped[int | None] = mapped_column()
    reopened: Mapped[int] = mapped_column(default=0)
    # When the customer said that it is solved.
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The ticket that took this one in.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"))

    status: Mapped[Status] = relationship()
    requester: Mapped[User] = relationship(foreign_keys=requester_id)
    assignee: Mapped[User | None] = relationship(foreign_keys=assignee_id)
    last_author: Mapped[User | None] = relationship(foreign_keys=last_author_id)
    organization: Mapped[Organization | None] = relationship()
    team: Mapped[Team | None] = relationship()
    type: Mapped[TicketType | None] = relationship()
    topic: Mapped[Topic | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary="ticket_tag", order_by="Tag.name")

    @property
    def number(self) -> int:
        """What people call it by; the same as the id."""
        return self.id

    @property
    def is_closed(self) -> bool:
        return self.category == CLOSED


class Follower(Base):
    """Somebody beside requester and assignee who gets the public messages (staff: all) of a ticket."""

    __tablename__ = "follower"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    # Nothing written before this moment is ever shown or sent to a follower who is a requester.
    since: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    user: Mapped[User] = relationship()


class TicketRead(Base):
    """Up to which event an agent has seen a ticket."""

    __tablename__ = "ticket_read"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, index=True)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
