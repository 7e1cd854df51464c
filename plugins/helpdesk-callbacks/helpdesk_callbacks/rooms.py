"""The room in the administration, and what the record calls what is done there."""

from helpdesk.api import Act, Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_callbacks.permissions import MANAGE


@hookimpl
def register_acts() -> list[Act]:
    """What the record calls what is done with rules, reasons, teams and calendars."""
    return [
        Act("callbacks.rule_added", _l("Follow-up rule added")),
        Act("callbacks.rule_changed", _l("Follow-up rule changed")),
        Act("callbacks.rule_deleted", _l("Follow-up rule deleted")),
        Act("callbacks.reason_added", _l("Reason for calls added")),
        Act("callbacks.reason_changed", _l("Reason for calls changed")),
        Act("callbacks.reason_moved", _l("Order of reasons for calls changed")),
        Act("callbacks.capacity_changed", _l("Calls at the same time changed")),
        Act("callbacks.feed_made", _l("Calendar address made")),
        Act("callbacks.feed_stopped", _l("Calendar address ended")),
    ]


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """Follow-ups, reasons and how many calls a team takes."""
    about = _("Follow-ups after a solution, what calls are about, how many a team takes")
    return [Room(_("Promised calls"), "callbacks.rules", about, "phone-call", MANAGE, order=40)]
