"""Which jobs there are: the desk's own, and those that plugins declare."""

from collections.abc import Mapping
from typing import Any

from helpdesk.plugins import manager
from helpdesk.plugins.jobs import SCHEDULE_WORDS, Job, wrong_call

# The desk's own, by name; the runner, which knows all their functions, fills it.
OWN: dict[str, Job] = {}


def find(name: str) -> Job | None:
    """The job of that name that can run now: the desk's own, or one of a plugin that is on."""
    return OWN.get(name) or manager.current().find("register_jobs", name)


def declared(name: str) -> Job | None:
    """The job of that name, even if its plugin is off; None when nobody who is installed has it."""
    return OWN.get(name) or manager.current().find("register_jobs", name, include_off=True)


def check(job: Job, args: Mapping[str, Any]) -> None:
    """Raise :class:`ValueError` with a sentence when the job's function cannot be called with these arguments."""
    if taken := SCHEDULE_WORDS.intersection(args):
        raise ValueError(f"A job cannot have “{min(taken)}” among its arguments; give it another name.")
    if wrong := wrong_call(job, args):
        raise ValueError(f"The job {job.name} cannot be run with these arguments: {wrong}.")
