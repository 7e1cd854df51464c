"""What workers do for surveys."""

from datetime import timedelta

from helpdesk.api import LATER, Job, Schedule, hookimpl
from helpdesk_surveys.acting import ACT, act
from helpdesk_surveys.counting import recount
from helpdesk_surveys.invitations import SEND
from helpdesk_surveys.rhythm import plan
from helpdesk_surveys.sending import send_due

PLAN, RECOUNT = "surveys.plan", "surveys.recount"


@hookimpl
def register_jobs() -> list[Job]:
    """Send what is due, plan the rhythm, act on an answer, count anew."""
    return [
        Job(SEND, send_due, at_once=1),
        Job(PLAN, plan, at_once=1, priority=LATER),
        Job(ACT, act),
        Job(RECOUNT, recount, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Look for what is due every five minutes, and whose turn it is every hour."""
    return [
        Schedule("surveys.send", SEND, every=timedelta(minutes=5)),
        Schedule("surveys.plan", PLAN, every=timedelta(hours=1)),
    ]
