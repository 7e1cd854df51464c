"""Times as people type them in a zone, and what they say of hours that never come or come twice."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from helpdesk.api import Invalid
from helpdesk.api import gettext as _

QUARTER = timedelta(minutes=15)


class Twice(Invalid):
    """The clocks show that hour twice on that day; ``earlier`` and ``later`` (UTC) are both of them."""

    def __init__(self, earlier: datetime, later: datetime, zone: ZoneInfo) -> None:
        first, second = earlier.astimezone(zone), later.astimezone(zone)
        super().__init__(
            "start",
            _(
                "The clocks are put back on that day, so %(time)s comes twice. Choose the first (%(first)s) or the "
                "second (%(second)s).",
                time=f"{first:%H:%M}",
                first=first.tzname() or "",
                second=second.tzname() or "",
            ),
        )
        self.earlier, self.later = earlier, later


def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Europe/Berlin. Raises :class:`Invalid`."""
    if name not in _names():
        raise Invalid("zone", _("There is no time zone “%(name)s”. Choose one such as Europe/Berlin.", name=name[:64]))
    return ZoneInfo(name)


def read_local(text: str, zone: str, fold: int | None = None) -> datetime:
    """The moment (UTC) at which the clocks of ``zone`` show ``text``, as a form sends it: 2026-11-27T14:30.

    ``fold`` says which is meant of an hour that comes twice: 0 the first, 1 the second. Raises :class:`Invalid` for
    a text that is no time, an unknown zone and an hour that never comes, and :class:`Twice` without ``fold``.
    """
    place = zone_named(zone)
    try:
        wall = datetime.fromisoformat(text.strip()).replace(second=0, microsecond=0)
    except ValueError:
        wall = None
    if wall is None or wall.tzinfo is not None or "T" not in text.strip().replace(" ", "T"):
        raise Invalid("start", _("Write a day and a time, such as 2026-03-01 14:30."))
    try:
        earlier = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
        later = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    except OverflowError:
        raise Invalid("start", _("Write a day and a time, such as 2026-03-01 14:30.")) from None
    if earlier.astimezone(place).replace(tzinfo=None) != wall:
        raise Invalid(
            "start",
            _(
                "The clocks are put forward on that day, so %(time)s never comes. Choose an earlier or a later time.",
                time=f"{wall:%H:%M}",
            ),
        )
    if earlier == later or fold == 0:
        return earlier
    if fold == 1:
        return later
    raise Twice(earlier, later, place)


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) of a day there; where midnight is skipped, the moment of the jump or just before it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def minute_up(at: datetime) -> datetime:
    """``at``, or the next full minute."""
    minute = at.replace(second=0, microsecond=0)
    return minute if minute == at else minute + timedelta(minutes=1)


def quarter_up(at: datetime) -> datetime:
    """``at``, or the next quarter of an hour."""
    rest = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at if not rest else at - rest + QUARTER


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
