"""The room in the administration."""

from helpdesk.api import Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk_training.permissions import WRITE


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """Courses, learning paths and rules."""
    about = _("Courses, learning paths, and who is given what by itself")
    return [Room(_("Training"), "training.courses", about, "school", WRITE, order=47)]
