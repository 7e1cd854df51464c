"""Answers in the customer's language: written in the agent's, translated, looked over, sent; both texts are kept."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select

from helpdesk.api import (
    Invalid,
    Message,
    Ticket,
    User,
    canned_text,
    db,
    default_locale,
    fill_placeholders,
    find_canned,
    known_locale,
    list_canned,
    now,
    require,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_multilingual import engines, languages, memory, reading, similar
from helpdesk_multilingual.engines import VARIANT
from helpdesk_multilingual.models import Answer
from helpdesk_multilingual.permissions import USE

LONGEST = 100_000
# So many that were begun are kept for each agent and ticket: an answer may wait to be sent while the next is written.
_BEGUN, _DAYS = 5, 30
# How much of what was inserted must be left in what is sent, to be an edit of it.
_ALIKE = 0.55
# So long a text stands in no other by chance; of a shorter one this share of what was sent is needed.
_NO_CHANCE, _SHARE = 20, 0.2
# So many paragraphs of an answer are remembered.
_PARAGRAPHS = 200
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True)
class Offer:
    """A canned response that there is in the customer's language: what it says in the agent's, and in theirs."""

    canned_id: int
    name: str
    original: str
    translated: str


# ---- beginning


def prepare(ticket: Ticket, user: User, text: str, source: str, target: str) -> Answer:
    """Translate what an agent wrote, and keep both until it is sent. Outside transactions.

    Raises :class:`~helpdesk_multilingual.engines.NoEngine` or Late with one sentence (nothing is kept then), Invalid
    and NotAllowed.
    """
    source, target, text = _checked(ticket, user, text, source, target)
    done = engines.translate([text], source, target)
    return _begin(ticket, user, source, target, text, done.texts[0], done.engine, list(done.warnings))


def by_hand(ticket: Ticket, user: User, original: str, source: str, target: str, translated: str) -> Answer:
    """Keep a translation that the agent brings. Joins or opens the transaction. Raises Invalid and NotAllowed."""
    source, target, original = _checked(ticket, user, original, source, target)
    if not translated.strip():
        raise Invalid("translated", _("Write the translation."))
    return _begin(ticket, user, source, target, original, translated.strip(), "", [])


def edit(answer: Answer, text: str, user: User) -> Answer:
    """Keep how a translation was changed. Joins or opens the transaction. Raises Invalid and NotAllowed."""
    if answer.user_id != user.id or answer.message_id is not None:
        raise Invalid("translated", _("This answer was sent already. Begin a new one."))
    text = text.strip()
    if not text:
        raise Invalid("translated", _("Write the translation."))
    if text != answer.translated:
        with transaction():
            answer.translated, answer.edited = text[: LONGEST * 2], True
            answer.warnings = []
    return answer


def discard(ticket: Ticket, user: User) -> None:
    """Forget what somebody began on a ticket. Joins or opens the transaction."""
    with transaction():
        db.session.execute(delete(Answer).where(*_begun_by(ticket.id, user.id)))


def pending(ticket: Ticket, user: User) -> Answer | None:
    """What somebody began last on a ticket and has not sent; not what is older than what they sent. One query."""
    sent = select(func.max(Answer.id)).where(
        Answer.ticket_id == ticket.id, Answer.user_id == user.id, Answer.message_id.is_not(None)
    )
    newer = Answer.id > func.coalesce(sent.scalar_subquery(), 0)
    query = select(Answer).where(*_begun_by(ticket.id, user.id), newer).order_by(Answer.id.desc()).limit(1)
    return db.session.scalar(query)


# ---- canned responses in the customer's language


def variants(ticket: Ticket, user: User, target: str, limit: int = 8) -> list[Offer]:
    """The canned responses that somebody has in a language, those in use first. Two queries."""
    found = []
    for response in list_canned(user, only_active=True, limit=200):
        texts = {row.locale: row.text for row in response.texts}
        # Detection says "pt" where the desk writes "pt_BR".
        codes = (*languages.chain(target), *sorted(texts))
        code = next((one for one in codes if one in texts and languages.same(one, target)), None)
        if code is not None:
            found.append((response.used, response, texts[code]))
    found.sort(key=lambda one: (-one[0], one[1].name, one[1].id))
    own = reading.target_for(user)
    return [
        Offer(response.id, response.name, canned_text(response, own), text) for _used, response, text in found[:limit]
    ]


def use_variant(ticket: Ticket, user: User, canned_id: int, target: str) -> Answer:
    """Begin an answer with a canned response: the agent's language beside the customer's, placeholders filled in.

    Joins or opens the transaction. Raises Invalid for one that is gone or not in that language, and NotAllowed.
    """
    require(user, USE, ticket)
    response = find_canned(canned_id, user)
    offers = {offer.canned_id: offer for offer in variants(ticket, user, target, limit=200)} if response else {}
    offer = offers.get(canned_id)
    if offer is None:
        raise Invalid("canned", _("This canned response is not there any more."))
    own = reading.target_for(user)
    original = fill_placeholders(offer.original, ticket, user, own).text
    translated = fill_placeholders(offer.translated, ticket, user, known_locale(target)).text
    return _begin(ticket, user, own, languages.tidy(target) or target, original, translated, VARIANT, [])


# ---- what was sent


def sent_with(messages: Iterable[Message | int]) -> dict[int, Answer]:
    """What their writers wrote of messages that were sent in another language, by message. One query."""
    ids = [one if isinstance(one, int) else one.id for one in messages]
    return {row.message_id or 0: row for row in db.session.scalars(select(Answer).where(Answer.message_id.in_(ids)))}


def keep_sent(ticket: Ticket, message: Message) -> Answer | None:
    """Join a message to the answer that was begun for it, whichever way it was sent. Inside the transaction.

    Of the agent's own on this ticket the one that is most alike: what was changed in the composer is an edit of it.
    A note, another text, somebody else's: None, and what was begun stays: it may wait to be sent.
    """
    if message.is_note or message.author_id is None:
        return None
    if (kept := db.session.scalar(select(Answer).where(Answer.message_id == message.id))) is not None:
        return kept
    query = select(Answer).where(*_begun_by(ticket.id, message.author_id)).order_by(Answer.id.desc()).limit(_BEGUN)
    # Two messages that are told at the same time do not take the same one.
    query = query.with_for_update()
    scored = [(_alike(answer.translated, message.text), answer) for answer in db.session.scalars(query)]
    score, answer = max(scored, key=lambda one: (one[0], one[1].id), default=(0.0, None))
    if answer is None or score < _ALIKE:
        return None
    if score < 1:
        answer.translated, answer.edited = message.text.strip(), True
    answer.message_id = message.id
    db.session.flush()
    _remember(answer)
    return answer


def drop_old() -> None:
    """Forget what was begun a month ago and never sent. Joins or opens the transaction."""
    with transaction():
        db.session.execute(
            delete(Answer).where(Answer.message_id.is_(None), Answer.made_at < now() - timedelta(days=_DAYS))
        )


def _remember(answer: Answer) -> None:
    """Keep its paragraphs as pairs: whoever sends a translation has confirmed it."""
    if answer.engine == VARIANT or answer.user_id is None:
        return
    user = db.session.get(User, answer.user_id)
    originals, translations = _paragraphs(answer.original), _paragraphs(answer.translated)
    if len(originals) != len(translations):
        originals, translations = [answer.original], [answer.translated]
    said = list(zip(originals, translations, strict=True))[:_PARAGRAPHS]
    memory.confirm_many(said, answer.source, answer.target, user, answer.ticket_id)


def _paragraphs(text: str) -> Sequence[str]:
    return [part for part in _PARAGRAPH.split(text.strip()) if part.strip()]


def _alike(begun: str, sent: str) -> float:
    first, second = similar.even(begun), similar.even(sent)
    if not first or not second:
        return 0.0
    if _holds(second, first):
        return 1.0
    return similar.likeness(first[:20_000], second[:20_000]) * 0.999


def _holds(text: str, part: str) -> bool:
    """Whether what was inserted stands in what was sent. A few letters do so by chance."""
    if len(part) >= _NO_CHANCE or part == text:
        return part in text
    return len(part) >= len(text) * _SHARE and re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) is not None


def _begin(
    ticket: Ticket,
    user: User,
    source: str,
    target: str,
    original: str,
    translated: str,
    engine: str,
    warnings: list[list[str]],
) -> Answer:
    with transaction():
        answer = Answer(
            ticket_id=ticket.id,
            user_id=user.id,
            source=source,
            target=target,
            original=original,
            translated=translated,
            engine=engine,
            warnings=warnings,
        )
        db.session.add(answer)
        db.session.flush()
        kept = select(Answer.id).where(*_begun_by(ticket.id, user.id)).order_by(Answer.id.desc()).limit(_BEGUN)
        numbers = list(db.session.scalars(kept))
        db.session.execute(delete(Answer).where(*_begun_by(ticket.id, user.id), Answer.id.not_in(numbers)))
    return answer


def _begun_by(ticket_id: int, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return Answer.ticket_id == ticket_id, Answer.user_id == user_id, Answer.message_id.is_(None)


def _checked(ticket: Ticket, user: User, text: str, source: str, target: str) -> tuple[str, str, str]:
    require(user, USE, ticket)
    require(user, "ticket.reply", ticket)
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid("words", _("Write your answer first."))
    if len(text) > LONGEST:
        raise Invalid("words", _("This is too long to be translated; send it as it is."))
    begin, end = languages.tidy(source) or default_locale(), languages.tidy(target)
    if end is None:
        raise Invalid("target", _("Choose the language of the customer."))
    return begin, end, text
