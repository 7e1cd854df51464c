"""Work that plugins contribute: jobs, and schedules by which they come again. All names are in ``contributions``."""

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from helpdesk.plugins import crontab

# Priorities of jobs: somebody waits for it; ordinary; whenever there is time.
SOON, NORMAL, LATER = 0, 1, 2
PRIORITIES = (SOON, NORMAL, LATER)


@dataclass(frozen=True)
class Job:
    """Work that a worker does: ``run(**args)`` with JSON arguments, in an app context. ``name`` is ``<plugin>.<what>``.

    A short one runs inside one transaction, which also marks it done: what it writes to the database happens exactly
    once. One that waits for others (the network, much computing) names a parameter ``work``, gets a ``Work``, runs
    outside transactions and writes in short steps; what it does outside the database may happen twice.

    One that raises is tried again after ``first_pause``, then four times as long each time, up to ``last_pause``;
    after ``max_attempts`` it has failed. Then ``given_up(reason=..., **args)`` is called, in a job of its own. One
    that takes longer than ``time_limit`` is stopped. At most ``at_once`` of the name run at the same time (None: any
    number). Of what is due, jobs with ``priority`` SOON go first, LATER last. Raises ValueError for what cannot be.
    """

    name: str
    run: Callable[..., Any]
    max_attempts: int = 8
    time_limit: timedelta = timedelta(minutes=10)
    at_once: int | None = None
    priority: int = NORMAL
    first_pause: timedelta = timedelta(seconds=10)
    last_pause: timedelta = timedelta(hours=6)
    given_up: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if wrong := _wrong_job(self):
            raise ValueError(f"The job {self.name} {wrong}")

    @property
    def takes_work(self) -> bool:
        """Whether it runs outside transactions, in steps."""
        return "work" in _parameters(self.run)


def wrong_call(job: Job, args: Mapping[str, Any]) -> str:
    """Why the job's function cannot be called with these arguments, or an empty text."""
    try:
        inspect.signature(job.run).bind(**({**args, "work": None} if job.takes_work else args))
    except TypeError as error:
        return str(error)
    except ValueError:
        # Some built-in functions do not tell; what is wrong shows when it runs.
        pass
    return ""


@lru_cache(maxsize=1000)
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        # Some built-in functions do not tell.
        return frozenset()


def _wrong_job(job: Job) -> str:
    """What must be changed, or an empty text."""
    if job.max_attempts < 1:
        return "is tried at least once: max_attempts is 1 or more."
    if job.at_once is not None and job.at_once < 1:
        return "runs at least once at a time: at_once is 1 or more, or None."
    if job.priority not in PRIORITIES:
        return "has a priority that there is not; use SOON, NORMAL or LATER."
    if not timedelta(seconds=1) <= job.time_limit <= timedelta(days=1):
        return "has a time_limit of a second at least, and of a day at most."
    if not timedelta(0) < job.first_pause <= job.last_pause <= timedelta(days=366):
        return "waits first_pause at first, and last_pause (which is not shorter) in the end."
    return ""


@dataclass(frozen=True)
class Schedule:
    """A job that comes again: ``every`` so long, at a local time, or as a ``crontab`` says.

    ``daily_at`` "HH:MM" comes every day, on ``weekdays`` (0 is Monday) or on ``month_days`` (-1 is the last; a day that
    a month lacks is left out). ``crontab`` has the five fields (minute, hour, day, month, weekday). Both count in
    ``zone`` (an IANA name; none: the desk's own). ``name`` is ``<plugin>.<what>``; ``job`` the name of a registered
    job, run with ``args`` (JSON). Each due time runs once, whatever number of workers there are.

    ``catch_up`` says what becomes of what was missed while the desk was down: ``once`` (one run, late), ``skip`` (left
    out) or ``all`` (each, the oldest first, 1,000 at most). Raises ValueError for a rule that is none.
    """

    name: str
    job: str
    every: timedelta | None = None
    daily_at: str = ""
    weekdays: Sequence[int] = ()
    zone: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    month_days: Sequence[int] = ()
    crontab: str = ""
    catch_up: str = "once"

    def __post_init__(self) -> None:
        if wrong := _wrong_schedule(self):
            raise ValueError(f"The schedule {self.name} {wrong}")


def _wrong_schedule(found: Schedule) -> str:
    """What must be changed, or an empty text."""
    if len(found.name) > 120:
        return "has a name that is too long; 120 characters fit."
    if found.job.partition(".")[0] != found.name.partition(".")[0]:
        return f"names the job “{found.job}”; it takes a job of the same plugin."
    if [found.every is not None, bool(found.daily_at), bool(found.crontab)].count(True) != 1:
        return "takes either every or daily_at or crontab."
    if found.every is not None and not timedelta(minutes=1) <= found.every <= timedelta(days=366):
        return "comes again after a minute at least, and after 366 days at most."
    if found.zone and found.every is not None:
        return "takes a zone together with daily_at or crontab."
    if found.catch_up not in ("once", "skip", "all"):
        return "takes catch_up as once, skip or all."
    return _wrong_days(found) or _wrong_crontab(found.crontab) or _wrong_zone(found.zone) or _wrong_args(found.args)


def _wrong_days(found: Schedule) -> str:
    if found.daily_at and not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", found.daily_at):
        return "takes daily_at as HH:MM, such as 03:00."
    if (found.weekdays or found.month_days) and not found.daily_at:
        return "takes weekdays and month_days together with daily_at."
    if found.weekdays and found.month_days:
        return "takes either weekdays or month_days; a crontab can have both."
    if not all(type(day) is int and 0 <= day <= 6 for day in found.weekdays):
        return "takes weekdays from 0 (Monday) to 6 (Sunday)."
    if not all(type(day) is int and (day == -1 or 1 <= day <= 31) for day in found.month_days):
        return "takes month_days from 1 to 31, and -1 for the last."
    return ""


def _wrong_crontab(text: str) -> str:
    try:
        if text:
            crontab.parse(text)
    except ValueError as error:
        return str(error)
    return ""


def _wrong_zone(zone: str) -> str:
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError):
        return f"names the time zone “{zone}”, which is none; use one such as Europe/Berlin."
    return ""


# What schedule() itself takes by name, and what a job is given by its worker.
SCHEDULE_WORDS = frozenset({"name", "at", "key", "max_attempts", "priority", "asked_by", "work"})


def _wrong_args(args: Mapping[str, Any]) -> str:
    try:
        json.dumps(dict(args))
    except (TypeError, ValueError):
        return "takes args that are JSON."
    taken = SCHEDULE_WORDS.intersection(args)
    return f"cannot have “{min(taken)}” among its args; give it another name." if taken else ""
