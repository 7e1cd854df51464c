"""Which plugins are on, how far each has read the events, and how each of their hooks has done."""

import datetime

from sqlalchemy import Date, Float, Index, String, true
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime


class PluginState(Base):
    __tablename__ = "plugin_state"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    # The last event handed to it, moved in the transaction of that fact's effects.
    cursor: Mapped[int] = mapped_column(default=0)
    # Whether it had a hook for facts when a process last started: one that has got its first hears of what is to come.
    listens: Mapped[bool] = mapped_column(default=True, server_default=true())
    error: Mapped[str] = mapped_column(CleanText, default="")
    failed_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    # Set by the desk itself when the plugin held up a process; cleared when somebody switches it on again.
    paused_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    paused_reason: Mapped[str] = mapped_column(CleanText, default="", server_default="")
    # Why its last migration failed: for the processes that do not migrate, and leave it out as well.
    migration_error: Mapped[str] = mapped_column(CleanText, default="", server_default="")


class PluginHealth(Base):
    """What one hook of one plugin did on one day (UTC), added up over all processes."""

    __tablename__ = "plugin_health"
    __table_args__ = (Index("ix_plugin_health_day", "day"),)

    plugin: Mapped[str] = mapped_column(String(60), primary_key=True)
    hook: Mapped[str] = mapped_column(String(80), primary_key=True)
    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    calls: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    slow: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    error: Mapped[str] = mapped_column(CleanText, default="")
    failed_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    # Until when it rests in some process, since it has failed several times in a row there.
    rests_until: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
