"""What was asked and answered follows when two people turn out to be one, and goes back when they do not."""

from helpdesk.api import hookimpl, move_back, move_rows
from helpdesk_surveys.models import Invitation, Response, Suppression

_COLUMNS = (Invitation.user_id, Response.user_id, Suppression.user_id)


@hookimpl
def people_merged(merge_id: int) -> None:
    """Invitations, answers and when somebody was left out are the survivor's; anonymous answers are nobody's."""
    for column in _COLUMNS:
        move_rows(merge_id, column)


@hookimpl
def people_unmerged(merge_id: int) -> None:
    """Each gets back what was theirs."""
    for column in _COLUMNS:
        move_back(merge_id, column)
