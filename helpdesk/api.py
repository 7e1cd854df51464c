"""The public surface for plugins. It only re-exports; the core does not import it.

Semantic versioning: a name here is removed after a release of DeprecationWarning that names its replacement.
"""

from flask_babel import gettext, lazy_gettext, lazy_pgettext, ngettext, pgettext

from helpdesk.core.accounts import requester_for
from helpdesk.core.channels.intake import receive
from helpdesk.core.clock import now
from helpdesk.core.drafts import (
    IncomingFile,
    IntakeDraft,
    MessageDraft,
    OutgoingFile,
    OutgoingMessage,
    StoredFile,
    TicketDraft,
)
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.files import store, store_bytes
from helpdesk.core.jobs.ledger import schedule
from helpdesk.core.links import address, desk_url, follow_url
from helpdesk.core.markup import clean_html, html_to_text, snippet, text_to_html
from helpdesk.core.models import (
    Attachment,
    Delivery,
    Event,
    Message,
    Organization,
    Status,
    Tag,
    Team,
    Ticket,
    TicketField,
    User,
)
from helpdesk.core.permissions import NotAllowed, allowed, find_ticket, require, visible_tickets
from helpdesk.core.settings import DeskSettings
from helpdesk.core.settings import get as settings
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import (
    Invalid,
    Refused,
    Stale,
    assign,
    close,
    follow,
    move,
    note,
    open_ticket,
    reopen,
    reply,
    set_field,
    set_priority,
    set_status,
    set_subject,
    set_tags,
    solve,
    tag,
    unfollow,
    untag,
)
from helpdesk.plugins.contributions import (
    Channel,
    CheckStep,
    Command,
    DeliveryFailed,
    Job,
    NavItem,
    Panel,
    Permission,
    Reject,
    SettingsGroup,
    setting,
)
from helpdesk.plugins.hookspecs import hookimpl

__all__ = [
    "Attachment",
    "Channel",
    "CheckStep",
    "Command",
    "Delivery",
    "DeliveryFailed",
    "DeskSettings",
    "Event",
    "IncomingFile",
    "IntakeDraft",
    "Invalid",
    "Job",
    "Message",
    "MessageDraft",
    "NavItem",
    "NotAllowed",
    "Organization",
    "OutgoingFile",
    "OutgoingMessage",
    "Panel",
    "Permission",
    "Refused",
    "Reject",
    "SettingsGroup",
    "Stale",
    "Status",
    "StoredFile",
    "Tag",
    "Team",
    "Ticket",
    "TicketDraft",
    "TicketField",
    "User",
    "address",
    "allowed",
    "assign",
    "clean_html",
    "close",
    "db",
    "desk_url",
    "find_ticket",
    "follow",
    "follow_url",
    "gettext",
    "hookimpl",
    "html_to_text",
    "lazy_gettext",
    "lazy_pgettext",
    "move",
    "ngettext",
    "note",
    "now",
    "open_ticket",
    "pgettext",
    "receive",
    "record",
    "reopen",
    "reply",
    "requester_for",
    "require",
    "schedule",
    "set_field",
    "set_priority",
    "set_status",
    "set_subject",
    "set_tags",
    "setting",
    "settings",
    "snippet",
    "solve",
    "store",
    "store_bytes",
    "tag",
    "text_to_html",
    "transaction",
    "unfollow",
    "untag",
    "visible_tickets",
]
