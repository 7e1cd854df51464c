"""The ledger of jobs, and the workers that run them: the database is the truth, Huey only wakes workers."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.plugins.jobs import LATER, NORMAL, PRIORITIES, SOON

__all__ = ["LATER", "NORMAL", "PRIORITIES", "SOON", "STATES", "Job", "QuarantinedMessage", "Worker"]

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
STATES = (WAITING, RUNNING, DONE, FAILED, CANCELLED)

_IS_WAITING, _IS_RUNNING, _HAS_ENDED = (
    text("state = 'waiting'"),
    text("state = 'running'"),
    text("finished_at IS NOT NULL"),
)


class Job(Base):
    __tablename__ = "job"
    __table_args__ = (
        # Those that are done, a million perhaps, are in none of the indexes that a claim reads.
        Index("ix_job_waiting", "priority", "run_at", "id", sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING),
        Index("ix_job_running", "lease_until", sqlite_where=_IS_RUNNING, postgresql_where=_IS_RUNNING),
        Index("ix_job_finished_at", "finished_at", sqlite_where=_HAS_ENDED, postgresql_where=_HAS_ENDED),
        Index("ix_job_state_id", "state", "id"),
        Index("ix_job_name_id", "name", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    args: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    # At most one job with this key waits to begin; it is given back when the job is claimed or cancelled.
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    run_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    priority: Mapped[int] = mapped_column(SmallInteger, default=NORMAL, server_default=text("1"))
    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    # Who asked for it; None: the desk itself.
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    # How often it has begun, and how many of its workers were lost while they ran it.
    attempts: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(default=8)
    # Who runs it and until when; a worker whose token is no longer here changes nothing.
    worker: Mapped[str | None] = mapped_column(String(120))
    token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Where a job of several steps goes on after a kill, and how far it is.
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(Json)
    progress_done: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    progress_total: Mapped[int | None] = mapped_column()
    cancel_asked: Mapped[bool] = mapped_column(default=False, server_default=false())
    error: Mapped[str] = mapped_column(CleanText, default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # When it began last; none while it waits, or is claimed and stands behind others of its batch.
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Worker(Base):
    """A worker process that runs now, or did when it last beat; it takes its row away when it ends in peace."""

    __tablename__ = "worker"
    __table_args__ = (Index("ix_worker_beat_at", "beat_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column()
    # Tells a process from a later one with the same number (boot and start time); empty where that is not known.
    process: Mapped[str] = mapped_column(String(80), default="")
    version: Mapped[str] = mapped_column(String(40))
    # What wakes it: "sqlite" or "redis".
    queue: Mapped[str] = mapped_column(String(20))
    threads: Mapped[int] = mapped_column()
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    @property
    def label(self) -> str:
        """What stands on the jobs that it runs, for people to read."""
        return f"{self.host[:80]}:{self.pid}:{self.id[:8]}"


class QuarantinedMessage(Base):
    """A message of the queue that we did not write, kept for whoever looks into it; nothing of it was run."""

    __tablename__ = "quarantined_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(String(20))
    # Its bytes in base 64, cut where they are many.
    data: Mapped[str] = mapped_column(CleanText)
    size: Mapped[int] = mapped_column()
    reason: Mapped[str] = mapped_column(CleanText)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
