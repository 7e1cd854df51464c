"""Calls as calendars read them (RFC 5545, RFC 5546): the file of a mail, and the feed of an agent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from helpdesk.api import DeskSettings, address, settings
from helpdesk.api import gettext as _
from helpdesk_callbacks import words
from helpdesk_callbacks.links import call_url
from helpdesk_callbacks.models import CANCELLED, Call

if TYPE_CHECKING:
    from icalendar import Alarm, Event, vCalAddress

# icalendar is heavy: it is loaded with the first calendar that is written.
PUBLISH, CANCEL = "PUBLISH", "CANCEL"
CONTENT_TYPE = "text/calendar"
_PRODUCT = "-//helpdesk//callbacks//EN"
_WARNING = timedelta(minutes=10)


def invitation(call: Call, url: str = "", until: datetime | None = None) -> bytes:
    """The file that goes with a customer's mail: published, or taken back when the call is cancelled.

    The same call has the same UID ever after, and ``call.sequence`` says which of its files is the newest. Published
    rather than requested: nobody is asked to answer. ``until`` is another end, of a call that is late. In the language
    that is spoken now.
    """
    gone = call.state == CANCELLED
    event = _event(call, call.starts_at, until or call.ends_at, call.sequence)
    event.add("summary", _("Call from %(desk)s", desk=_desk_name()))
    event.add("description", "\n".join(_lines(call, url)))
    event["organizer"] = _organizer(call)
    if url:
        event.add("url", url)
    if not gone:
        event.add_component(_alarm())
    return _calendar([event], CANCEL if gone else PUBLISH)


def feed(calls: Iterable[Call], name: str) -> bytes:
    """An agent's calendar: each call with whom it is, the number and where it is made."""
    events = []
    for call in calls:
        event = _event(call, call.starts_at, call.ends_at, call.version)
        event.add("summary", _("Call %(name)s", name=call.person.display_name))
        lines = [call.phone, words.about(call), _("Ticket %(number)s", number=call.ticket_id)]
        event.add("description", "\n".join(line for line in lines if line))
        event.add("url", call_url(call.id))
        events.append(event)
    return _calendar(events, None, name)


def uid(call: Call) -> str:
    """What calendars know a call by."""
    return f"call-{call.id}@{_host()}"


def _event(call: Call, start: datetime, end: datetime, sequence: int) -> Event:
    from icalendar import Event

    event = Event()
    event.add("uid", uid(call))
    event.add("sequence", sequence)
    # When the desk wrote it first: the same call at the same version is the same text, so that feeds can be compared.
    event.add("dtstamp", call.created_at.replace(microsecond=0))
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("status", "CANCELLED" if call.state == CANCELLED else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def _lines(call: Call, url: str) -> list[str]:
    lines = [words.about(call)]
    if call.phone:
        lines.append(_("We call you at %(phone)s.", phone=call.phone))
    lines.append(_("Ticket %(number)s", number=call.ticket_id))
    if url and call.state != CANCELLED:
        lines.append(_("Another time suits you better? %(url)s", url=url))
    return lines


def _alarm() -> Alarm:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Call from %(desk)s", desk=_desk_name()))
    alarm.add("trigger", -_WARNING)
    return alarm


def _calendar(events: Iterable[Event], method: str | None, name: str = "") -> bytes:
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method is not None:
        calendar.add("method", method)
    if name:
        # RFC 7986, and what calendars read that are older.
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _organizer(call: Call) -> vCalAddress:
    """The address that the ticket was written to; else one of the desk's own host, which no answer is expected at."""
    from icalendar import vCalAddress

    account = call.ticket.account or ""
    organizer = vCalAddress(f"mailto:{account if '@' in account else f'noreply@{_host()}'}")
    organizer.params["cn"] = _desk_name()
    return organizer


def _host() -> str:
    return urlsplit(address()).hostname or "localhost"


def _desk_name() -> str:
    return settings(DeskSettings).name
