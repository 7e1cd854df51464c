"""Who may do what with training."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, ASSIGN, WRITE = "training.use", "training.assign", "training.write"


@hookimpl
def register_permissions() -> list[Permission]:
    """Learning; looking after what others learn; writing what there is to learn."""
    return [
        Permission(USE, _l("Take courses"), roles=("agent", "supervisor", "admin")),
        Permission(ASSIGN, _l("Assign courses, grade, and see what the team can do")),
        Permission(WRITE, _l("Write courses, paths and rules of training")),
    ]
