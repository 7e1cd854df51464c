"""Messages in the reader's language: made by a click or by itself, kept, the original untouched."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from helpdesk.api import Message, User, cached, db, default_locale, drop_cached, now, require, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_multilingual import engines, languages, sentences
from helpdesk_multilingual.detection import detect
from helpdesk_multilingual.models import Answer, MessageLanguage, ReaderChoice, Reading
from helpdesk_multilingual.permissions import USE
from helpdesk_multilingual.protection import CUT
from helpdesk_multilingual.settings import MultilingualSettings

# Of a longer message the beginning is translated.
LONGEST = 20_000


def target_for(user: User) -> str:
    """The language into which somebody reads: what they chose, else that of their screen, else the desk's. No query."""
    chosen = _choices().get(user.id)
    return (chosen[0] if chosen else "") or user.locale or default_locale()


def choice_of(user: User) -> tuple[str, bool]:
    """What somebody chose: the language ("": that of the screen), and whether always. No query while it stays."""
    return _choices().get(user.id, ("", False))


def wants_always(user: User) -> bool:
    """Whether messages are translated for somebody by themselves."""
    return settings(MultilingualSettings).always or choice_of(user)[1]


def is_wanted() -> bool:
    """Whether anybody wants messages translated by themselves. No query while nothing changes."""
    return settings(MultilingualSettings).always or any(always for _target, always in _choices().values())


def choose(user: User, target: str, always: bool) -> None:
    """Keep how one of staff reads. Joins or opens the transaction. Raises NotAllowed."""
    require(user, USE)
    with transaction():
        # A form that was sent twice waits for itself.
        db.session.execute(select(User.id).where(User.id == user.id).with_for_update())
        row = db.session.get(ReaderChoice, user.id) or ReaderChoice(user_id=user.id)
        row.target, row.always = languages.tidy(target) or "", always
        db.session.add(row)
        drop_cached()


def readings(messages: Iterable[Message | int], target: str) -> dict[int, Reading]:
    """The translations of messages that are kept, by message. One query."""
    ids = [one if isinstance(one, int) else one.id for one in messages]
    query = select(Reading).where(Reading.message_id.in_(ids), Reading.target == target)
    return {row.message_id: row for row in db.session.scalars(query)}


def read(message: Message, user: User) -> Reading:
    """Translate a message for somebody and keep it; what is kept already is taken. Outside transactions.

    Raises NotAllowed, and :class:`~helpdesk_multilingual.engines.NoEngine` or Late with one sentence.
    """
    require(user, USE, message.ticket)
    return make(message, target_for(user))


def make(message: Message, target: str) -> Reading:
    """The translation of a message into a language, made if there is none. Outside transactions; raises as above.

    It is not kept when somebody has said meanwhile that the message is in another language.
    """
    number, text = message.id, message.text.strip()
    kept = db.session.get(Reading, (number, target))
    if kept is not None:
        return kept
    spoken = db.session.get(MessageLanguage, number)
    source = spoken.language if spoken is not None and spoken.language else detect(text).language
    if source is None:
        raise engines.NoEngine(_("Nobody can tell what language this is. Choose it, then translate again."))
    if not text:
        raise engines.NoEngine(_("There are no words to translate."))
    begins, warnings = _beginning(text)
    done = engines.translate([begins], source, target)
    row = Reading(message_id=number, target=target, text=done.texts[0], engine=done.engine, made_at=now())
    row.warnings = [*warnings, *done.warnings]
    with transaction():
        # Much may have become of it while the engine was asked.
        found, spoken = db.session.get(Message, number), db.session.get(MessageLanguage, number)
        if found is None or found.text.strip() != text:
            raise engines.NoEngine(_("There are no words to translate."))
        if spoken is not None and spoken.language and spoken.language != source:
            return row
        try:
            with db.session.begin_nested():
                db.session.add(row)
        except IntegrityError:
            # Somebody else has made it meanwhile.
            return db.session.get_one(Reading, (number, target))
    return row


def warnings_of(row: Reading | Answer) -> list[str]:
    """What is to be looked at in a translation, as sentences in the reader's language. No query."""
    return sentences.in_words(row.warnings or ())


def _beginning(text: str) -> tuple[str, Sequence[list[str]]]:
    """A text, or as much of it as is translated, up to the end of a paragraph where there is one."""
    if len(text) <= LONGEST:
        return text, []
    end = text.rfind("\n\n", LONGEST // 2, LONGEST)
    return text[: end if end > 0 else LONGEST], [[CUT]]


def _choices() -> dict[int, tuple[str, bool]]:
    return cached("multilingual:readers", _load)


def _load() -> dict[int, tuple[str, bool]]:
    return {row.user_id: (row.target, row.always) for row in db.session.scalars(select(ReaderChoice))}
