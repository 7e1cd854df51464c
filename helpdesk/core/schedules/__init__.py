"""Jobs that come again: when each is due, and that each due time runs once."""

from helpdesk.core.schedules.own import CORE
from helpdesk.core.schedules.rows import UnknownSchedule, find, listed, rests, sync
from helpdesk.core.schedules.rules import next_due
from helpdesk.core.schedules.switching import PluginOff, run_now, switch
from helpdesk.core.schedules.taking import forget_old, look

__all__ = [
    "CORE",
    "PluginOff",
    "UnknownSchedule",
    "find",
    "forget_old",
    "listed",
    "look",
    "next_due",
    "rests",
    "run_now",
    "switch",
    "sync",
]
