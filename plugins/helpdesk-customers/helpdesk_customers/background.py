"""What workers do for records of customers."""

from helpdesk.api import LATER, Job, Schedule, hookimpl
from helpdesk_customers.worth import nightly, recount_all

NIGHTLY, RECOUNT = "customers.nightly", "customers.recount"


@hookimpl
def register_jobs() -> list[Job]:
    """Count what has changed by the day, and everything anew."""
    return [
        Job(NIGHTLY, nightly, at_once=1, priority=LATER),
        Job(RECOUNT, recount_all, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Each night: orders leave the days that count, and fifths move."""
    return [Schedule("customers.nightly", NIGHTLY, daily_at="03:20")]
