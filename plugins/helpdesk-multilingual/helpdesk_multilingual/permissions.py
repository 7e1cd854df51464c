"""Who may do what with languages."""

from helpdesk.api import Permission, hookimpl
from helpdesk.api import lazy_gettext as _l

USE, MANAGE, ENGINES = "multilingual.use", "multilingual.manage", "multilingual.engines"


@hookimpl
def register_permissions() -> list[Permission]:
    """Translating for oneself and for customers; texts, memory and glossary; engines."""
    return [
        Permission(USE, _l("Read and answer in translation"), roles=("agent", "supervisor", "admin")),
        Permission(MANAGE, _l("Look after texts in languages, the memory and the glossary")),
        Permission(ENGINES, _l("Choose and try the engines that translate"), roles=("admin",)),
    ]
