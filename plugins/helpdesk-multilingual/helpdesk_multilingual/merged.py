"""The language of a person when two turn out to be one, and when they do not: heard anew from whose messages are whose.

The other's row stays as it is: nobody writes as that person any more, and undoing finds it there.
"""

from sqlalchemy import select

from helpdesk.api import Message, User, db, hookimpl, merge_numbered
from helpdesk_multilingual.models import MessageLanguage, PersonLanguage
from helpdesk_multilingual.speech import PAST


@hookimpl
def people_merged(survivor_id: int, merged_id: int) -> None:
    """What somebody said of the survivor counts, then what somebody said of the other, then what both wrote."""
    theirs, person = db.session.get(PersonLanguage, merged_id), db.session.get(User, survivor_id)
    if theirs is None or person is None:
        return
    mine = _row_of(survivor_id)
    if mine.chosen:
        return
    if theirs.chosen:
        mine.language, mine.chosen = theirs.language, True
    _hear_again(mine)
    # The screen may speak the other's language now; it was heard there, and not chosen.
    if not mine.screen and theirs.screen == person.locale:
        mine.screen = theirs.screen


@hookimpl
def people_unmerged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """What was taken from the other goes, unless somebody said something else since; the rest is heard anew."""
    merge, mine = merge_numbered(merge_id), db.session.get(PersonLanguage, survivor_id)
    if merge is None or mine is None:
        return
    theirs = db.session.get(PersonLanguage, merged_id)
    was_said_of_them = theirs is not None and theirs.chosen and mine.language == theirs.language
    if mine.chosen and was_said_of_them and mine.changed_at >= merge.merged_at:
        mine.chosen = False
    if mine.chosen:
        return
    _hear_again(mine)
    if not mine.past:
        db.session.delete(mine)


def _row_of(user_id: int) -> PersonLanguage:
    row = db.session.get(PersonLanguage, user_id)
    if row is None:
        row = PersonLanguage(user_id=user_id, language="", chosen=False, past=[], screen="")
        db.session.add(row)
    return row


def _hear_again(row: PersonLanguage) -> None:
    """The languages of their last messages as they are now, and of these the one written most. One query."""
    wrote = select(MessageLanguage.language).join(Message, Message.id == MessageLanguage.message_id)
    wrote = wrote.where(Message.author_id == row.user_id, MessageLanguage.language != "")
    row.past = list(db.session.scalars(wrote.order_by(Message.id.desc()).limit(PAST)))
    if row.past and not row.chosen:
        row.language = max(dict.fromkeys(row.past), key=row.past.count)
