"""Why an incoming item went where it did: codes in the database, words in the reader's language.

A code may end with a number (``closed:1042``), and several stand with semicolons between them. What else was noticed
of the item (its draft's ``problems``) stands below, each on a line of its own.
"""

from collections.abc import Iterable, Sequence
from functools import reduce

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import pgettext

# Joined by proof: nothing that a reader of the conversation needs to be told.
PROVED = frozenset({"reply_token", "reference"})
# Its sender was disproved; it was let in by a person all the same.
UNPROVED, ACCEPTED = "disproved", "accepted"
# Put aside because a person has to say whether its sender is to be believed and heard.
HELD = frozenset({"held_sender", "held_staff", "held_switch"})

# So much of the problems is kept.
_LONGEST = 500

_WORDS = {
    # Which ticket.
    "reply_token": _l("came to the signed reply address"),
    "reference": _l("answers a message that we sent"),
    "plugin": _l("a plugin knew the ticket"),
    "unknown_token": _l("the reply address was not one of ours"),
    "foreign_token": _l("sent to the reply address of somebody else, for ticket #%(number)s"),
    "mentions": _l("names ticket #%(number)s without proof that it belongs there"),
    "closed": _l("ticket #%(number)s is closed"),
    "new_subject": _l("answers ticket #%(number)s under a new subject"),
    "copy": _l("the same message came already, as item %(number)s"),
    # Whose word it is.
    "disproved": _l("the sender's own domain says that it did not send it; it may be forged"),
    "accepted": _l("a person let it in, though nothing proves its sender"),
    "held_sender": _l(
        "belongs to ticket #%(number)s, but the sender's own domain says that it did not send it. Let it in if you "
        "know that it is genuine."
    ),
    "held_staff": _l(
        "would speak for the desk on ticket #%(number)s, but nothing proves that one of you wrote it. Let it in as a "
        "note, or answer on the page of the ticket."
    ),
    "held_switch": _l("would speak for the desk on ticket #%(number)s, but answers of agents by mail are switched off"),
    "blocked": _l("this person is blocked"),
    "no_sender": _l("has no sender who could be answered"),
    # Robots.
    "machine": _l("automatic mail"),
    "auto-submitted": _l("an automatic answer"),
    "null-sender": _l("sent without a sender, as bounces are"),
    "report": _l("a delivery report"),
    "precedence": _l("bulk mail"),
    "list": _l("mail of a list"),
    "response-suppressed": _l("asks for no automatic answer"),
    "robot-header": _l("marked as sent by a program"),
    "robot-address": _l("comes from an address that nobody reads"),
    "subject": _l("an automatic answer, by its subject"),
    "bounce": _l("a message that could not be delivered"),
    # Loops.
    "own": _l("a message of ours that came back to us"),
    "hops": _l("went through too many servers, as mail does that goes in circles"),
    "breaker": _l("no automatic answer: too many messages from this address in a few minutes"),
    "answered": _l("no automatic answer: this address had one today"),
    "old": _l("no automatic answer: it was written more than a day ago"),
    # What came back.
    "returned": _l("a message of ticket #%(number)s came back"),
    "delayed": _l("a message of ticket #%(number)s is late"),
    "complaint": _l("a complaint about a message of ticket #%(number)s"),
    "unknown_return": _l("a report about a message that we did not send"),
}
# The same about a message that belonged to no ticket.
_WITHOUT_NUMBER = {
    "returned": _l("a message of ours came back"),
    "delayed": _l("a message of ours is late"),
    "complaint": _l("a complaint about a message of ours"),
}
_JOINED = {
    "reply_token": _l("Joined #%(number)s by its signed reply address"),
    "reference": _l("Joined #%(number)s, as it answers a message that we sent"),
    "plugin": _l("Joined #%(number)s, which a plugin knew"),
}


def with_problems(reason: str, problems: Iterable[str]) -> str:
    """A reason with what else was noticed, as it is kept; alone it says why, too."""
    noticed = "\n".join(problem for problem in problems if problem != reason)[:_LONGEST]
    return "\n".join(filter(None, (reason, noticed)))


def reason_text(code: str) -> str:
    """The words for a code of core/channels (or several); a sentence that is no code of ours stays as it is."""
    codes, _line, problems = code.partition("\n")
    words = [_words(part) for part in codes.split(";")]
    if None in words:
        return code
    return _in_a_row([*filter(None, words), *filter(None, problems.splitlines())])


def _in_a_row(clauses: Sequence[str]) -> str:
    """Clauses one after the other, with what stands between two in the reader's language."""

    def joined(first: str, second: str) -> str:
        # Translators: two reasons, one after the other: "mail of a list; ticket #1042 is closed"
        return pgettext("reasons", "%(first)s; %(second)s", first=first, second=second)

    return reduce(joined, clauses) if clauses else ""


def decision_text(outcome: str | None, ticket_id: int | None, reason: str) -> str:
    """What became of an incoming item and why, as a sentence: “Joined #1042 by its signed reply address”."""
    if outcome == "message":
        codes, line, problems = reason.partition("\n")
        first, _semicolon, others = codes.partition(";")
        rest = f"{others}{line}{problems}" if others else problems
        number = ticket_id or "?"
        said = str(_JOINED[first]) % {"number": number} if first in _JOINED else _("Joined #%(number)s", number=number)
        return _with(said, rest)
    if outcome == "ticket":
        return _with(_("Opened #%(number)s", number=ticket_id or "?"), reason)
    if outcome == "ignored":
        return _with(_("Ignored"), reason)
    return _with(_("Held for a person"), reason) if outcome == "quarantined" else reason_text(reason)


def is_held(code: str) -> bool:
    """Whether an item was put aside because of who sent it: a person may let it in (``repairs.accept_incoming``)."""
    return code.partition(":")[0] in HELD


def _words(code: str) -> str | None:
    kind, _colon, number = code.partition(":")
    text = _WORDS.get(kind) if number or kind not in _WITHOUT_NUMBER else _WITHOUT_NUMBER[kind]
    if text is None or (number and not number.isdecimal()):
        return None
    return str(text) % {"number": number or "?"}


def _with(decision: str, reason: str) -> str:
    # Translators: what became of a message, and why: "Ignored: mail of a list"
    return _("%(decision)s: %(reason)s", decision=decision, reason=reason_text(reason)) if reason else decision
