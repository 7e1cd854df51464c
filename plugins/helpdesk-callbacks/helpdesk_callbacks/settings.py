"""What an owner sets for promised calls."""

import re
from dataclasses import dataclass
from datetime import timedelta

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l

WRITE = "write"
_STEP = re.compile(r"([1-9][0-9]{0,2})([mhd])")
_STEPS = r"[1-9][0-9]{0,2}[mhd](\s*,\s*[1-9][0-9]{0,2}[mhd]){0,8}(\s*,\s*write)?|write|-"


@dataclass(frozen=True)
class Step:
    """What follows a try in vain: another one after so long, on the N-th working day, or a mail."""

    after: timedelta | None = None
    days: int = 0
    is_mail: bool = False


@dataclass(frozen=True)
class CallbackSettings:
    """How calls are promised and kept."""

    slot_minutes: str = setting(
        "30",
        _l("Length of a promised call"),
        _l("The customer is told from when to when the call comes."),
        choices=(("15", _l("15 minutes")), ("30", _l("30 minutes")), ("60", _l("60 minutes"))),
    )
    team_capacity: int = setting(
        2,
        _l("Calls at the same time"),
        _l("How many calls a team can take in one slot, unless the team has a number of its own."),
        minimum=1,
        maximum=200,
    )
    customers_book: bool = setting(
        True, _l("Customers may book"), _l("By the link in their mails, without an account; in free slots alone.")
    )
    horizon_days: int = setting(14, _l("Days ahead"), _l("How far ahead customers may book."), minimum=1, maximum=90)
    notice_minutes: int = setting(
        60,
        _l("Notice in minutes"),
        _l("A customer books so long before the call, at least."),
        minimum=0,
        maximum=10_080,
    )
    remind_minutes: int = setting(
        10,
        _l("Remind so many minutes before"),
        _l("Whoever makes the call is told. 0: only when its time has come."),
        minimum=0,
        maximum=1_440,
    )
    escalate_minutes: int = setting(
        10,
        _l("Tell supervisors so many minutes before the end"),
        _l("When nobody has tried to call by then. 0: not at all."),
        minimum=0,
        maximum=240,
    )
    retries: str = setting(
        "1h, 4h, 1d, write",
        _l("After a try in vain"),
        _l(
            "The pauses before the next tries: m for minutes, h for hours, d for working days. “write” at the end: the "
            "customer gets a mail. Only a hyphen: no other try."
        ),
        pattern=_STEPS,
    )
    follow_up_most: int = setting(
        1,
        _l("Follow-ups for one customer"),
        _l("Rules make no more than these within the days below."),
        minimum=0,
        maximum=100,
    )
    follow_up_days: int = setting(
        30, _l("Days in which they are counted"), _l("For the number above."), minimum=1, maximum=3_650
    )

    @property
    def slot(self) -> int:
        """The length of a call in minutes."""
        return int(self.slot_minutes)

    @property
    def steps(self) -> list[Step]:
        """``retries`` one by one."""
        words = [word.strip() for word in self.retries.split(",")]
        return [_step(word) for word in words if word and word != "-"]


def _step(word: str) -> Step:
    found = _STEP.fullmatch(word)
    if found is None:
        return Step(is_mail=True)
    number = int(found[1])
    if found[2] == "d":
        return Step(days=number)
    return Step(timedelta(minutes=number) if found[2] == "m" else timedelta(hours=number))


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """Slots, what customers may do, when who is told, and what follows a try in vain."""
    return [
        SettingsGroup(
            "callbacks", _l("Promised calls"), CallbackSettings, _l("How calls are promised, kept and tried again.")
        )
    ]
