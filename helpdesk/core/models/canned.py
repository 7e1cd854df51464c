"""Answers and actions kept for reuse: canned responses and macros."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.view import MINE


class CannedResponse(Base):
    """An answer that agents insert; its words stand in ``CannedText``, one for each language."""

    __tablename__ = "canned_response"
    __table_args__ = (Index("ix_canned_response_folder_name", "folder", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText)
    # "Shipping / Abroad"; "": none.
    folder: Mapped[str] = mapped_column(CleanText, default="")
    shared_with: Mapped[str] = mapped_column(String(10), default=MINE)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    used: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    texts: Mapped[list["CannedText"]] = relationship(order_by="CannedText.locale", cascade="all, delete-orphan")


class CannedText(Base):
    """The words of a canned response in one language."""

    __tablename__ = "canned_text"

    response_id: Mapped[int] = mapped_column(ForeignKey("canned_response.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(20), primary_key=True)
    # With placeholders: {{ customer.first_name | there }}.
    text: Mapped[str] = mapped_column(CleanText)


class Macro(Base):
    """Several actions in one click."""

    __tablename__ = "macro"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText)
    shared_with: Mapped[str] = mapped_column(String(10), default=MINE)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    # Actions as core/actions.py reads them.
    actions: Mapped[list[Any]] = mapped_column(Json, default=list)
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
