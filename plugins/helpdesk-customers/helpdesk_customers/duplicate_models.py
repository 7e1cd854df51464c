"""People who may be one: by what they are compared, and the pairs found."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import User, UtcDateTime, db, now

PHONE, MAIL, NAME = "phone", "mail", "name"
REASONS = (MAIL, PHONE, NAME)


class DuplicateKey(db.Model):
    """What a person is compared by: who has the same key of a kind may be the same."""

    __tablename__ = "customers_duplicate_key"
    __table_args__ = (Index("ix_customers_duplicate_key_kind_key", "kind", "key", "user_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    # One of REASONS.
    kind: Mapped[str] = mapped_column(String(6), primary_key=True)
    key: Mapped[str] = mapped_column(String(200))


class Pair(db.Model):
    """Two people who may be one, the smaller number first; once somebody has said that they are not, it stays."""

    __tablename__ = "customers_duplicate"
    __table_args__ = (
        Index("uq_customers_duplicate_one_id", "one_id", "other_id", unique=True),
        Index("ix_customers_duplicate_other_id", "other_id"),
        Index("ix_customers_duplicate_dismissed_at", "dismissed_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    # How sure it is, up to 99.
    score: Mapped[int] = mapped_column(SmallInteger, default=0)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # Somebody has said that they are two.
    dismissed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dismissed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)

    one: Mapped[User] = relationship(foreign_keys=[one_id])
    other: Mapped[User] = relationship(foreign_keys=[other_id])
