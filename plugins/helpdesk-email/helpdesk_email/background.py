"""What workers do for mail: fetch it every minute, and hear of it at once."""

from datetime import timedelta

from helpdesk.api import Job, Schedule, Service, hookimpl
from helpdesk.api import lazy_gettext as _l
from helpdesk_email import fetching, idle, listening


@hookimpl
def register_jobs() -> list[Job]:
    """Fetching, one mailbox at a time, so that a slow server leaves the other threads of a worker alone."""
    return [
        Job("email.fetch", fetching.fetch_in_turn, at_once=1, max_attempts=3),
        Job("email.poll", fetching.poll, max_attempts=1),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """The look into each mailbox."""
    return [Schedule("email.poll", "email.poll", every=timedelta(minutes=1), catch_up="skip")]


@hookimpl
def register_services() -> list[Service]:
    """What waits for mail."""
    return [
        Service("email.idle", _l("Hears of new mail at once"), idle.watch),
        Service("email.listen", _l("Takes mail from your mail server"), listening.listen),
    ]
