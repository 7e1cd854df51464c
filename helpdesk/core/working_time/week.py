"""Opening times as they are kept and as people type them: "09:00-12:30, 13:30-17:00"."""

import re
from collections.abc import Sequence
from typing import Any

from helpdesk.core.working_time.hours import DAY, Span

_TIME = re.compile(r"([01]?[0-9]|2[0-4])(?:[:.h]([0-5][0-9]))?")
_DASHES = re.compile(r"\s*[-–—~～至]\s*")
_MARKS = re.compile(r"\s*[,;，；、]\s*")
MOST_SPANS = 8


class InvalidTimes(ValueError):
    """No opening times are meant by this text; the argument is the part that cannot be read, or spans that overlap."""


def kept(spans: Sequence[Span]) -> list[list[str]]:
    """Spans as they are kept in a row: [["09:00", "17:00"]]. The whole day is 00:00 to 24:00."""
    return [[clock(begin), clock(end - DAY if end > DAY else end)] for begin, end in spans]


def read(times: Any) -> tuple[Span, ...]:
    """Spans from what is kept in a row; what cannot be read is left out."""
    found = []
    for pair in times if isinstance(times, list) else ():
        try:
            begin, end = (minutes(str(text)) for text in pair)
            found.append(_span(begin, end))
        except (ValueError, TypeError):
            continue
    return tuple(sorted(found))


def typed(text: str) -> tuple[Span, ...]:
    """Spans from what somebody typed: none for nothing, several with commas. An end not after its begin is the next
    day's. Raises :class:`InvalidTimes`.
    """
    parts = [part for part in _MARKS.split(text.strip()) if part]
    if len(parts) > MOST_SPANS:
        raise InvalidTimes(text)
    spans = sorted(_typed_span(part) for part in parts)
    for (_begin, end), (begin, _end) in zip(spans, spans[1:], strict=False):
        if begin < end:
            raise InvalidTimes(text)
    return tuple(spans)


def shown(spans: Sequence[Span]) -> str:
    """Spans as :func:`typed` reads them."""
    return ", ".join(f"{begin}-{end}" for begin, end in kept(spans))


def clock(minutes: int) -> str:
    """Minutes since midnight as a clock shows them: 09:30."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _typed_span(text: str) -> Span:
    ends = _DASHES.split(text)
    if len(ends) != 2:
        raise InvalidTimes(text)
    try:
        return _span(minutes(ends[0]), minutes(ends[1]))
    except ValueError:
        raise InvalidTimes(text) from None


def _span(begin: int, end: int) -> Span:
    if begin >= DAY:
        raise ValueError(begin)
    return begin, end if end > begin else end + DAY


def minutes(text: str) -> int:
    """Minutes since midnight out of a time such as 9:30 or 24:00. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    total = int(found[1]) * 60 + int(found[2] or 0)
    if total > DAY:
        raise ValueError(text)
    return total
