"""What workers do for recommendations."""

from datetime import timedelta

from helpdesk.api import LATER, Job, Schedule, hookimpl
from helpdesk_upsell.buying import MATCH, match
from helpdesk_upsell.guarding import WATCH, watch
from helpdesk_upsell.mining import MINE, mine
from helpdesk_upsell.profiles import PREPARE, prepare_now


@hookimpl
def register_jobs() -> list[Job]:
    """Count what is bought together, find purchases, watch satisfaction, prepare profiles."""
    return [
        Job(MINE, mine, at_once=1, priority=LATER),
        Job(MATCH, match, at_once=1, priority=LATER),
        Job(WATCH, watch, at_once=1, priority=LATER),
        Job(PREPARE, prepare_now, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Profiles every hour, the rest at night."""
    return [
        Schedule("upsell.prepare", PREPARE, every=timedelta(hours=1)),
        Schedule("upsell.mine", MINE, daily_at="02:20"),
        Schedule("upsell.match", MATCH, daily_at="03:10"),
        Schedule("upsell.watch", WATCH, daily_at="03:40"),
    ]
