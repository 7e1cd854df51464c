"""What workers do for training."""

from datetime import timedelta

from helpdesk.api import LATER, Job, Schedule, hookimpl
from helpdesk_training.applying import apply_rules
from helpdesk_training.forgetting import FORGET, forget
from helpdesk_training.keeping import look
from helpdesk_training.moments import LOOK
from helpdesk_training.rules import APPLY


@hookimpl
def register_jobs() -> list[Job]:
    """See to what falls due, apply the rules, forget what is old; each one at a time."""
    return [
        Job(LOOK, look, at_once=1),
        Job(APPLY, apply_rules, at_once=1),
        Job(FORGET, forget, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Look for what falls due and for whom rules are every quarter of an hour; forget at night."""
    return [
        Schedule("training.look", LOOK, every=timedelta(minutes=15)),
        Schedule("training.apply_rules", APPLY, every=timedelta(minutes=15)),
        Schedule("training.forget", FORGET, daily_at="03:20"),
    ]
