"""What language messages and people speak, translations that are kept, and what translators know."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.api import UtcDateTime, db, now

# How well an agent has a language.
BASIC, GOOD, NATIVE = "basic", "good", "native"
LEVELS = (BASIC, GOOD, NATIVE)
# What texts there are in several languages: canned responses, names that the owner gave, texts of mails.
CANNED, LABEL, MAIL = "canned", "label", "mail"
KINDS = (CANNED, LABEL, MAIL)
# Who wrote a text in another language.
MACHINE, PERSON = "machine", "person"
# The status of such a text.
MISSING, OUTDATED, CHECKED = "missing", "outdated", "checked"
STATUSES = (MISSING, OUTDATED, MACHINE, CHECKED)
_PENDING = text("message_id IS NULL")
_SENT = text("message_id IS NOT NULL")
LOCALE_LENGTH = 20


class MessageLanguage(db.Model):
    """What language a message is in; "" when nobody can tell."""

    __tablename__ = "multilingual_message"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(LOCALE_LENGTH), default="")
    # How sure the detection was, from 0 to 1.
    score: Mapped[float] = mapped_column(default=0.0)
    # Who said so, by a click.
    chosen_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)


class PersonLanguage(db.Model):
    """What language a person writes in, by what they wrote or by what somebody said."""

    __tablename__ = "multilingual_person"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(LOCALE_LENGTH), default="")
    # Somebody corrected it: what is detected changes it no more.
    chosen: Mapped[bool] = mapped_column(default=False)
    # The languages of the last messages, the newest first.
    past: Mapped[list[str]] = mapped_column(JSON, default=list)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)


class AgentLanguage(db.Model):
    """A language that one of staff reads and writes, and how well."""

    __tablename__ = "multilingual_agent"
    __table_args__ = (Index("ix_multilingual_agent_language", "language", "user_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(LOCALE_LENGTH), primary_key=True)
    level: Mapped[str] = mapped_column(String(10), default=GOOD)


class ReaderChoice(db.Model):
    """How one of staff reads: whether always in translation, and into which language ("": that of their screen)."""

    __tablename__ = "multilingual_reader"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    always: Mapped[bool] = mapped_column(default=False)
    target: Mapped[str] = mapped_column(String(LOCALE_LENGTH), default="")


class Reading(db.Model):
    """The translation of a message, to be read below it."""

    __tablename__ = "multilingual_reading"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[str] = mapped_column(String(LOCALE_LENGTH), primary_key=True)
    text: Mapped[str] = mapped_column(Text, default="")
    engine: Mapped[str] = mapped_column(String(60), default="")
    # Sentences as (msgid, values): shown in the reader's language.
    warnings: Mapped[list[Any]] = mapped_column(JSON, default=list)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Answer(db.Model):
    """What an agent wrote, and what goes to the customer in another language; with ``message_id`` it was sent."""

    __tablename__ = "multilingual_answer"
    __table_args__ = (
        Index(
            "ix_multilingual_answer_pending",
            "ticket_id",
            "user_id",
            "id",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index(
            "ix_multilingual_answer_message_id", "message_id", unique=True, sqlite_where=_SENT, postgresql_where=_SENT
        ),
        Index("ix_multilingual_answer_user_id", "user_id", "id"),
        Index("ix_multilingual_answer_ticket_id", "ticket_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(LOCALE_LENGTH))
    target: Mapped[str] = mapped_column(String(LOCALE_LENGTH))
    original: Mapped[str] = mapped_column(Text)
    # As it was offered, then as it was sent.
    translated: Mapped[str] = mapped_column(Text, default="")
    # The engine's name; "": a person wrote it.
    engine: Mapped[str] = mapped_column(String(60), default="")
    edited: Mapped[bool] = mapped_column(default=False)
    warnings: Mapped[list[Any]] = mapped_column(JSON, default=list)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Pair(db.Model):
    """A text and its translation that a person confirmed."""

    __tablename__ = "multilingual_pair"
    __table_args__ = (
        UniqueConstraint("source", "target", "digest"),
        Index("ix_multilingual_pair_list", "confirmed_at", "id"),
        Index("ix_multilingual_pair_languages", "source", "target", "confirmed_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(LOCALE_LENGTH))
    target: Mapped[str] = mapped_column(String(LOCALE_LENGTH))
    text: Mapped[str] = mapped_column(Text)
    # Of the text with its spaces and case made even: an index takes no long text.
    digest: Mapped[str] = mapped_column(String(64))
    translation: Mapped[str] = mapped_column(Text)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # The ticket on which it was said: it goes with what is erased there.
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    used: Mapped[int] = mapped_column(default=0)


class PairBand(db.Model):
    """By what pairs with similar texts are found: several of these are the same for them."""

    __tablename__ = "multilingual_band"
    __table_args__ = (Index("ix_multilingual_band_pair_id", "pair_id"),)

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    pair_id: Mapped[int] = mapped_column(ForeignKey("multilingual_pair.id", ondelete="CASCADE"), primary_key=True)


class Term(db.Model):
    """A word that is translated in one way, or stays as it is (``keep``). "" as a language: any."""

    __tablename__ = "multilingual_term"
    __table_args__ = (UniqueConstraint("source", "target", "term"), Index("ix_multilingual_term_term", "term", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(LOCALE_LENGTH), default="")
    target: Mapped[str] = mapped_column(String(LOCALE_LENGTH), default="")
    term: Mapped[str] = mapped_column(String(200))
    translation: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    keep: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)


class Variant(db.Model):
    """Where a text in another language comes from: what it was made of, by whom, and who has checked it."""

    __tablename__ = "multilingual_variant"
    __table_args__ = (Index("ix_multilingual_variant_checked_by_id", "checked_by_id"),)

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    # The number of a canned response; kind and number of a label ("team:3"); the name of a mail's text.
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    locale: Mapped[str] = mapped_column(String(LOCALE_LENGTH), primary_key=True)
    # Of the source when it was translated: another one since makes it outdated.
    source_digest: Mapped[str] = mapped_column(String(64), default="")
    # Of the text itself: one that was changed elsewhere is a person's.
    text_digest: Mapped[str] = mapped_column(String(64), default="")
    made: Mapped[str] = mapped_column(String(10), default=PERSON)
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EngineState(db.Model):
    """How an engine does: after several failures it is left alone for a while."""

    __tablename__ = "multilingual_engine"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(500), default="")
    last_error_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    milliseconds: Mapped[int | None] = mapped_column()


class PairOrder(db.Model):
    """Which engines are asked for a pair of languages, in this order; "" as a language: any."""

    __tablename__ = "multilingual_order"

    source: Mapped[str] = mapped_column(String(LOCALE_LENGTH), primary_key=True)
    target: Mapped[str] = mapped_column(String(LOCALE_LENGTH), primary_key=True)
    engines: Mapped[list[str]] = mapped_column(JSON, default=list)
