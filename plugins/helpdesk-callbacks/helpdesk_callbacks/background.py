"""What workers do for promised calls."""

from datetime import timedelta

from helpdesk.api import SOON, Job, Schedule, hookimpl
from helpdesk_callbacks.calls import RING
from helpdesk_callbacks.follow_ups import follow_up
from helpdesk_callbacks.keeping import ring
from helpdesk_callbacks.looking import look_ahead

AHEAD, FOLLOW_UP = "callbacks.look_ahead", "callbacks.follow_up"


@hookimpl
def register_jobs() -> list[Job]:
    """What falls due, what could not be kept, and what follows up; each one at a time."""
    return [
        Job(RING, ring, at_once=1, priority=SOON),
        Job(AHEAD, look_ahead, at_once=1),
        Job(FOLLOW_UP, follow_up, at_once=1),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """A look every minute, should the wake-up for a moment get lost, and at what lies ahead."""
    return [
        Schedule("callbacks.ring", RING, every=timedelta(minutes=1)),
        Schedule("callbacks.look_ahead", AHEAD, every=timedelta(minutes=15)),
        Schedule("callbacks.follow_up", FOLLOW_UP, every=timedelta(minutes=15)),
    ]
