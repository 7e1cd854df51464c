"""Words that an administrator wrote: corrected strings of the screen, and labels in several languages."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime

TEAM, FIELD, STATUS, CHOICES, TYPE, TOPIC = "team", "field", "status", "choices", "type", "topic"
LABEL_KINDS = (TEAM, FIELD, STATUS, CHOICES, TYPE, TOPIC)


class CorrectedString(Base):
    """One string of a catalog as the owner wants it; it wins over every catalog."""

    __tablename__ = "corrected_string"
    __table_args__ = (UniqueConstraint("locale", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(String(20))
    # Of context and message: both may be longer than an index takes.
    digest: Mapped[str] = mapped_column(String(64))
    context: Mapped[str | None] = mapped_column(CleanText)
    message: Mapped[str] = mapped_column(CleanText)
    plural: Mapped[str | None] = mapped_column(CleanText)
    # One text, or one for each plural form.
    texts: Mapped[list[str]] = mapped_column(Json, default=list)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)


class LabelText(Base):
    """The name of a team, field or status in one more language; the row itself has the desk's own.

    Of the kind ``choices`` it is a JSON object: each choice of a field by its own words.
    """

    __tablename__ = "label_text"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    object_id: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(String(20), primary_key=True)
    text: Mapped[str] = mapped_column(CleanText)
