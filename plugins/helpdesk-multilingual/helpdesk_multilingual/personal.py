"""What the plugin keeps about a person: the languages of what they wrote, translations of it, and, of staff, theirs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, or_, select, update

from helpdesk.api import Message, Ticket, User, db, drop_cached, hookimpl
from helpdesk_multilingual.models import (
    AgentLanguage,
    Answer,
    MessageLanguage,
    Pair,
    PairBand,
    PersonLanguage,
    ReaderChoice,
    Reading,
    Variant,
)


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """Their language, those of their messages with the translations; of staff what they have and wrote."""
    person, choice = db.session.get(PersonLanguage, user.id), db.session.get(ReaderChoice, user.id)
    wrote = select(Message.id).where(Message.author_id == user.id)
    query = select(MessageLanguage).where(MessageLanguage.message_id.in_(wrote)).order_by(MessageLanguage.message_id)
    read = select(Reading).where(Reading.message_id.in_(wrote)).order_by(Reading.message_id, Reading.target)
    answers = select(Answer).where(Answer.user_id == user.id).order_by(Answer.id)
    own = select(AgentLanguage).where(AgentLanguage.user_id == user.id).order_by(AgentLanguage.language)
    found = {
        "language": _language(person) if person is not None else None,
        "messages": {str(row.message_id): row.language for row in db.session.scalars(query)},
        "translations": [
            {"message": row.message_id, "language": row.target, "text": row.text} for row in db.session.scalars(read)
        ],
        "answers": [_answer(row) for row in db.session.scalars(answers)],
        "speaks": {row.language: row.level for row in db.session.scalars(own)},
        "reads": {"language": choice.target, "always": choice.always} if choice is not None else None,
    }
    return found if any(found.values()) else {}


@hookimpl
def erase_personal_data(user: User) -> None:
    """What was written by them or on their tickets goes, with the pairs of the memory that came from there."""
    wrote = select(Message.id).where(Message.author_id == user.id)
    theirs = select(Ticket.id).where(Ticket.requester_id == user.id)
    db.session.execute(delete(MessageLanguage).where(MessageLanguage.message_id.in_(wrote)))
    on_theirs = select(Message.id).where(Message.ticket_id.in_(theirs))
    db.session.execute(delete(Reading).where(or_(Reading.message_id.in_(wrote), Reading.message_id.in_(on_theirs))))
    db.session.execute(delete(Answer).where(Answer.ticket_id.in_(theirs)))
    said = select(Pair.id).where(Pair.ticket_id.in_(theirs))
    db.session.execute(delete(PairBand).where(PairBand.pair_id.in_(said)))
    db.session.execute(delete(Pair).where(Pair.ticket_id.in_(theirs)))
    for model in (PersonLanguage, AgentLanguage, ReaderChoice):
        db.session.execute(delete(model).where(model.user_id == user.id))
    db.session.execute(delete(Answer).where(Answer.user_id == user.id, Answer.message_id.is_(None)))
    db.session.execute(update(Answer).where(Answer.user_id == user.id).values(user_id=None))
    db.session.execute(update(Pair).where(Pair.confirmed_by_id == user.id).values(confirmed_by_id=None))
    db.session.execute(update(MessageLanguage).where(MessageLanguage.chosen_by_id == user.id).values(chosen_by_id=None))
    db.session.execute(update(Variant).where(Variant.checked_by_id == user.id).values(checked_by_id=None))
    drop_cached()


def _language(person: PersonLanguage) -> dict[str, Any]:
    return {"code": person.language, "chosen": person.chosen, "past": list(person.past or ())}


def _answer(row: Answer) -> dict[str, Any]:
    return {
        "ticket": row.ticket_id,
        "message": row.message_id,
        "from": row.source,
        "into": row.target,
        "original": row.original,
        "translated": row.translated,
    }
