"""The public surface for plugins. It only re-exports; the core does not import it.

Semantic versioning: a name here is removed after a release of DeprecationWarning that names its replacement
(``helpdesk.plugins.deprecation``).
"""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext, lazy_gettext, lazy_pgettext, ngettext, pgettext

from helpdesk.core.accounts import add_requesters, remember_language, requester_for, requesters_for
from helpdesk.core.audit import record as audit
from helpdesk.core.canned import Filled, InvalidCanned, language_of
from helpdesk.core.canned import find as find_canned
from helpdesk.core.canned import listed as list_canned
from helpdesk.core.canned import may_change as may_change_canned
from helpdesk.core.canned import render as fill_placeholders
from helpdesk.core.canned import save_text as save_canned_text
from helpdesk.core.canned import text_of as canned_text
from helpdesk.core.channels.intake import receive
from helpdesk.core.channels.intake import store as keep_incoming
from helpdesk.core.channels.outbox import bounced
from helpdesk.core.channels.pauses import send_waiting
from helpdesk.core.clock import now
from helpdesk.core.deliveries import write_care, write_letter
from helpdesk.core.drafts import (
    BOUNCE,
    COMPLAINT,
    DELAY,
    IncomingFile,
    IntakeDraft,
    MessageDraft,
    OutgoingFile,
    OutgoingMessage,
    Return,
    StoredFile,
    TicketDraft,
)
from helpdesk.core.events.offered import UnknownHook, ask, collect, publish
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.files import store, store_bytes
from helpdesk.core.generation import bump as drop_cached
from helpdesk.core.generation import cached
from helpdesk.core.i18n import default_locale, fallbacks, known_locale, locales, speaking, text_direction
from helpdesk.core.jobs.ledger import NotYet, schedule
from helpdesk.core.jobs.work import Cancelled, LeaseLost, Work
from helpdesk.core.languages import name_of as language_name
from helpdesk.core.languages import tidy as tidy_language
from helpdesk.core.links import address, desk_url, follow_url, link_token, redeem_link
from helpdesk.core.markup import clean_html, html_to_text, snippet, text_to_html
from helpdesk.core.mentions import in_json
from helpdesk.core.models import (
    Attachment,
    Delivery,
    Event,
    Message,
    Organization,
    PersonMerge,
    Status,
    Tag,
    Team,
    Ticket,
    TicketField,
    TicketType,
    Topic,
    User,
)
from helpdesk.core.models.columns import UtcDateTime
from helpdesk.core.models.ticket import PRIORITIES
from helpdesk.core.moved_rows import move_back, move_rows
from helpdesk.core.notifications.own_words import tell
from helpdesk.core.people_merging import merge_numbered, merge_people, merges_of, unmerge_people
from helpdesk.core.permissions import NotAllowed, allowed, find_ticket, require, visible_tickets
from helpdesk.core.permissions import openable as openable_permissions
from helpdesk.core.requests import Answer, FetchFailed, FetchLate, FetchRefused, FetchUnreached, fetch
from helpdesk.core.routing import free_to_take
from helpdesk.core.scopes import labels as permission_labels
from helpdesk.core.settings import DeskSettings, RequestSettings
from helpdesk.core.settings import get as settings
from helpdesk.core.spreadsheets import harmless
from helpdesk.core.throttle import network_of, within_limit
from helpdesk.core.transaction import transaction
from helpdesk.core.wordings import InvalidWording, Wording
from helpdesk.core.wordings import corrected as corrected_texts
from helpdesk.core.wordings import find as find_wording
from helpdesk.core.wordings import keep as keep_wording
from helpdesk.core.wordings import named as named_things
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
    promise_answer,
    reopen,
    reply,
    set_due,
    set_field,
    set_language,
    set_priority,
    set_status,
    set_subject,
    set_tags,
    set_topic,
    set_type,
    snooze,
    solve,
    tag,
    unfollow,
    untag,
    wake,
    withdraw_promise,
)
from helpdesk.core.workflow.editing import clean_tags, split_tags
from helpdesk.core.working_time import (
    Attendance,
    Hours,
    NoHours,
    attendance_between,
    available_users,
    hours_of,
    is_available,
    working_minutes_after,
)
from helpdesk.plugins import deprecation
from helpdesk.plugins.contributions import (
    LATER,
    NORMAL,
    SOON,
    Act,
    Action,
    Badge,
    Channel,
    CheckStep,
    Column,
    Command,
    ComposerTool,
    DeliveryFailed,
    Field,
    Importer,
    Job,
    MessageBlock,
    NavItem,
    Panel,
    Permission,
    Reject,
    Report,
    Room,
    Schedule,
    Service,
    SettingsGroup,
    Suggestion,
    Table,
    setting,
)
from helpdesk.plugins.hookspecs import hookimpl, hookspec
from helpdesk.web.access import machine_page, permission_required, public_page, sign_in_required, token_page
from helpdesk.web.days import read_days
from helpdesk.web.downloads import stored_file as send_stored
from helpdesk.web.form import Form, number_in
from helpdesk.web.proving import proof_required
from helpdesk.web.session import reader
from helpdesk.web.uploads import NotTaken
from helpdesk.web.uploads import store_all as store_uploads

__all__ = [
    "BOUNCE",
    "COMPLAINT",
    "DELAY",
    "LATER",
    "NORMAL",
    "PRIORITIES",
    "SOON",
    "Act",
    "Action",
    "Answer",
    "Attachment",
    "Attendance",
    "Badge",
    "Cancelled",
    "Channel",
    "CheckStep",
    "Column",
    "Command",
    "ComposerTool",
    "Delivery",
    "DeliveryFailed",
    "DeskSettings",
    "Event",
    "FetchFailed",
    "FetchLate",
    "FetchRefused",
    "FetchUnreached",
    "Field",
    "Filled",
    "Form",
    "Hours",
    "Importer",
    "IncomingFile",
    "IntakeDraft",
    "Invalid",
    "InvalidCanned",
    "InvalidWording",
    "Job",
    "LeaseLost",
    "Message",
    "MessageBlock",
    "MessageDraft",
    "NavItem",
    "NoHours",
    "NotAllowed",
    "NotTaken",
    "NotYet",
    "Organization",
    "OutgoingFile",
    "OutgoingMessage",
    "Panel",
    "Permission",
    "PersonMerge",
    "Refused",
    "Reject",
    "Report",
    "RequestSettings",
    "Return",
    "Room",
    "Schedule",
    "Service",
    "SettingsGroup",
    "Stale",
    "Status",
    "StoredFile",
    "Suggestion",
    "Table",
    "Tag",
    "Team",
    "Ticket",
    "TicketDraft",
    "TicketField",
    "TicketType",
    "Topic",
    "UnknownHook",
    "User",
    "UtcDateTime",
    "Wording",
    "Work",
    "add_requesters",
    "address",
    "allowed",
    "ask",
    "assign",
    "attendance_between",
    "audit",
    "available_users",
    "bounced",
    "cached",
    "canned_text",
    "clean_html",
    "clean_tags",
    "close",
    "collect",
    "corrected_texts",
    "db",
    "default_locale",
    "desk_url",
    "drop_cached",
    "fallbacks",
    "fetch",
    "fill_placeholders",
    "find_canned",
    "find_ticket",
    "find_wording",
    "follow",
    "follow_url",
    "free_to_take",
    "gettext",
    "harmless",
    "hookimpl",
    "hookspec",
    "hours_of",
    "html_to_text",
    "in_json",
    "is_available",
    "keep_incoming",
    "keep_wording",
    "known_locale",
    "language_name",
    "language_of",
    "lazy_gettext",
    "lazy_pgettext",
    "link_token",
    "list_canned",
    "machine_page",
    "locales",
    "may_change_canned",
    "merge_numbered",
    "merge_people",
    "merges_of",
    "move",
    "move_back",
    "move_rows",
    "named_things",
    "network_of",
    "ngettext",
    "note",
    "now",
    "number_in",
    "open_ticket",
    "openable_permissions",
    "permission_labels",
    "permission_required",
    "promise_answer",
    "proof_required",
    "pgettext",
    "public_page",
    "read_days",
    "reader",
    "publish",
    "receive",
    "redeem_link",
    "record",
    "reopen",
    "reply",
    "remember_language",
    "requester_for",
    "requesters_for",
    "require",
    "save_canned_text",
    "schedule",
    "send_stored",
    "send_waiting",
    "set_due",
    "set_field",
    "set_language",
    "set_priority",
    "set_status",
    "set_subject",
    "set_tags",
    "set_topic",
    "set_type",
    "setting",
    "settings",
    "sign_in_required",
    "snippet",
    "snooze",
    "solve",
    "speaking",
    "split_tags",
    "store",
    "store_bytes",
    "store_uploads",
    "tag",
    "tell",
    "text_direction",
    "text_to_html",
    "tidy_language",
    "token_page",
    "transaction",
    "unfollow",
    "unmerge_people",
    "untag",
    "visible_tickets",
    "wake",
    "withdraw_promise",
    "within_limit",
    "working_minutes_after",
    "write_care",
    "write_letter",
]

if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> Any:
        return deprecation.old_name(__name__, globals(), name)
