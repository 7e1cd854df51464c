"""The agents' desk: views, lists, tickets. Importing it registers the pages on the blueprint."""

from helpdesk.web.desk.attachments import attachment
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.bulk import bulk_form
from helpdesk.web.desk.caller_choice import find_callers
from helpdesk.web.desk.calls import log_call
from helpdesk.web.desk.canned import canned_list
from helpdesk.web.desk.dashboard import dashboard
from helpdesk.web.desk.drafts import drafts
from helpdesk.web.desk.editing import edit
from helpdesk.web.desk.export import export
from helpdesk.web.desk.keymap import keymap
from helpdesk.web.desk.lateness import promises, set_time, ticket_times
from helpdesk.web.desk.links import add_link
from helpdesk.web.desk.lists import home
from helpdesk.web.desk.macros import macro_list
from helpdesk.web.desk.me import me
from helpdesk.web.desk.merging import merge_form
from helpdesk.web.desk.notifications import notifications
from helpdesk.web.desk.numbers import seven_numbers
from helpdesk.web.desk.opening import new_ticket
from helpdesk.web.desk.palette import palette
from helpdesk.web.desk.people import person
from helpdesk.web.desk.presence import tell_presence
from helpdesk.web.desk.reports import reports
from helpdesk.web.desk.roster import roster_week
from helpdesk.web.desk.search import search
from helpdesk.web.desk.side import side
from helpdesk.web.desk.suggestions import suggestions
from helpdesk.web.desk.teams import team
from helpdesk.web.desk.tickets import ticket
from helpdesk.web.desk.tokens import tokens
from helpdesk.web.desk.views import view_form
from helpdesk.web.desk.writing import write

__all__ = [
    "add_link",
    "keymap",
    "view_form",
    "macro_list",
    "export",
    "bulk_form",
    "attachment",
    "canned_list",
    "dashboard",
    "desk",
    "drafts",
    "edit",
    "find_callers",
    "home",
    "log_call",
    "me",
    "merge_form",
    "new_ticket",
    "notifications",
    "palette",
    "person",
    "promises",
    "reports",
    "set_time",
    "roster_week",
    "seven_numbers",
    "search",
    "side",
    "suggestions",
    "team",
    "tell_presence",
    "ticket",
    "ticket_times",
    "tokens",
    "write",
]
