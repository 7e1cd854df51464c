"""What an owner changes while the desk runs, and the number that tells processes that something changed."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import Json


class Setting(Base):
    __tablename__ = "setting"

    group: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)


class Generation(Base):
    """One row. Its number grows with every change of settings, plugin states, themes, teams, statuses, fields."""

    __tablename__ = "generation"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=1)
    # Grows when somebody asks for a restart of every process (new code was installed).
    restart: Mapped[int] = mapped_column(default=0, server_default="0")
