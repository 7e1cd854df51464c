"""Where nothing translates: canned responses in the customer's language come first."""

from helpdesk.api import Suggestion, Ticket, User, fill_placeholders, hookimpl, known_locale
from helpdesk.api import gettext as _
from helpdesk_multilingual import agents, answering, languages, speech

_SHOWN = 3
# Before what other plugins guess.
_SCORE = 0.9


@hookimpl
def reply_suggestions(ticket: Ticket, user: User) -> list[Suggestion]:
    """Canned responses that there are in the language of a customer whom the reader cannot answer. Three queries."""
    language = speech.spoken_by(ticket)
    if not language or agents.can_read(user, language):
        return []
    reason = _("It is there in %(language)s.", language=languages.name_of(language))
    return [
        Suggestion(
            offer.name,
            fill_placeholders(offer.translated, ticket, user, known_locale(language)).text,
            reason,
            _SCORE - place / 100,
        )
        for place, offer in enumerate(answering.variants(ticket, user, language, limit=_SHOWN))
    ]
