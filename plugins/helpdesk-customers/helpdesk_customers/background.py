"""What workers do for records of customers."""

from helpdesk.api import LATER, Job, Schedule, hookimpl
from helpdesk_customers.duplicates import LOOK, look
from helpdesk_customers.import_running import take_in
from helpdesk_customers.importing import TAKE, tidy
from helpdesk_customers.worth import RECOUNT, nightly, recount_all

NIGHTLY, TIDY = "customers.nightly", "customers.tidy_imports"


@hookimpl
def register_jobs() -> list[Job]:
    """Count what has changed by the day, and everything anew."""
    return [
        Job(NIGHTLY, nightly, at_once=1, priority=LATER),
        Job(RECOUNT, recount_all, at_once=1, priority=LATER),
        Job(LOOK, look, at_once=1, priority=LATER),
        Job(TAKE, take_in, at_once=2, priority=LATER),
        Job(TIDY, tidy, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Each night: orders leave the days that count, and fifths move; who may be one is looked for."""
    return [
        Schedule("customers.nightly", NIGHTLY, daily_at="03:20"),
        Schedule("customers.duplicates", LOOK, daily_at="03:40"),
        Schedule("customers.tidy_imports", TIDY, daily_at="04:10"),
    ]
