"""The worker processes that there are: each beats in its row, and what a dead one held is taken back."""

import logging
import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select, update

import helpdesk
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import claims, ledger
from helpdesk.core.models import Job, Worker
from helpdesk.core.transaction import after_commit, count_rows, transaction

log = logging.getLogger(__name__)

# How it stands with the workers as a whole.
NONE, OTHER_VERSION, FINE = "none", "other_version", "fine"
# A worker beats every 15 s at the latest; one that is silent for three beats is taken for dead.
SILENT = timedelta(seconds=45)
HOST = socket.gethostname()


def sign_on(threads: int, queue: str) -> Worker:
    """Write the row of this process. Opens a transaction of its own; the row is detached."""
    worker = Worker(
        id=uuid.uuid4().hex,
        host=HOST,
        pid=os.getpid(),
        process=_process(os.getpid()) or "",
        version=helpdesk.__version__,
        queue=queue,
        threads=threads,
        started_at=now(),
        beat_at=now(),
    )
    with transaction():
        db.session.add(worker)
    db.session.refresh(worker)
    db.session.expunge(worker)
    return worker


def beat(worker: Worker) -> None:
    """Say that this process lives. Opens a transaction of its own; a row that was taken away comes back."""
    with transaction():
        if not count_rows(update(Worker).where(Worker.id == worker.id).values(beat_at=now())):
            kept = ("id", "host", "pid", "process", "version", "queue", "threads", "started_at")
            db.session.add(Worker(**{column: getattr(worker, column) for column in kept}, beat_at=now()))


def sign_off(worker: Worker) -> None:
    """This process ends in peace: its row goes, and what it still holds waits for others. Transactions of its own."""
    claims.give_back(worker.label)
    with transaction():
        db.session.execute(delete(Worker).where(Worker.id == worker.id))


def beating() -> list[Worker]:
    """The workers that live, as far as is known: they beat less than 45 seconds ago. The oldest comes first."""
    query = select(Worker).where(Worker.beat_at >= now() - SILENT).order_by(Worker.started_at, Worker.id)
    return list(db.session.scalars(query))


def condition() -> str:
    """How it stands with the workers: NONE beats, one runs OTHER_VERSION than this process, or all is FINE."""
    versions = set(db.session.scalars(select(Worker.version).where(Worker.beat_at >= now() - SILENT)))
    if not versions:
        return NONE
    return FINE if versions == {helpdesk.__version__} else OTHER_VERSION


def bury() -> int:
    """Take back at once what workers of this machine held whose processes are gone; answer how many there were.

    Opens a transaction of its own. Those of other machines lose their jobs when their leases run out.
    """
    here = list(db.session.scalars(select(Worker).where(Worker.host == HOST, Worker.process != "")))
    gone = [worker for worker in here if _is_gone(worker)]
    if not gone:
        return 0
    labels, ids = [worker.label for worker in gone], [worker.id for worker in gone]
    log.warning("Workers that are gone: %s. Others take up their jobs.", ", ".join(labels))
    with transaction():
        claims.take_back(Job.worker.in_(labels))
        db.session.execute(delete(Worker).where(Worker.id.in_(ids)))
        moment = now()
        after_commit(lambda: ledger.nudge(moment))
    return len(gone)


def _is_gone(worker: Worker) -> bool:
    place = _place()
    if not place or not worker.process.startswith(f"{place}/"):
        # Another machine (or container) of the same name, or this one before it was started anew.
        return False
    return _process(worker.pid) != worker.process


def _place() -> str:
    """This machine since it was started, and the space in which its process numbers count; empty if not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except (OSError, ValueError):
        return ""


def _process(pid: int) -> str | None:
    """What tells a process from a later one of the same number: the place, and the tick at which it began."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    place = _place()
    if not place or fields[0] in ("Z", "X"):
        return None
    return f"{place}/{fields[19]}"
