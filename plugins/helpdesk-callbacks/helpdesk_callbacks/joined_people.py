"""Promised calls follow when two people turn out to be one, and go back when they do not."""

from helpdesk.api import hookimpl, move_back, move_rows
from helpdesk_callbacks.models import Call

# Whom they are promised to, and who booked them in the portal.
_COLUMNS = (Call.person_id, Call.created_by_id)


@hookimpl
def people_merged(merge_id: int) -> None:
    """The calls are the survivor's, with the number that was given for each."""
    for column in _COLUMNS:
        move_rows(merge_id, column)


@hookimpl
def people_unmerged(merge_id: int) -> None:
    """Each gets back the calls that were theirs."""
    for column in _COLUMNS:
        move_back(merge_id, column)
