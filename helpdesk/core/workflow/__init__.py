"""The only code that changes tickets. Every verb checks, asks the hooks, writes the change and its event."""

from helpdesk.core.workflow.alarms import next_alarm
from helpdesk.core.workflow.assigning import assign, give_to_team, move
from helpdesk.core.workflow.confirming import confirm_solved, deny_solved, may_deny
from helpdesk.core.workflow.due import set_due
from helpdesk.core.workflow.editing import set_field, set_language, set_priority, set_subject, set_tags, tag, untag
from helpdesk.core.workflow.erasing import erase_traces, traces_of
from helpdesk.core.workflow.errors import Invalid, Merged, Refused, Stale, WorkflowError
from helpdesk.core.workflow.families import conversation, readable_by, survivor_of
from helpdesk.core.workflow.following import follow, unfollow
from helpdesk.core.workflow.linking import link, unlink
from helpdesk.core.workflow.merging import merge, unmerge
from helpdesk.core.workflow.messages import speaks_for_desk
from helpdesk.core.workflow.opening import open_ticket, prepare_ticket, way_to_open
from helpdesk.core.workflow.promising import promise_answer, withdraw_promise
from helpdesk.core.workflow.reading import mark_read
from helpdesk.core.workflow.replying import note, prepare_message, reply
from helpdesk.core.workflow.snoozing import after_reply, snooze, wake
from helpdesk.core.workflow.sorting import set_topic, set_type
from helpdesk.core.workflow.splitting import split
from helpdesk.core.workflow.statuses import ask_plugins, close, reopen, restore_status, set_status, solve, take_back

__all__ = [
    "Invalid",
    "Merged",
    "Refused",
    "Stale",
    "WorkflowError",
    "after_reply",
    "ask_plugins",
    "assign",
    "close",
    "confirm_solved",
    "conversation",
    "deny_solved",
    "erase_traces",
    "follow",
    "give_to_team",
    "link",
    "mark_read",
    "may_deny",
    "merge",
    "move",
    "next_alarm",
    "note",
    "open_ticket",
    "prepare_message",
    "prepare_ticket",
    "promise_answer",
    "readable_by",
    "reopen",
    "reply",
    "restore_status",
    "set_due",
    "set_field",
    "set_language",
    "set_priority",
    "set_status",
    "set_subject",
    "set_tags",
    "set_topic",
    "set_type",
    "snooze",
    "solve",
    "speaks_for_desk",
    "split",
    "survivor_of",
    "tag",
    "take_back",
    "traces_of",
    "unfollow",
    "unlink",
    "unmerge",
    "untag",
    "wake",
    "way_to_open",
    "withdraw_promise",
]
