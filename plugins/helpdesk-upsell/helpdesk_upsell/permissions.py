"""Who may do what with recommendations."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, MANAGE = "upsell.use", "upsell.manage"


@hookimpl
def register_permissions() -> list[Permission]:
    """Seeing what fits a customer and offering it; the catalogue, the rules, the figures."""
    return [
        Permission(USE, _l("See recommendations and offer them"), roles=("agent", "supervisor", "admin")),
        Permission(MANAGE, _l("Look after the catalogue and the rules of recommendations, and see their effect")),
    ]
