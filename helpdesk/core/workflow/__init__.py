"""The only code that changes tickets. Every verb checks, asks the hooks, writes the change and its event."""

from helpdesk.core.workflow.assigning import assign, move
from helpdesk.core.workflow.editing import set_field, set_priority, set_subject, set_tags, tag, untag
from helpdesk.core.workflow.erasing import erase_traces, traces_of
from helpdesk.core.workflow.errors import Invalid, Refused, Stale, WorkflowError
from helpdesk.core.workflow.following import follow, unfollow
from helpdesk.core.workflow.messages import speaks_for_desk
from helpdesk.core.workflow.opening import open_ticket, prepare_ticket, way_to_open
from helpdesk.core.workflow.reading import mark_read
from helpdesk.core.workflow.replying import note, prepare_message, reply
from helpdesk.core.workflow.statuses import close, reopen, set_status, solve, take_back

__all__ = [
    "Invalid",
    "Refused",
    "Stale",
    "WorkflowError",
    "assign",
    "close",
    "erase_traces",
    "follow",
    "mark_read",
    "move",
    "note",
    "open_ticket",
    "prepare_message",
    "prepare_ticket",
    "reopen",
    "reply",
    "set_field",
    "set_priority",
    "set_status",
    "set_subject",
    "set_tags",
    "solve",
    "speaks_for_desk",
    "tag",
    "take_back",
    "traces_of",
    "unfollow",
    "untag",
    "way_to_open",
]
