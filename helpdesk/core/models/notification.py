"""What staff are told of, and how each wants it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import UtcDateTime
from helpdesk.core.models.event import Event
from helpdesk.core.models.ticket import Ticket
from helpdesk.core.models.user import User

# What there is to tell, the weightiest first: of one event a person is told once, of the first that applies.
MENTIONED, ASSIGNED, OVERDUE, DUE_SOON, TOLD, ANSWERED, NEW_IN_TEAM = (
    "mentioned",
    "assigned",
    "overdue",
    "due_soon",
    "told",
    "answered",
    "new_in_team",
)
KINDS = (MENTIONED, ASSIGNED, OVERDUE, DUE_SOON, TOLD, ANSWERED, NEW_IN_TEAM)
NEVER, AT_ONCE, DIGEST = "never", "at_once", "digest"
MAIL_CHOICES = (NEVER, AT_ONCE, DIGEST)
_IS_UNREAD = text("read_at IS NULL")
_AWAITS_MAIL = text("mail_at IS NOT NULL")


class Notification(Base):
    """One thing that one person is told: once for each event."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("user_id", "event_id", name="uq_notification_user_id_event_id"),
        Index("ix_notification_user_id_id", "user_id", "id"),
        Index("ix_notification_unread", "user_id", "id", sqlite_where=_IS_UNREAD, postgresql_where=_IS_UNREAD),
        Index(
            "ix_notification_mail_at", "mail_at", "user_id", sqlite_where=_AWAITS_MAIL, postgresql_where=_AWAITS_MAIL
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Whether the page shows it and the browser pops it up, as the person chose when it was written.
    on_page: Mapped[bool] = mapped_column(default=True)
    in_browser: Mapped[bool] = mapped_column(default=False)
    # When it goes out by mail (later in quiet hours, with the digest); None: not, or it has.
    mail_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()
    event: Mapped[Event] = relationship()
    ticket: Mapped[Ticket] = relationship()


class NotificationChoice(Base):
    """How a person wants to be told of one kind; without a row: the desk's default."""

    __tablename__ = "notification_choice"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    page: Mapped[bool] = mapped_column(default=True)
    browser: Mapped[bool] = mapped_column(default=False)
    mail: Mapped[str] = mapped_column(String(10), default=NEVER)


class NotificationCursor(Base):
    """One row: up to which event people were told. Moved in the transaction that writes the notices."""

    __tablename__ = "notification_cursor"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(default=0)
