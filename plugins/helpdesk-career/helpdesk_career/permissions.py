"""Who may do what with careers."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, LEAD, APPROVE, MANAGE = "career.use", "career.lead", "career.approve", "career.manage"


@hookimpl
def register_permissions() -> list[Permission]:
    """One's own way; that of one's team; deciding about promotions; the ladder, which administrators alone change.

    What rules open can therefore never reach the rules themselves.
    """
    return [
        Permission(USE, _l("See one's own level, goals and reviews"), roles=("agent", "supervisor", "admin")),
        Permission(LEAD, _l("Look after the levels, goals and reviews of one's teams")),
        Permission(APPROVE, _l("Decide about promotions in one's teams")),
        Permission(MANAGE, _l("Change the ladder, competences, templates of reviews and what levels open"), ("admin",)),
    ]
