"""The plugin's places on the desk's pages: on tickets, beside tickets and people, in the composer."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from helpdesk.api import Badge, ComposerTool, Panel, Ticket, User, allowed, db, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_multilingual import agents, choosing, languages, reading, speech
from helpdesk_multilingual.permissions import MANAGE, USE

_NAMED = 5


@hookimpl
def ticket_badges(tickets: Sequence[Ticket], user: User) -> dict[int, list[Badge]]:
    """The language of a ticket where it is not the reader's, and that nobody reads it. No query."""
    target = reading.target_for(user)
    found = {}
    for ticket in tickets:
        if badges := _badges(ticket, target):
            found[ticket.id] = badges
    return found


def _badges(ticket: Ticket, target: str) -> list[Badge]:
    language = speech.spoken_by(ticket)
    if not language or languages.same(language, target):
        return []
    name = choosing.name(language)
    if agents.unreadable(ticket):
        hint = _("Nobody on the desk reads %(language)s", language=name)
        return [Badge(_("Nobody reads %(language)s", language=name), "amber", hint=hint)]
    return [Badge(name, hint=_("The customer writes in this language"))]


@hookimpl
def composer_tools(ticket: Ticket) -> list[ComposerTool]:
    """The page on which an answer is translated."""
    return [ComposerTool(_l("Translate"), "multilingual.answer", {"number": ticket.id}, "language", USE, 20)]


@hookimpl
def ticket_panels(ticket: Ticket, user: User) -> list[Panel]:
    """What the customer speaks, and who reads it. One query."""
    language = speech.spoken_by(ticket) or ""
    readers = agents.readers(language) if language else []
    names: list[str] = []
    if readers:
        query: Any = select(User).where(User.id.in_(readers[:_NAMED])).order_by(User.name, User.id)
        names = [person.display_name for person in db.session.scalars(query)]
    context = {
        "words": choosing,
        "language": language,
        "names": names,
        "more": max(0, len(readers) - _NAMED),
        "person_id": ticket.requester_id,
        "is_own": languages.same(language, reading.target_for(user)),
    }
    return [Panel(_l("Language"), "multilingual/ticket_panel.html", context, "language", USE, 30)]


@hookimpl
def user_panels(person: User, user: User) -> list[Panel]:
    """What a customer writes in; what a colleague reads, and how well. One query."""
    if person.is_staff:
        context: dict[str, Any] = {"spoken": agents.of(person), "may_change": allowed(user, MANAGE)}
    else:
        language, is_chosen = speech.of_person(person)
        context = {"language": language, "is_chosen": is_chosen, "may_change": True}
    context |= {"words": choosing, "is_self": person.id == user.id}
    return [Panel(_l("Language"), "multilingual/person_panel.html", context, "language", USE, 30)]
