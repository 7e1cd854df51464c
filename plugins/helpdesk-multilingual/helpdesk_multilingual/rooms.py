"""The rooms of the administration, and what the record calls what is done there."""

from helpdesk.api import Act, Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_multilingual.permissions import ENGINES, MANAGE


@hookimpl
def register_acts() -> list[Act]:
    """What the record calls what is done with engines, texts, the memory, the glossary and people's languages."""
    return [
        Act("multilingual.order_saved", _l("Order of translation engines changed")),
        Act("multilingual.order_dropped", _l("Order of translation engines removed")),
        Act("multilingual.pair_changed", _l("Kept translation changed")),
        Act("multilingual.pair_forgotten", _l("Kept translation deleted")),
        Act("multilingual.memory_imported", _l("Kept translations taken from a file")),
        Act("multilingual.term_added", _l("Glossary term added")),
        Act("multilingual.term_changed", _l("Glossary term changed")),
        Act("multilingual.term_deleted", _l("Glossary term deleted")),
        Act("multilingual.glossary_imported", _l("Glossary terms taken from a file")),
        Act("multilingual.text_saved", _l("Text in another language changed")),
        Act("multilingual.text_checked", _l("Text in another language checked")),
        Act("multilingual.agent_languages_changed", _l("Languages of a colleague changed")),
    ]


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """Texts side by side, and the engines that translate."""
    texts = _("Canned responses, names and mails side by side; what was confirmed; which words stay")
    engines = _("Who translates, in which order, and how they do")
    return [
        Room(_("Texts in languages"), "multilingual.texts", texts, "language", MANAGE, order=42),
        Room(_("Translation engines"), "multilingual.engines_room", engines, "world", ENGINES, order=43),
    ]
