"""The part of a form in which a time is chosen: a zone, free slots by day, or a time that is typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from helpdesk.api import Invalid, now
from helpdesk.api import gettext as _
from helpdesk_callbacks import words
from helpdesk_callbacks.slots import Slot, free_slots
from helpdesk_callbacks.zones import Twice, read_local

OTHER = "other"
_STAMP = "%Y-%m-%dT%H:%MZ"
# A page of slots; for customers as far as the settings let them look.
DAYS = 7


@dataclass
class Times:
    """What the form shows: the zone, the slots of some days, and what was typed."""

    zone: str
    first: date
    days: Sequence[tuple[date, Sequence[Slot]]] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    earlier: date | None = None
    later: date | None = None
    # The two moments of an hour that comes twice.
    twice: Twice | None = None
    # Whether the zone was chosen, or is only what the desk supposes.
    is_chosen: bool = False

    @property
    def start(self) -> str:
        """The slot that is ticked, or ``OTHER``."""
        return self.typed.get("start", "")

    def has(self, start: str) -> bool:
        """Whether this slot is among those that are shown."""
        return any(stamp(slot.start) == start for _day, slots in self.days for slot in slots)


def stamp(moment: datetime) -> str:
    """A moment as the value of a field."""
    return moment.astimezone(UTC).strftime(_STAMP)


def times(
    typed: Mapping[str, str],
    zone: str,
    *,
    team_id: int | None,
    agent_id: int | None,
    earliest: datetime | None = None,
    latest: date | None = None,
    days: int = DAYS,
    but: int | None = None,
) -> Times:
    """The free slots from the day of ``from`` in what was typed, in its ``zone`` where it names one. Reads only.

    ``but``: the call that is to be moved; its own time is free."""
    chosen = known_zone(typed.get("zone", ""))
    zone = chosen or zone
    today = now().astimezone(ZoneInfo(zone)).date()
    first = max(today, _day(typed.get("from", "")) or today)
    if latest is not None:
        first = min(first, max(today, latest))
        days = min(days, (latest - first).days + 1)
    slots = free_slots(team_id, agent_id, first, days, zone, earliest=earliest, but=but)
    by_day = [
        (day, list(some)) for day, some in groupby(slots, lambda slot: slot.start.astimezone(ZoneInfo(zone)).date())
    ]
    behind = first + timedelta(days=days)
    return Times(
        zone,
        first,
        by_day,
        typed,
        earlier=max(today, first - timedelta(days=days)) if first > today else None,
        later=behind if latest is None or behind <= latest else None,
        is_chosen=bool(chosen),
    )


def read_start(typed: Mapping[str, str], zone: str) -> datetime:
    """The moment that was chosen. Raises Invalid (``start``, ``zone``), and Twice for an hour that comes twice."""
    chosen = typed.get("start", "")
    if chosen and chosen != OTHER:
        try:
            return datetime.strptime(chosen, _STAMP).replace(tzinfo=UTC)
        except ValueError:
            raise Invalid("start", _("Choose one of the times.")) from None
    day, clock = typed.get("day", "").strip(), typed.get("time", "").strip()
    if not day or not clock:
        raise Invalid("start", _("Choose one of the times, or write a day and a time."))
    fold = typed.get("fold", "")
    return read_local(f"{day}T{clock}", zone, int(fold) if fold in ("0", "1") else None)


def known_zone(name: str) -> str:
    """The zone of that name, or "" where there is none."""
    return name if name in dict(words.zones()) else ""


def with_twice(shown: Times, problem: Invalid | None) -> Times:
    """The same, with the two moments to choose from where that is what was wrong."""
    if isinstance(problem, Twice):
        shown.twice = problem
    return shown


def asks_for_times(typed: Mapping[str, str]) -> bool:
    """Whether a button was pressed that only shows other times."""
    return "show" in typed


def flat(form: Any) -> dict[str, str]:
    """What was typed, with the day that a button leads to."""
    typed: dict[str, str] = form.to_dict()
    if asked := typed.get("show", ""):
        typed["from"] = asked if _day(asked) else typed.get("from", "")
    return typed


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None
