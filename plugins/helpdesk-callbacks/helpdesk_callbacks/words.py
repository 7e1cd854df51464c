"""What calls, their states and their times are called on pages and in mails."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import dates
from flask_babel import get_locale, get_timezone

from helpdesk.api import gettext as _
from helpdesk.api import now, pgettext
from helpdesk_callbacks.models import (
    AWAY,
    BOOKED,
    BUSY,
    CALL,
    CANCELLED,
    CLOSED,
    DONE,
    DUE,
    MAIL,
    MISSED,
    NO_ANSWER,
    OPEN,
    REACHED,
    REFUSED,
    UNWANTED,
    WRITTEN,
    WRONG_NUMBER,
    Call,
)


def state(call: Call) -> tuple[str, str, str]:
    """Tone, icon and words of where a call stands; colour is never the only sign."""
    if call.state in OPEN and call.tries and call.starts_at > now():
        return "blue", "refresh", _("Try %(number)s comes", number=call.tries + 1)
    if call.state == DONE:
        return "green" if call.outcome in (REACHED, WRITTEN) else "grey", "check", outcome(call.outcome) or _("Done")
    return _states()[call.state]


def _states() -> dict[str, tuple[str, str, str]]:
    return {
        BOOKED: ("blue", "clock", pgettext("call", "Booked")),
        DUE: ("amber", "phone-call", pgettext("call", "Due now")),
        MISSED: ("red", "alert-triangle", pgettext("call", "Late")),
        CANCELLED: ("grey", "circle-x", pgettext("call", "Cancelled")),
    }


def state_name(key: str) -> str:
    """A state without a call, for choices."""
    return pgettext("call", "Done") if key == DONE else _states()[key][2]


def outcomes() -> list[tuple[str, str, str]]:
    """What can come of a try: key, words, and what happens then."""
    return [
        (REACHED, _("Reached"), _("The call is done.")),
        (NO_ANSWER, _("No answer"), _("The next try is booked by itself.")),
        (BUSY, _("Busy"), _("The next try is booked by itself.")),
        (WRONG_NUMBER, _("Wrong number"), _("The customer is asked by mail.")),
        (REFUSED, _("Does not want to talk"), _("No other try is made.")),
    ]


def outcome(key: str) -> str:
    """One of them, or what ended a call without a try."""
    ends = {WRITTEN: _("Written by mail"), UNWANTED: _("Wants no such mail")}
    return {**{name: text for name, text, _then in outcomes()}, **ends}.get(key, "")


def kind(key: str) -> str:
    """A call, or a mail that asks."""
    return {CALL: pgettext("follow-up", "Call"), MAIL: _("Mail that asks")}[key]


def problem(call: Call) -> str:
    """Why somebody should look at a booked call, as a sentence."""
    if call.problem == CLOSED:
        return _("Nobody works at this time any more, and no free time was found. Choose another time.")
    if call.problem == AWAY:
        return _("Who should call is away then. Hand the call over, or choose another time.")
    return ""


def who(call: Call) -> str:
    """Who makes it."""
    if call.agent is not None:
        return str(call.agent.display_name)
    return str(call.team.name) if call.team is not None else _("Whoever is free")


def about(call: Call) -> str:
    """What it is about: the reason of the list, the words, or the ticket's subject."""
    name = call.reason_row.name if call.reason_row is not None else ""
    return " · ".join(part for part in (name, call.reason) if part) or call.ticket.subject


# ---- times


def reader_zone() -> str:
    """The zone in which the reader sees times."""
    return str(get_timezone())


def day(moment: datetime, zone: str) -> str:
    """The day of a moment in a zone: Mon, Nov 30."""
    return day_of(moment.astimezone(ZoneInfo(zone)).date())


def day_of(value: date) -> str:
    """A day of the calendar, with the year where it is not this one."""
    return _day(value, "MMMEd" if value.year == now().year else "yMMMEd", str(get_locale()))


def clock(moment: datetime, zone: str) -> str:
    """The time of day of a moment in a zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return clock_of(local.hour, local.minute)


def hour(number: int) -> str:
    """An hour of the day."""
    return clock_of(number % 24, 0)


def clock_of(hours: int, minutes: int) -> str:
    """A time of day."""
    return _clock(hours, minutes, str(get_locale()))


def window(start: datetime, end: datetime, zone: str) -> str:
    """From when to when: Mon, Nov 30, 3:00 PM–3:30 PM."""
    # Translators: the day and the times of a promised call: "Mon, Nov 30, 3:00 PM–3:30 PM"
    return _("%(day)s, %(start)s–%(end)s", day=day(start, zone), start=clock(start, zone), end=clock(end, zone))


def span(start: datetime, end: datetime, zone: str) -> str:
    """The times alone."""
    return f"{clock(start, zone)}–{clock(end, zone)}"


# Babel takes long for them, and a week has the same ones again and again.
@lru_cache(4096)
def _clock(hours: int, minutes: int, code: str) -> str:
    return dates.format_time(datetime(2000, 1, 1, hours, minutes), "short", locale=code)


@lru_cache(4096)
def _day(value: date, skeleton: str, code: str) -> str:
    return dates.format_skeleton(skeleton, value, locale=code)


@lru_cache(1)
def zones() -> Sequence[tuple[str, str]]:
    """The zones that a person may choose from."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]
