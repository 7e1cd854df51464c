"""What was done about an answer."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, NotAllowed, User, db, now, record, require, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_surveys.content import storable
from helpdesk_surveys.models import FOLLOW_UP_STATES, FollowUp, Response
from helpdesk_surveys.permissions import USE
from helpdesk_surveys.scopes import scope_of

NOTE_LENGTH = 2_000


def find(user: User, follow_up_id: int) -> FollowUp | None:
    """A follow-up that ``user`` may see, with its answer."""
    query = select(FollowUp).join(Response, Response.id == FollowUp.response_id).where(FollowUp.id == follow_up_id)
    criterion = scope_of(user).of_follow_ups()
    if criterion is not None:
        query = query.where(criterion)
    return db.session.scalar(query.options(joinedload(FollowUp.response), joinedload(FollowUp.ticket)))


def mark(follow_up: FollowUp, state: str, actor: User | None, note: str = "") -> FollowUp:
    """Say that the person was contacted, that it is resolved, or that it is open after all; records it on its ticket.

    Twice is once. One transaction, joined or opened. Raises :class:`Invalid` (state, note), :class:`NotAllowed`.
    """
    require(actor, USE)
    if state not in FOLLOW_UP_STATES:
        raise Invalid("state", _("Choose what was done."))
    words = storable(note)
    if len(words) > NOTE_LENGTH:
        raise Invalid("note", _("This is too long; %(number)s characters fit.", number=NOTE_LENGTH))
    with transaction():
        if actor is not None and find(actor, follow_up.id) is None:
            raise NotAllowed(USE)
        db.session.refresh(follow_up, with_for_update={"of": FollowUp})
        if follow_up.state == state and (not words or follow_up.note == words):
            return follow_up
        follow_up.state, follow_up.marked_at = state, now()
        follow_up.marked_by_id = actor.id if actor is not None else None
        follow_up.note = words or follow_up.note
        ticket = follow_up.ticket or follow_up.response.ticket
        if ticket is not None:
            with speaking(None):
                said = {
                    "open": _("The follow-up of a survey is open again."),
                    "contacted": _("The customer was contacted about the answer to a survey."),
                    "resolved": _("The follow-up of a survey is resolved."),
                }
            record("surveys.marked", ticket, actor, {"follow_up": follow_up.id, "state": state, "text": said[state]})
    return follow_up
