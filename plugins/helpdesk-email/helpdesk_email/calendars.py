"""Invitations (RFC 5545, 5546) as a few lines that people read; the file itself stays attached."""

from datetime import date, datetime, timedelta
from typing import Any

from helpdesk.api import gettext as _

TYPES = frozenset({"text/calendar", "application/ics", "application/x-ics"})
# More is no invitation but somebody's whole calendar; reading that takes seconds.
MAX_SIZE = 256 * 1024
# Above this it is read in a process of its own (apart.py).
QUICK = 32 * 1024
_MAX_EVENTS = 5
_MAX_PEOPLE = 20
_MAX_LINE = 300


def describe(data: bytes) -> str:
    """What an invitation, a change or an answer says; "" for what is none. Never raises."""
    if len(data) > MAX_SIZE or b"BEGIN:VCALENDAR" not in data[:4_096].upper():
        return ""
    from icalendar import Calendar  # heavy: only for mail with an invitation

    try:
        calendars = Calendar.from_ical(data.decode("utf-8", "replace"), multiple=True)
        return "\n\n".join(_blocks(calendars)).replace("\0", "\ufffd")
    except Exception:  # noqa: BLE001 - a library that meets bytes of anybody
        return ""


def _blocks(calendars: list[Any]) -> list[str]:
    found: list[str] = []
    for calendar in calendars:
        method = str(calendar.get("METHOD", "")).upper()
        for event in calendar.walk("VEVENT")[: _MAX_EVENTS - len(found)]:
            found.append("\n".join(line[:_MAX_LINE] for line in _lines(method, event) if line))
    return found


def _lines(method: str, event: Any) -> list[str]:
    when, place, organiser = _when(event), _words(event.get("LOCATION")), _person(event.get("ORGANIZER"))
    people = _people(event) if method != "REPLY" else ""
    return [
        _title(method, event),
        _("When: %(when)s", when=when) if when else "",
        _("It repeats.") if event.get("RRULE") else "",
        _("Where: %(place)s", place=place) if place else "",
        _("Organiser: %(person)s", person=organiser) if organiser else "",
        _("With: %(people)s", people=people) if people else "",
    ]


def _title(method: str, event: Any) -> str:
    subject = _words(event.get("SUMMARY")) or _("without a title")
    if method == "CANCEL" or _words(event.get("STATUS")).upper() == "CANCELLED":
        return _("Cancelled: %(subject)s", subject=subject)
    if method == "REPLY":
        return _answer(event, subject)
    if method in ("REQUEST", "ADD"):
        return _("Invitation: %(subject)s", subject=subject)
    if method == "COUNTER":
        return _("Another time is proposed: %(subject)s", subject=subject)
    return _("Calendar entry: %(subject)s", subject=subject)


def _answer(event: Any, subject: str) -> str:
    attendee = next(iter(_listed(event.get("ATTENDEE"))), None)
    who = _person(attendee) or _("Somebody")
    said = str(getattr(attendee, "params", {}).get("PARTSTAT", "")).upper()
    if said == "ACCEPTED":
        return _("%(person)s accepts: %(subject)s", person=who, subject=subject)
    if said == "DECLINED":
        return _("%(person)s declines: %(subject)s", person=who, subject=subject)
    if said == "TENTATIVE":
        return _("%(person)s may come: %(subject)s", person=who, subject=subject)
    return _("%(person)s answers: %(subject)s", person=who, subject=subject)


def _when(event: Any) -> str:
    """Begin and end as the calendar has them, in its own time zone: ``2026-02-02 10:00 - 11:00 (Europe/Berlin)``."""
    begin = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(begin, date):
        return ""
    end = getattr(event.get("DTEND"), "dt", None)
    lasting = getattr(event.get("DURATION"), "dt", None)
    if end is None and isinstance(lasting, timedelta):
        end = begin + lasting
    if not isinstance(begin, datetime):
        return _days(begin, end)
    zone = getattr(begin.tzinfo, "key", None) or begin.tzname() or ""
    text = f"{begin:%Y-%m-%d %H:%M}"
    if isinstance(end, datetime) and end != begin:
        text += f" - {end:%H:%M}" if end.date() == begin.date() else f" - {end:%Y-%m-%d %H:%M}"
    return f"{text} ({zone})" if zone else text


def _days(begin: date, end: object) -> str:
    """Whole days; the end is the first day that is over (RFC 5545, 3.6.1)."""
    if not isinstance(end, date) or isinstance(end, datetime) or end - begin <= timedelta(days=1):
        return begin.isoformat()
    return f"{begin.isoformat()} - {(end - timedelta(days=1)).isoformat()}"


def _people(event: Any) -> str:
    attendees = _listed(event.get("ATTENDEE"))
    named = [name for one in attendees[:_MAX_PEOPLE] if (name := _person(one))]
    return ", ".join(named) + (", …" if len(attendees) > _MAX_PEOPLE else "")


def _person(value: Any) -> str:
    if value is None:
        return ""
    address = _words(value)
    address = address[7:] if address.lower().startswith("mailto:") else address
    name = _words(getattr(value, "params", {}).get("CN"))
    return f"{name} <{address}>" if name and name != address else address


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _words(value: Any) -> str:
    """A value on one line."""
    return " ".join(str(value if value is not None else "").split())[:_MAX_LINE]
