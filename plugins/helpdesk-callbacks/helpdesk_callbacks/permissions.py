"""Who may do what with promised calls."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, MANAGE, SEE_NUMBERS = "callbacks.use", "callbacks.manage", "callbacks.numbers"


@hookimpl
def register_permissions() -> list[Permission]:
    """Making calls, the rules of them, and the figures."""
    return [
        Permission(USE, _l("Book promised calls and make them"), roles=("agent", "supervisor", "admin")),
        Permission(MANAGE, _l("Look after the rules, reasons and numbers of promised calls")),
        Permission(SEE_NUMBERS, _l("See how promised calls were kept")),
    ]
