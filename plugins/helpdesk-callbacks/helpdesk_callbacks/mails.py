"""What customers are told by mail: booked, changed, cancelled, late, and how it is. Each in their own language.

All are called inside the open transaction of what they tell about, and are undone with it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from helpdesk.api import gettext as _
from helpdesk.api import now, settings, speaking, store_bytes, write_care, write_letter
from helpdesk_callbacks import words
from helpdesk_callbacks.invitations import CONTENT_TYPE, invitation
from helpdesk_callbacks.links import customer_url
from helpdesk_callbacks.models import WRONG_NUMBER, Call
from helpdesk_callbacks.settings import CallbackSettings


def told_booked(call: Call) -> None:
    """The customer has a promise: when, at which number, and how to change it."""
    with _language(call):
        subject = _("We will call you on %(day)s at %(time)s", day=_day(call), time=_time(call))
        _write(call, subject, [_greeting(call), _("We will call you:"), _facts(call), _change()])


def told_moved(call: Call) -> None:
    """The call comes at another time."""
    with _language(call):
        subject = _("Your call is now on %(day)s at %(time)s", day=_day(call), time=_time(call))
        _write(call, subject, [_greeting(call), _("Your call was moved. The new time:"), _facts(call), _change()])


def told_cancelled(call: Call) -> None:
    """There is no call any more."""
    with _language(call):
        subject = _("Your call on %(day)s is cancelled", day=_day(call))
        text = _("The call on %(when)s is cancelled; we will not call then.", when=_when(call))
        again = _("You would still like to talk? Choose another time by the link below.")
        _write(call, subject, [_greeting(call), text, again if _may_book() else _by_answer()], label=_another_time())


def told_delayed(call: Call) -> None:
    """The time has passed and nobody has called: said before they have to ask."""
    # Calendars get a newer file of the same call, which goes on until then.
    call.sequence += 1
    with _language(call):
        lines = [
            _greeting(call),
            _("We promised to call you on %(when)s, and have not managed to. We are sorry.", when=_when(call)),
            _("We call you as soon as we can. Does another time suit you better? Choose one by the link below.")
            if _may_book()
            else _("We call you as soon as we can. Does another time suit you better? Answer this mail."),
        ]
        _write(call, _("Our call to you is late"), lines, until=max(call.ends_at, now() + timedelta(hours=1)))


def told_unreached(call: Call) -> None:
    """Every try was in vain."""
    with _language(call):
        number = [_("The number seems to be a wrong one.")] if call.outcome == WRONG_NUMBER else []
        lines = [
            _greeting(call),
            _("We have tried to call you at %(phone)s and did not reach you.", phone=call.phone)
            if call.phone
            else _("We have tried to call you and did not reach you."),
            *number,
            _("Choose another time by the link below, or just answer this mail.") if _may_book() else _by_answer(),
        ]
        _write(call, _("We could not reach you by phone"), lines, label=_another_time(), calendar=False)


def ask_how_it_is(call: Call) -> bool:
    """The mail of a follow-up that asks. False, and nothing is written, for somebody who wants no such mail."""
    with _language(call):
        rule = call.rule
        asked = rule.words if rule is not None else ""
        lines = [
            _greeting(call),
            asked or _("Some days ago we solved “%(subject)s”. Is everything still well?", subject=call.ticket.subject),
            _("If something is left, answer this mail, or choose a time for a call by the link below.")
            if _may_book()
            else _("If something is left, answer this mail."),
        ]
        link = customer_url(call.ticket, call.person) if _may_book() else ""
        subject = _("How is it going with “%(subject)s”?", subject=call.ticket.subject)
        letter = write_care(
            call.person,
            subject,
            "\n\n".join(lines),
            ticket=call.ticket,
            link=link,
            link_label=_("Choose a time for a call") if link else "",
        )
    return letter is not None


def _write(
    call: Call,
    subject: str,
    lines: Sequence[str],
    *,
    label: str = "",
    until: datetime | None = None,
    calendar: bool = True,
) -> None:
    """``label``: of a link that chooses a new time; otherwise the link leads to the call itself."""
    url = customer_url(call.ticket, call.person)
    link = url if _may_book() or not label else ""
    files = [store_bytes(invitation(call, url, until), "call.ics", CONTENT_TYPE)] if calendar else []
    write_letter(
        call.person,
        subject,
        "\n\n".join(line for line in lines if line),
        ticket=call.ticket,
        files=files,
        link=link,
        link_label=(label or (_("Change or cancel the call") if _may_book() else _cancel())) if link else "",
    )


def _language(call: Call) -> AbstractContextManager[Any]:
    return speaking(call.person.locale or call.ticket.locale)


def _greeting(call: Call) -> str:
    return _("Hello %(name)s,", name=call.person.display_name) if call.person.name else _("Hello,")


def _facts(call: Call) -> str:
    lines = [_when(call)]
    if call.phone:
        # Translators: a line of a mail, with the number that is called
        lines.append(_("Number: %(phone)s", phone=call.phone))
    lines.append(_("About: %(subject)s", subject=words.about(call)))
    return "\n".join(lines)


def _when(call: Call) -> str:
    when = words.window(call.starts_at, call.ends_at, call.zone)
    # Translators: when a call comes, and in whose time: "Mon, Nov 30, 3:00 PM–3:30 PM (time of Europe/Berlin)"
    return _("%(when)s (time of %(zone)s)", when=when, zone=call.zone.replace("_", " "))


def _day(call: Call) -> str:
    return words.day(call.starts_at, call.zone)


def _time(call: Call) -> str:
    return words.clock(call.starts_at, call.zone)


def _change() -> str:
    if not _may_book():
        return _("Does it not suit you? Cancel the call by the link below, or answer this mail.")
    return _("Does it not suit you? Choose another time or cancel the call by the link below.")


def _cancel() -> str:
    return _("Cancel the call")


def _by_answer() -> str:
    return _("Answer this mail, and we find another time together.")


def _another_time() -> str:
    return _("Choose another time")


def _may_book() -> bool:
    return settings(CallbackSettings).customers_book
