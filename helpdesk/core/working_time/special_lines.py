"""Days that differ, one on a line, as owners write them and copy them from an announcement.

"2026-02-14 open 09:00-17:00 Working Saturday", "2026-12-24 09:00-12:00", "2026-12-25 closed Christmas".
"""

import re
from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _
from flask_babel import pgettext as _p

from helpdesk.core.models.columns import storable
from helpdesk.core.working_time import week
from helpdesk.core.working_time.hours import Day, Span

MOST = 1000
NAME_LENGTH = 80
_LINE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[\s,，:：]+(.*))?")
_CLOCK = r"[0-9]{1,2}(?:[:.h][0-9]{2})?"
_SPAN = rf"{_CLOCK}\s*[-–—~～至]\s*{_CLOCK}"
_TIMES = re.compile(rf"{_SPAN}(?:\s*[,;，；、]\s*{_SPAN})*(?![0-9:]|[-–—~～至][0-9])")
_FIRST, _LAST = 1970, 2999


class InvalidLine(ValueError):
    """A line says nothing that can be understood; the text is a sentence with its number."""


def parse(text: str, usual: tuple[Span, ...]) -> dict[date, Day]:
    """The days that the lines of ``text`` name; empty lines are left out. ``usual``: the times of "open" alone.

    Raises :class:`InvalidLine`.
    """
    lines = [(number, line) for number, raw in enumerate(storable(text).splitlines(), 1) if (line := raw.strip())]
    if len(lines) > MOST:
        raise InvalidLine(_("These are too many days; %(number)s fit.", number=MOST))
    found: dict[date, Day] = {}
    for number, line in lines:
        day, meant = _parse(number, line, usual)
        if day in found:
            raise InvalidLine(_("Line %(line)s: the day %(day)s stands there twice.", line=number, day=day.isoformat()))
        found[day] = meant
    return found


def write(days: Mapping[date, Day]) -> str:
    """Lines as :func:`parse` reads them, in the order of the calendar."""
    return "\n".join(_written(day, days[day]) for day in sorted(days))


def _written(day: date, meant: Day) -> str:
    if not meant.spans:
        return f"{day.isoformat()} {_p('day', 'closed')} {meant.name}".rstrip()
    return f"{day.isoformat()} {_p('day', 'open')} {week.shown(meant.spans)} {meant.name}".rstrip()


def _parse(number: int, line: str, usual: tuple[Span, ...]) -> tuple[date, Day]:
    found = _LINE.fullmatch(line)
    if found is None or not _FIRST <= int(found[1]) <= _LAST:
        raise _unclear(number)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise InvalidLine(
            _("Line %(line)s: there is no day %(day)s.", line=number, day="-".join(found.groups()[:3]))
        ) from None
    word, rest = _word(found[4] or "")
    spans, name = _spans(number, rest)
    if word == "closed" and spans:
        raise InvalidLine(_("Line %(line)s: a day cannot be closed and have times.", line=number))
    if word == "open" and not spans:
        if not usual:
            raise InvalidLine(_("Line %(line)s: write the times, such as 09:00-17:00.", line=number))
        spans = usual
    if not word and not spans:
        raise _unclear(number)
    if len(name) > NAME_LENGTH:
        raise InvalidLine(
            _("Line %(line)s: the name is too long; %(number)s characters fit.", line=number, number=NAME_LENGTH)
        )
    return day, Day(spans, name)


def _word(rest: str) -> tuple[str, str]:
    """Whether the day is said to be open or closed, in English or the reader's language, and what follows."""
    words = {
        "open": "open",
        "closed": "closed",
        _p("day", "open").casefold(): "open",
        _p("day", "closed").casefold(): "closed",
    }
    first, _blank, behind = rest.partition(" ")
    meant = words.get(first.rstrip(":,，：").casefold(), "")
    return (meant, behind.strip()) if meant else ("", rest.strip())


def _spans(number: int, rest: str) -> tuple[tuple[Span, ...], str]:
    times = _TIMES.match(rest)
    if times is None:
        return (), " ".join(rest.split())
    try:
        return week.typed(times[0]), " ".join(rest[times.end() :].strip(" ,，:：").split())
    except week.InvalidTimes:
        raise InvalidLine(_("Line %(line)s: “%(times)s” are no opening times.", line=number, times=times[0])) from None


def _unclear(number: int) -> InvalidLine:
    example = "2026-02-14 open 09:00-17:00"
    return InvalidLine(
        _(
            "Line %(line)s cannot be understood; write a day and what it is, such as “%(example)s”.",
            line=number,
            example=example,
        )
    )
