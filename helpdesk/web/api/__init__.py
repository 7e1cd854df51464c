"""What programs ask the desk for and tell it, by tokens. Importing it registers the pages on the blueprint."""

from helpdesk.web.api.blueprint import api
from helpdesk.web.api.me import me
from helpdesk.web.api.reading import ticket, tickets
from helpdesk.web.api.writing import change_ticket, open_ticket, write_message

__all__ = ["api", "change_ticket", "me", "open_ticket", "ticket", "tickets", "write_message"]
