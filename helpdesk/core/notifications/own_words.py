"""Tells people something in a plugin's own words."""

from collections.abc import Iterable
from typing import Any

from helpdesk.core.events.record import PEOPLE_TOLD, record
from helpdesk.core.i18n import speaking
from helpdesk.core.models import Event, Ticket, User


def tell(people: Iterable[User], text: Any, ticket: Ticket, actor: User | None = None) -> Event | None:
    """Tell staff something about a ticket, on the page, by the browser and by mail, as each has chosen.

    ``text`` is a lazy translated text (``lazy_gettext``), written in the language of each; one sentence. ``actor`` is
    who did it, and is not told; nobody is told who may not see the ticket, or who has it on the screen by then. The
    notices themselves are written by a worker, once. Joins the open transaction. None for no people.
    """
    numbers, texts = [], {}
    for user in people:
        numbers.append(user.id)
        with speaking(user.locale) as locale:
            if locale not in texts:
                texts[locale] = str(text)
    if not numbers:
        return None
    return record(PEOPLE_TOLD, ticket, actor, {"people": numbers, "texts": texts})
