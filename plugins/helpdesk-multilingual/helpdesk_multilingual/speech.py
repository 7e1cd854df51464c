"""What language messages are in, and what people speak: detected, corrected by a click, remembered."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select

from helpdesk.api import (
    Invalid,
    Message,
    Ticket,
    TicketDraft,
    User,
    db,
    default_locale,
    hookimpl,
    remember_language,
    require,
    schedule,
    set_language,
    settings,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_multilingual import languages, reading
from helpdesk_multilingual.detection import Guess, detect
from helpdesk_multilingual.models import MessageLanguage, PersonLanguage, Reading
from helpdesk_multilingual.permissions import USE
from helpdesk_multilingual.settings import MultilingualSettings

READ = "multilingual.read"
PAST = 10
# So sure the detection must be to say something against what was chosen.
_SURE = 0.85


# ---- what is known


def of_messages(ids: Iterable[int]) -> dict[int, MessageLanguage]:
    """The languages of messages. One query."""
    query = select(MessageLanguage).where(MessageLanguage.message_id.in_(list(ids)))
    return {row.message_id: row for row in db.session.scalars(query)}


def spoken_by(ticket: Ticket) -> str | None:
    """The language in which the customer of a ticket writes, or None. No query."""
    return ticket.locale or None


def of_person(person: User) -> tuple[str | None, bool]:
    """The language that a person writes in, and whether somebody chose it."""
    row = db.session.get(PersonLanguage, person.id)
    return (row.language or None, row.chosen) if row is not None else (None, False)


# ---- what people say


def correct(message: Message, language: str, actor: User) -> None:
    """Say what language a message is in: remembered for its author and, if it is the customer's, for the ticket.

    Joins or opens the transaction. Raises Invalid for no language, and NotAllowed.
    """
    require(actor, USE, message.ticket)
    code = _checked(language)
    with transaction():
        row = db.session.get(MessageLanguage, message.id) or MessageLanguage(message_id=message.id)
        if row.language != code:
            # What was made of it as another language is worth nothing.
            db.session.execute(delete(Reading).where(Reading.message_id == message.id))
        row.language, row.score, row.chosen_by_id = code, 1.0, actor.id
        db.session.add(row)
        author, ticket = message.author, message.ticket
        if author is not None and not author.is_staff:
            _keep_person(author, code, chosen=True)
            if author.id == ticket.requester_id and not ticket.is_closed:
                _to_ticket(ticket, code, actor)


def set_person(person: User, language: str, actor: User) -> None:
    """Say what language a customer writes in; "" forgets it, so that it is detected again. Joins or opens.

    Raises Invalid and NotAllowed.
    """
    require(actor, USE)
    code = _checked(language) if language else ""
    with transaction():
        if code:
            _keep_person(person, code, chosen=True)
            return
        row = db.session.get(PersonLanguage, person.id)
        if row is not None:
            db.session.delete(row)


def _checked(language: str) -> str:
    code = languages.tidy(language)
    if code is None:
        raise Invalid("language", _("“%(name)s” is no language.", name=language[:40]))
    return code


# ---- what is heard


@hookimpl
def before_ticket_opened(draft: TicketDraft, actor: User | None) -> None:
    """The language of a new ticket is the one that its customer writes in, unless they chose another.

    That of a form or of a mail's heading is overruled by a text that is surely something else.
    """
    if not settings(MultilingualSettings).detect or draft.visibility != "public":
        return
    # Staff who type a customer's words (a call, a visit) type them in their own language.
    if draft.author_id is not None and draft.author_id != draft.requester_id:
        return
    text = f"{draft.subject}\n\n{draft.text}"
    first = detect(text)
    if first.language is None or languages.same(first.language, default_locale()):
        # Most are in the desk's own language: they cost no query here. What is unsure is heard a moment later.
        return
    person = db.session.get(PersonLanguage, draft.requester_id)
    requester = db.session.get(User, draft.requester_id)
    if requester is None or (not draft.locale and _chose(requester, person)):
        return
    guess = heard(text, person)
    if guess.language is None:
        return
    if not draft.locale or (guess.score >= _SURE and not languages.same(draft.locale, guess.language)):
        draft.locale = guess.language


def hear(ticket: Ticket, message: Message) -> None:
    """Note what language a customer's message is in, and what its author speaks. Inside the transaction."""
    author = message.author
    if not settings(MultilingualSettings).detect or message.is_note or author is None or author.is_staff:
        return
    if db.session.get(MessageLanguage, message.id) is not None:
        return
    person = db.session.get(PersonLanguage, author.id)
    guess = heard(message.text, person)
    db.session.add(MessageLanguage(message_id=message.id, language=guess.language or "", score=guess.score))
    if guess.language is None:
        if person is not None and person.language and not ticket.locale and author.id == ticket.requester_id:
            _to_ticket(ticket, person.language, None)
        return
    if author.id == ticket.requester_id and _follows(ticket, author, person, guess):
        _to_ticket(ticket, guess.language, None)
    _hear_person(author, person, guess, message.verified)
    if reading.is_wanted():
        schedule(READ, key=f"{READ}:{message.id}", message_id=message.id)


def heard(text: str, person: PersonLanguage | None) -> Guess:
    """The language of what a person wrote: in doubt it is the one that somebody said before."""
    past: Sequence[str] = ()
    if person is not None:
        past = [person.language] * PAST if person.chosen else list(person.past or ())
    guess = detect(text, past)
    if guess.language is None or person is None or not person.chosen:
        return guess
    # Somebody said that it is no Norwegian but Danish: so are the next ones, unless they are surely something else.
    return guess if guess.score >= _SURE else Guess(person.language, guess.score)


def _chose(author: User, person: PersonLanguage | None) -> bool:
    """Whether a customer chose the language of their screen; what was remembered for them is no choice."""
    return author.locale is not None and (person is None or not languages.same(author.locale, person.language))


def _follows(ticket: Ticket, author: User, person: PersonLanguage | None, guess: Guess) -> bool:
    """Whether a ticket takes the language of what was written on it: surely another, and nobody said what it is."""
    if ticket.is_closed or guess.score < _SURE or (person is not None and person.chosen):
        return False
    if not ticket.locale and languages.same(guess.language, default_locale()):
        # Nothing said is the desk's own language: no line in the history of every ticket.
        return False
    return not (_chose(author, person) and languages.same(ticket.locale, author.locale))


def _hear_person(author: User, person: PersonLanguage | None, guess: Guess, verified: bool) -> None:
    language = guess.language or ""
    if person is None:
        person = PersonLanguage(user_id=author.id, language=language, past=[])
        db.session.add(person)
    before = person.language
    person.past = [language, *(person.past or ())][:PAST]
    if not person.chosen:
        person.language = max(dict.fromkeys(person.past), key=person.past.count)
    # An address can be typed by anybody: only proved words change what a person is told in.
    if verified and settings(MultilingualSettings).remember:
        remember_language(author, person.language, before or None)


def _keep_person(person: User, code: str, *, chosen: bool) -> None:
    row = db.session.get(PersonLanguage, person.id) or PersonLanguage(user_id=person.id, past=[])
    before = row.language
    row.language, row.chosen = code, chosen
    db.session.add(row)
    if settings(MultilingualSettings).remember:
        remember_language(person, code, before or None)


def _to_ticket(ticket: Ticket, code: str, actor: User | None) -> Any:
    if not languages.same(ticket.locale, code) or ticket.locale is None:
        set_language(ticket, code, actor)
