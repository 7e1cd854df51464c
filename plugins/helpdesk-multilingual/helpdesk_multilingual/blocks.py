"""What stands below a message on the ticket's page: its translation, or what its writer wrote in another language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from helpdesk.api import Message, MessageBlock, Ticket, User, db, hookimpl
from helpdesk.api import gettext as _
from helpdesk_multilingual import choosing, languages, reading
from helpdesk_multilingual.models import Answer, MessageLanguage, Reading
from helpdesk_multilingual.permissions import USE

TEMPLATE = "multilingual/message_block.html"
# A shorter text of which nobody can tell the language is not asked about.
_WORTH_ASKING = 20


@dataclass(frozen=True)
class Known:
    """What is kept about a message: its language, its translation for the reader, what its writer wrote."""

    language: str = ""
    is_looked_at: bool = False
    reading: Reading | None = None
    answer: Answer | None = None


@hookimpl
def message_blocks(messages: Sequence[Message], user: User) -> list[MessageBlock]:
    """Translations, originals of answers, and the way to correct a language. One query, however many messages."""
    target = reading.target_for(user)
    kept = known([message.id for message in messages], target)
    found = []
    for message in messages:
        one = kept.get(message.id, Known())
        context = _context(message, one, target)
        if context is not None:
            badge = choosing.name(one.language) if _is_foreign(one, target) and one.answer is None else ""
            found.append(MessageBlock(message.id, TEMPLATE, context, badge, permission=USE))
    return found


def known(ids: Sequence[int], target: str) -> Mapping[int, Known]:
    """What is kept about these messages, for a reader of ``target``. One query."""
    if not ids:
        return {}
    query = (
        select(Message.id, MessageLanguage, Reading, Answer)
        .outerjoin(MessageLanguage, MessageLanguage.message_id == Message.id)
        .outerjoin(Reading, and_(Reading.message_id == Message.id, Reading.target == target))
        .outerjoin(Answer, Answer.message_id == Message.id)
        .where(Message.id.in_(ids))
    )
    return {
        number: Known(spoken.language if spoken else "", spoken is not None, read, answer)
        for number, spoken, read, answer in db.session.execute(query)
    }


def context_of(message: Message, ticket: Ticket, user: User, problem: str = "") -> dict[str, Any]:
    """What the block of one message needs, with what just went wrong. One query."""
    target = reading.target_for(user)
    one = known([message.id], target).get(message.id, Known())
    return {**_shown(one, target), "problem": problem}


def language_of(message: Message) -> str:
    """The language that a message is in, "" where nobody knows. One query."""
    row = db.session.get(MessageLanguage, message.id)
    return row.language if row is not None else ""


def _context(message: Message, one: Known, target: str) -> dict[str, Any] | None:
    """None for a message that needs no block: in the reader's own language, or a note."""
    if one.answer is None and message.is_note:
        return None
    is_unknown = one.is_looked_at and not one.language and len(message.text.strip()) >= _WORTH_ASKING
    if one.answer is None and one.reading is None and not _is_foreign(one, target) and not is_unknown:
        return None
    return _shown(one, target)


def _shown(one: Known, target: str) -> dict[str, Any]:
    row = one.answer or one.reading
    return {
        "words": choosing,
        "target": target,
        "language": one.language,
        "reading": one.reading,
        "answer": one.answer,
        "sentences": reading.warnings_of(one.reading) if one.reading is not None else [],
        "how": _how(row, one.language) if row is not None else "",
        "may_translate": _is_foreign(one, target) or (one.is_looked_at and not one.language),
        "problem": "",
    }


def _is_foreign(one: Known, target: str) -> bool:
    return bool(one.language) and not languages.same(one.language, target)


def _how(row: Answer | Reading, language: str) -> str:
    """Who translated; always said, so that nobody takes a machine for a person."""
    name = choosing.engine(row.engine) if row.engine else ""
    if isinstance(row, Reading) and language:
        spoken = choosing.name(language)
        if not name:
            return _("Translated from %(language)s by a person", language=spoken)
        return _("Translated from %(language)s by a machine (%(engine)s)", language=spoken, engine=name)
    if not name:
        return _("Translated by a person")
    if isinstance(row, Answer) and row.edited:
        return _("Translated by a machine (%(engine)s), changed before it was sent", engine=name)
    return _("Translated by a machine (%(engine)s)", engine=name)
