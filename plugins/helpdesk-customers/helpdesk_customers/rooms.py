"""The room in the administration."""

from helpdesk.api import Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk_customers.permissions import MANAGE


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """What records hold."""
    about = _("What you note about people and organizations, beside what the desk knows by itself")
    return [Room(_("Fields of customer records"), "customers.fields", about, "notes", MANAGE, order=46)]
