"""The span of time that a report is about, from two dates that somebody typed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask_babel import gettext as _
from flask_babel import to_user_timezone, to_utc

from helpdesk.core.clock import now

DAYS = 30
# Years that the calendars of databases and of people agree on.
_FIRST, _LAST = date(1970, 1, 1), date(2999, 12, 31)


class BadSpan(Exception):
    """The dates are no span; ``field`` is the one to correct, the text a sentence for the person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Span:
    """Two days and all between them, by the reader's calendar."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        """The moment when the first day begins for the reader."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The moment when the last day is over for the reader."""
        return _midnight(self.last + timedelta(days=1))


def today() -> date:
    """The reader's today."""
    return to_user_timezone(now()).date()


def last_days(days: int) -> Span:
    """So many days, the last of them today."""
    return Span(today() - timedelta(days=days - 1), today())


def parse_span(first: str, last: str) -> Span:
    """The span between two dates as forms write them; without both, the last 30 days. Raises :class:`BadSpan`."""
    end = _day("to", last) if last else None
    begin = _day("from", first) if first else None
    if end is None:
        end = max(today(), begin) if begin else today()
    if begin is None:
        begin = max(_FIRST, end - timedelta(days=DAYS - 1))
    if begin > end:
        raise BadSpan("to", _("The last day is before the first; choose a later one."))
    return Span(begin, end)


def _day(field: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        sentence = _("This is no date; write it as year, month and day, such as %(example)s.", example="2026-03-31")
        raise BadSpan(field, sentence) from None
    if not _FIRST <= found <= _LAST:
        raise BadSpan(field, _("This date is too far away; choose one after %(year)s.", year=_FIRST.year))
    return found


def _midnight(day: date) -> datetime:
    return to_utc(datetime.combine(day, time())).replace(tzinfo=UTC)
