"""Who may do what with surveys."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, MANAGE = "surveys.use", "surveys.manage"


@hookimpl
def register_permissions() -> list[Permission]:
    """Seeing answers and following them up; what is asked, of whom, and by hand."""
    return [
        Permission(USE, _l("See answers to surveys and follow them up"), roles=("agent", "supervisor", "admin")),
        Permission(MANAGE, _l("Look after surveys, and ask people by hand")),
    ]
