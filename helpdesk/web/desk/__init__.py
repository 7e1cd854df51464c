"""The agents' desk: views, lists, tickets. Importing it registers the pages on the blueprint."""

from helpdesk.web.desk.attachments import attachment
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.dashboard import dashboard
from helpdesk.web.desk.editing import edit
from helpdesk.web.desk.lists import home
from helpdesk.web.desk.me import me
from helpdesk.web.desk.opening import new_ticket
from helpdesk.web.desk.people import person
from helpdesk.web.desk.reports import reports
from helpdesk.web.desk.side import side
from helpdesk.web.desk.suggestions import suggestions
from helpdesk.web.desk.teams import team
from helpdesk.web.desk.tickets import ticket
from helpdesk.web.desk.tokens import tokens
from helpdesk.web.desk.writing import write

__all__ = [
    "attachment",
    "dashboard",
    "desk",
    "edit",
    "home",
    "me",
    "new_ticket",
    "person",
    "reports",
    "side",
    "suggestions",
    "team",
    "ticket",
    "tokens",
    "write",
]
