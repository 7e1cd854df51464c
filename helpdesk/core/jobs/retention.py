"""What has ended long ago goes: jobs, due times, messages put aside, notices, workers that never came back."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select

from helpdesk.core import idempotency, schedules, sign_in_sessions, throttle, trusted_devices
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Job, Notification, QuarantinedMessage, Worker
from helpdesk.core.models.job import CANCELLED, DONE
from helpdesk.core.notifications import reading

JOB = "core.tidy"
# Failed jobs stay until somebody has decided about them.
_KEPT = timedelta(days=30)
_SILENT = timedelta(days=1)
_BATCH = 500


def purge_old(work: Work) -> dict[str, int]:
    """Take away what is older than 30 days (notices 90), in small steps: nobody waits for the writer's lock (a job)."""
    before = now() - _KEPT
    ended = (Job.finished_at < before) & Job.state.in_((DONE, CANCELLED))
    jobs = _purge(work, Job, ended, 0)
    messages = _purge(work, QuarantinedMessage, QuarantinedMessage.found_at < before, jobs)
    notices = _purge(work, Notification, Notification.created_at < now() - reading.KEPT, jobs + messages)
    with work.step():
        schedules.forget_old()
        db.session.execute(delete(Worker).where(Worker.beat_at < now() - _SILENT))
        sign_in_sessions.forget_old()
        trusted_devices.forget_old()
        idempotency.forget_old()
        throttle.forget_old()
    return {"jobs": jobs, "messages": messages, "notices": notices}


def _purge(work: Work, model: Any, old: ColumnElement[bool], done: int) -> int:
    gone = 0
    while ids := list(db.session.scalars(select(model.id).where(old).limit(_BATCH))):
        with work.step(done=done + gone + len(ids)):
            db.session.execute(delete(model).where(model.id.in_(ids)))
        gone += len(ids)
    return gone
