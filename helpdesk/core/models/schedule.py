"""When recurring work is due next, and the due times that were taken."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import Json, UtcDateTime

# What becomes of due times that were missed while nothing ran.
ONCE, SKIP, ALL = "once", "skip", "all"


class Schedule(Base):
    """One row for each schedule of the desk ("core") and of plugins; ``key`` is its name."""

    __tablename__ = "schedule"
    __table_args__ = (Index("ix_schedule_next_due_at", "next_due_at"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    plugin: Mapped[str] = mapped_column(String(60))
    enabled: Mapped[bool] = mapped_column(default=True)
    # As contributed, so that a changed rule is noticed.
    rule: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    zone: Mapped[str] = mapped_column(String(64))
    catch_up: Mapped[str] = mapped_column(String(8), default=ONCE, server_default=text("'once'"))
    next_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ScheduleRun(Base):
    """One due time that was taken: the same is never taken twice, whatever clocks and workers do."""

    __tablename__ = "schedule_run"
    __table_args__ = (
        UniqueConstraint("schedule_key", "due_at"),
        Index("ix_schedule_run_due_at", "due_at"),
        # The newest runs of a schedule.
        Index("ix_schedule_run_schedule_key_id", "schedule_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_key: Mapped[str] = mapped_column(String(160))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)
