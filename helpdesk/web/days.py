"""The days that a page of figures is asked for in its address."""

from collections.abc import Mapping
from datetime import date, timedelta

from flask_babel import gettext as _

# A year and a day.
MOST = 366


def read_days(args: Mapping[str, str], today: date, usual: int, most: int = MOST) -> tuple[date, date, str]:
    """The days ``first`` and ``last`` of an address, and a sentence where they cannot be used, "" where they can.

    What the address leaves out, and all of it with a sentence, is the ``usual`` number of days up to ``today``.
    ``most`` fit. Touches no database.
    """
    begin = today - timedelta(days=usual - 1)
    try:
        first = date.fromisoformat(args.get("first") or begin.isoformat())
        last = date.fromisoformat(args.get("last") or today.isoformat())
    except ValueError:
        problem = _(
            "These days cannot be read; choose a first and a last day, such as %(example)s.", example="2026-03-31"
        )
        return begin, today, problem
    if first > last:
        return begin, today, _("The last day is before the first; choose a later one.")
    if (last - first).days >= most or not 2000 <= first.year <= last.year < 2200:
        return begin, today, _("These are too many days; %(number)s fit.", number=most)
    return first, last, ""
