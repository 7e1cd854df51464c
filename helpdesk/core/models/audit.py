"""Who did what in the administration."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.user import User

_IS_ERASED = text("erased_by IS NOT NULL")


class AuditEntry(Base):
    """An act. Triggers of the database let nobody change or delete it but to erase a person (migration 0005)."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_action_id", "action", "id"),
        Index("ix_audit_entry_actor_id_id", "actor_id", "id"),
        Index("ix_audit_entry_address_id", "address", "id"),
        Index("ix_audit_entry_at_id", "at", "id"),
        Index(
            "ix_audit_entry_erased_by",
            "erased_by",
            "id",
            sqlite_where=_IS_ERASED,
            postgresql_where=_IS_ERASED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # None: the command line or the desk itself.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(CleanText, default="")
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    address: Mapped[str | None] = mapped_column(String(64))
    # SHA-256 of the salt, subject, data and address, made when it is written. When a person in them was erased the salt
    # is gone, so that the digest says nothing of them; who, when and what are proved by the link all the same.
    salt: Mapped[str | None] = mapped_column(String(32))
    digest: Mapped[str | None] = mapped_column(String(64))
    # The entry "user.erased" for which the details were blanked.
    erased_by: Mapped[int | None] = mapped_column()

    actor: Mapped[User | None] = relationship()


class AuditLink(Base):
    """One link of the chain over the digests: what is taken out, put in between or changed breaks it."""

    __tablename__ = "audit_link"

    # Without a gap, from 1.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # No foreign key: the chain shows when an entry is gone.
    entry_id: Mapped[int] = mapped_column(unique=True)
    # SHA-256 of the entry: its number, time, actor, act, and the digest of its details.
    digest: Mapped[str] = mapped_column(String(64))
    # SHA-256 of the chain before, this link's number and digest.
    chain: Mapped[str] = mapped_column(String(64))
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
