"""Whether the desk is held: after a restore nothing goes out by itself until the owner lets it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection

from helpdesk.core import audit, generation, settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Delivery, Job, Schedule, Setting, User
from helpdesk.core.models.delivery import WAITING as UNSENT
from helpdesk.core.models.job import RUNNING, WAITING
from helpdesk.core.permissions import require
from helpdesk.core.transaction import after_commit, transaction

# What runs while the desk is held: nothing of it leaves the desk.
SAFE_JOBS = frozenset(
    {
        "core.intake",
        "core.intake_left",
        "core.tidy",
        "core.backup",
        "core.verify_backup",
        "core.verify_audit",
        "core.remove_files",
        "core.sweep_files",
    }
)
_GROUP, _KEY = "core.hold", "since"


def held_since() -> str | None:
    """When the desk was held (UTC, ISO 8601), or None. Asked by workers each time they look for work."""
    found = settings.stored(_GROUP).get(_KEY)
    return None if found is None else str(found)


@dataclass(frozen=True)
class Waiting:
    """What goes on as soon as a desk is released."""

    messages: int
    jobs: int
    schedules: int


def waiting(connection: Connection) -> Waiting:
    """How many messages wait to be sent, jobs to be run, and schedules are due. By columns that every version has."""
    due = (Schedule.enabled, Schedule.next_due_at <= now())
    messages = select(func.count()).select_from(Delivery).where(Delivery.state == UNSENT).scalar_subquery()
    jobs = select(func.count()).select_from(Job).where(Job.state.in_((WAITING, RUNNING))).scalar_subquery()
    schedules = select(func.count()).select_from(Schedule).where(*due).scalar_subquery()
    return Waiting(*connection.execute(select(messages, jobs, schedules)).one())


def hold() -> None:
    """Keep messages, schedules and the jobs of plugins back from now on. Joins or opens the transaction."""
    with transaction():
        if db.session.get(Setting, (_GROUP, _KEY)) is None:
            db.session.add(Setting(group=_GROUP, key=_KEY, value=now().isoformat()))
        generation.bump()


def hold_closed(connection: Connection) -> None:
    """Hold a database that no desk has open, such as one that is about to be restored, in the open transaction."""
    connection.execute(delete(Setting).where(Setting.group == _GROUP))
    connection.execute(insert(Setting).values(group=_GROUP, key=_KEY, value=now().isoformat()))


def release(actor: User | None) -> bool:
    """Let what was held back go on; False when nothing was. Joins or opens the transaction; audited. NotAllowed."""
    require(actor, "job.edit")
    with transaction():
        row: Any = db.session.get(Setting, (_GROUP, _KEY))
        if row is None:
            return False
        db.session.execute(delete(Setting).where(Setting.group == _GROUP, Setting.key == _KEY))
        audit.record("desk.released", actor, "", {"held_since": str(row.value)})
        generation.bump()
        # What has waited for this is not to wait for the next minute's sweep as well.
        after_commit(lambda: ledger.nudge(now()))
    return True
