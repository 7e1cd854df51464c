"""What happened: the readable history and the outbox of facts, written with the change."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.message import Message
from helpdesk.core.models.user import User


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (Index("ix_event_ticket_id", "ticket_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    # "ticket_opened", "message_added", "ticket_status_changed" ...; a plugin's own begin with its name.
    kind: Mapped[str] = mapped_column(String(80), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"), index=True)
    # The ticket's version after this change: a stale form asks what came after its own.
    version: Mapped[int | None] = mapped_column()
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    actor: Mapped[User | None] = relationship()
    message: Mapped[Message | None] = relationship()


class HeldFact(Base):
    """A fact that a plugin has not taken in: it failed, or stands behind one of the same ticket that did."""

    __tablename__ = "held_fact"
    __table_args__ = (Index("ix_held_fact_plugin_ticket_id", "plugin", "ticket_id", "event_id"),)

    plugin: Mapped[str] = mapped_column(String(60), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    # Empty for one that only waits for those before it.
    error: Mapped[str] = mapped_column(CleanText, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    held_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    event: Mapped[Event] = relationship()
