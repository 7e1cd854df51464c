"""What other plugins may import: promise a call. The facts stand in ``offering``."""

from datetime import datetime

from helpdesk.api import Invalid, Ticket, db, hookimpl
from helpdesk_callbacks.booking import book
from helpdesk_callbacks.drafts import CallDraft
from helpdesk_callbacks.models import PLUGIN

__all__ = ["schedule_callback"]


def schedule_callback(
    ticket: Ticket,
    start: datetime,
    *,
    phone: str = "",
    reason: str = "",
    agent_id: int | None = None,
    team_id: int | None = None,
    priority: str = "normal",
    zone: str = "",
) -> int:
    """Promise the customer of a ticket a call at ``start`` (aware); its number. Empty: theirs, the ticket's.

    One transaction, joined or opened; the desk itself does it, and the customer is told by mail. Raises
    :class:`helpdesk.api.Invalid`, naming what cannot be: a time that has passed, is taken, or at which nobody works.
    """
    draft = CallDraft(start, phone, None, reason, priority, agent_id, team_id, zone, source=PLUGIN)
    return book(ticket, draft, None).id


@hookimpl
def callbacks_schedule(
    ticket_id: int, start: str, phone: str, reason: str, agent_id: int | None, team_id: int | None
) -> int | None:
    """The same for plugins that ask without importing this one.

    None for a ticket that there is not, and where no call can be: the time is taken, nobody works, there is no number.
    """
    ticket = db.session.get(Ticket, ticket_id)
    if ticket is None:
        return None
    moment = datetime.fromisoformat(start)
    try:
        return schedule_callback(ticket, moment, phone=phone, reason=reason, agent_id=agent_id, team_id=team_id)
    except Invalid:
        # No failure of this plugin: whoever asks tries another time.
        return None
