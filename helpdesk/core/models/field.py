"""Typed custom fields of tickets."""

import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json

TEXT, NUMBER, DATE, CHOICE, CHECKBOX = "text", "number", "date", "choice", "checkbox"
KINDS = (TEXT, NUMBER, DATE, CHOICE, CHECKBOX)


class TicketField(Base):
    __tablename__ = "ticket_field"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    label: Mapped[str] = mapped_column(CleanText)
    kind: Mapped[str] = mapped_column(String(10), default=TEXT)
    choices: Mapped[list[Any]] = mapped_column(Json, default=list)
    # Shown and filled in by customers on the form, too.
    public: Mapped[bool] = mapped_column(default=False)
    required: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    # The plugin that contributed it; None: the owner made it.
    plugin: Mapped[str | None] = mapped_column(String(60))


class TicketFieldValue(Base):
    __tablename__ = "ticket_field_value"
    __table_args__ = (
        Index("ix_ticket_field_value_text", "field_id", "text"),
        Index("ix_ticket_field_value_number", "field_id", "number"),
        Index("ix_ticket_field_value_date", "field_id", "date"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    field_id: Mapped[int] = mapped_column(ForeignKey("ticket_field.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str | None] = mapped_column(CleanText)
    number: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    # By its module: inside the class "date" is the column already.
    date: Mapped[datetime.date | None] = mapped_column(Date)

    field: Mapped[TicketField] = relationship()
