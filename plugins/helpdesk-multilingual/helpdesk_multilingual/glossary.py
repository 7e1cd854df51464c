"""Words that are translated in one way, or stay as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, tuple_

from helpdesk.api import Invalid, User, audit, cached, db, drop_cached, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_multilingual import cursors, languages
from helpdesk_multilingual.models import Term
from helpdesk_multilingual.permissions import MANAGE
from helpdesk_multilingual.protection import protect

TERM_LENGTH, NOTE_LENGTH = 200, 500


@dataclass(frozen=True)
class TermDraft:
    """A word as somebody wants it; "" as a language: any."""

    source: str = ""
    target: str = ""
    term: str = ""
    translation: str = ""
    note: str = ""
    keep: bool = False


@dataclass(frozen=True)
class KnownTerm:
    """A word in memory, without a session."""

    id: int
    source: str
    target: str
    term: str
    translation: str
    note: str
    keep: bool


def save(term: Term | None, draft: TermDraft, actor: User) -> Term:
    """Add a word (None), or change one. Joins or opens the transaction; audited.

    Raises Invalid (nothing written, too long, there already, no such language) and NotAllowed.
    """
    require(actor, MANAGE)
    draft = checked(draft)
    with transaction():
        return put(term, draft, actor)


def put(term: Term | None, draft: TermDraft, actor: User, *, quiet: bool = False) -> Term:
    """:func:`save` of what was checked, inside the transaction; ``quiet``: somebody else writes the record."""
    there = find(draft.source, draft.target, draft.term)
    if there is not None and (term is None or there.id != term.id):
        raise Invalid("term", _("This word is there already for these languages. Change that one."))
    act = "multilingual.term_changed" if term is not None else "multilingual.term_added"
    term = term or Term()
    term.source, term.target, term.term = draft.source, draft.target, draft.term
    term.translation, term.note, term.keep, term.changed_at = draft.translation, draft.note, draft.keep, now()
    db.session.add(term)
    db.session.flush()
    if not quiet:
        audit(act, actor, term.term)
        drop_cached()
    return term


def delete(term: Term, actor: User) -> None:
    """Take a word out. Joins or opens the transaction; audited. Raises NotAllowed."""
    require(actor, MANAGE)
    with transaction():
        audit("multilingual.term_deleted", actor, term.term)
        db.session.delete(term)
        drop_cached()


def find(source: str, target: str, term: str) -> Term | None:
    """The word of these languages that is written like that."""
    return db.session.scalar(select(Term).where(Term.source == source, Term.target == target, Term.term == term))


def listed(text: str = "", after: str | None = None, limit: int = 50) -> tuple[Sequence[Term], str | None]:
    """The words that contain ``text`` by the alphabet, and where the next page begins (None: nowhere)."""
    query = select(Term).order_by(Term.term, Term.id).limit(limit + 1)
    if text:
        query = query.where(or_(*(part.icontains(text, autoescape=True) for part in (Term.term, Term.translation))))
    if (last := cursors.read(after, str, int)) is not None:
        query = query.where(tuple_(Term.term, Term.id) > tuple_(*last))
    rows = db.session.scalars(query).all()
    more = cursors.written(rows[limit - 1].term, rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more


def terms_for(source: str, target: str) -> Sequence[KnownTerm]:
    """The words that count between two languages, the longest first. No query while nothing changes."""
    found = [
        term
        for term in cached("multilingual:terms", _load)
        if _fits(term.source, source) and _fits(term.target, target)
    ]
    return sorted(found, key=lambda term: -len(term.term))


def used(text: str, source: str, target: str) -> Sequence[KnownTerm]:
    """Those of them that stand in a text."""
    return protect(text, terms_for(source, target)).terms


def checked(draft: TermDraft) -> TermDraft:
    """A word as it is kept. Raises Invalid."""
    term, translation = " ".join(draft.term.split()), " ".join(draft.translation.split())
    note = " ".join(draft.note.split())
    if not term:
        raise Invalid("term", _("Write the word."))
    if not translation and not draft.keep:
        raise Invalid("translation", _("Write the translation, or tick that the word stays as it is."))
    for where, text, length in (
        ("term", term, TERM_LENGTH),
        ("translation", translation, TERM_LENGTH),
        ("note", note, NOTE_LENGTH),
    ):
        if len(text) > length:
            raise Invalid(where, _("This is too long; %(number)s characters fit.", number=length))
    return TermDraft(_code(draft.source, "source"), _code(draft.target, "target"), term, translation, note, draft.keep)


def _code(code: str, where: str) -> str:
    found = languages.tidy(code) if code else ""
    if found is None:
        raise Invalid(where, _("“%(name)s” is no language.", name=code[:40]))
    return found


def _fits(wanted: str, code: str) -> bool:
    return not wanted or wanted == code or wanted == languages.base(code)


def _load() -> Sequence[KnownTerm]:
    rows = db.session.scalars(select(Term).order_by(Term.id).limit(20_000))
    return [KnownTerm(row.id, row.source, row.target, row.term, row.translation, row.note, row.keep) for row in rows]
