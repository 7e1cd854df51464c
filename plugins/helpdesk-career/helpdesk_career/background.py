"""What workers do for careers."""

from datetime import timedelta

from helpdesk.api import LATER, Job, Schedule, Work, hookimpl
from helpdesk_career.keeping import keep
from helpdesk_career.measuring import measure, measure_stale

MEASURE, MEASURE_ALL, KEEP = "career.measure", "career.measure_all", "career.keep"


def measure_some(work: Work) -> dict[str, int]:
    """Measure those of whom something has happened."""
    return {"people": measure_stale()}


def measure_all(work: Work) -> dict[str, int]:
    """Measure everybody: spans of days move on, and what no fact tells of is seen."""
    return {"people": measure()}


@hookimpl
def register_jobs() -> list[Job]:
    """Measure some, measure all, and see to those who left."""
    return [
        Job(MEASURE, measure_some, at_once=1, priority=LATER),
        Job(MEASURE_ALL, measure_all, at_once=1, priority=LATER),
        Job(KEEP, keep, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Every five minutes what has changed, and everything once a night."""
    return [
        Schedule("career.measure", MEASURE, every=timedelta(minutes=5)),
        Schedule("career.measure_all", MEASURE_ALL, daily_at="02:40"),
        Schedule("career.keep", KEEP, daily_at="03:20"),
    ]
