"""The due times of schedules that were taken, and what became of their jobs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Job, Schedule, ScheduleRun


@dataclass(frozen=True)
class Run:
    """One due time that was taken; no ``job``: it is done so long that it was cleared away."""

    id: int
    key: str
    due_at: datetime
    job: Job | None


def page(key: str, *, before: int | None = None, limit: int) -> list[Run]:
    """The runs of a schedule, newest first, older than the run ``before``. One query."""
    query = select(ScheduleRun, Job).outerjoin(Job, Job.id == ScheduleRun.job_id).where(ScheduleRun.schedule_key == key)
    if before is not None:
        query = query.where(ScheduleRun.id < before)
    rows = db.session.execute(query.order_by(ScheduleRun.id.desc()).limit(limit)).all()
    return [Run(run.id, run.schedule_key, run.due_at, job) for run, job in rows]


def last(keys: Iterable[str]) -> Mapping[str, Run]:
    """The last run of each schedule that has one. One query."""
    # One step into the index for each schedule, however many runs it has.
    newest = select(func.max(ScheduleRun.id)).where(ScheduleRun.schedule_key == Schedule.key).scalar_subquery()
    query = (
        select(ScheduleRun, Job)
        .select_from(Schedule)
        .join(ScheduleRun, ScheduleRun.id == newest.correlate(Schedule))
        .outerjoin(Job, Job.id == ScheduleRun.job_id)
        .where(Schedule.key.in_(list(keys)))
    )
    return {
        run.schedule_key: Run(run.id, run.schedule_key, run.due_at, job) for run, job in db.session.execute(query).all()
    }
