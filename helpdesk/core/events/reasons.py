"""Why an incoming item went where it did: codes in the database, words in the reader's language."""

from flask_babel import gettext as _

# Joined by proof: nothing that a reader of the conversation needs to be told.
PROVED = frozenset({"reply_token", "reference"})


def reason_text(code: str) -> str:
    """The words for a code of core/channels; a sentence that is no code of ours stays as it is."""
    kind, _colon, number = code.partition(":")
    texts = {
        "reply_token": _("came to the signed reply address"),
        "reference": _("answers a message that we sent"),
        "plugin": _("a plugin knew the ticket"),
        "unknown_token": _("the reply address was not one of ours"),
        "foreign_token": _("sent to the reply address of somebody else, for ticket #%(number)s", number=number),
        "closed": _("ticket #%(number)s is closed", number=number),
        "blocked": _("this person is blocked"),
        "auto-submitted": _("an automatic answer"),
        "null-sender": _("sent without a sender, as bounces are"),
        "report": _("a delivery report"),
        "precedence": _("bulk mail"),
        "list": _("mail of a list"),
        "response-suppressed": _("asks for no automatic answer"),
        "robot-header": _("marked as sent by a program"),
        "robot-address": _("comes from an address that nobody reads"),
        "subject": _("an automatic answer, by its subject"),
        "bounce": _("a message that could not be delivered"),
    }
    return texts.get(kind, code)
