"""Tickets that belong together: merged into one (with the way back), linked, and who is on a ticket now."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import Json, UtcDateTime
from helpdesk.core.models.ticket import Ticket
from helpdesk.core.models.user import User

# "split": the other one was begun with a message of this one.
RELATED, DUPLICATE, SPLIT, FOLLOW_UP = "related", "duplicate", "split", "follow_up"
LINK_KINDS = (RELATED, DUPLICATE, SPLIT, FOLLOW_UP)


class TicketMerge(Base):
    """One ticket merged into another; its messages carry the row's id, so that it can be undone."""

    __tablename__ = "ticket_merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    survivor_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # How the merged ticket was (status, assignee, followers added to the survivor ...).
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    survivor: Mapped[Ticket] = relationship(foreign_keys=[survivor_id])
    merged: Mapped[Ticket] = relationship(foreign_keys=[merged_id])
    actor: Mapped[User | None] = relationship()


class TicketLink(Base):
    """Two tickets that have to do with one another."""

    __tablename__ = "ticket_link"
    __table_args__ = (UniqueConstraint("ticket_id", "other_id", name="uq_ticket_link_ticket_id_other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(12), default=RELATED)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    ticket: Mapped[Ticket] = relationship(foreign_keys=[ticket_id])
    other: Mapped[Ticket] = relationship(foreign_keys=[other_id])


class Presence(Base):
    """Who has a ticket open, and who is writing on it; rows older than some seconds say nothing any more."""

    __tablename__ = "presence"
    __table_args__ = (Index("ix_presence_seen_at", "seen_at"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    # "" (looking), "reply", "note".
    writing: Mapped[str] = mapped_column(String(6), default="")
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    user: Mapped[User] = relationship()
