"""Who may do what with records of customers."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, EDIT, MANAGE, IMPORT = "customers.use", "customers.edit", "customers.manage", "customers.import"
_STAFF = ("agent", "supervisor", "admin")


@hookimpl
def register_permissions() -> list[Permission]:
    """Seeing records; changing them; what they are made of, files of them, and merging."""
    return [
        Permission(USE, _l("See records of customers"), roles=_STAFF),
        Permission(EDIT, _l("Change records of customers"), roles=_STAFF),
        Permission(MANAGE, _l("Look after fields, segments, orders and files of customers, and merge them")),
        Permission(IMPORT, _l("Take in files of customers and orders")),
    ]
