"""The glossary as a CSV file: source, target, term, translation, keep, note."""

from collections.abc import Iterator

from sqlalchemy import select

from helpdesk.api import Invalid, User, audit, db, drop_cached, require, transaction
from helpdesk_multilingual import exchange, glossary
from helpdesk_multilingual.exchange import Outcome
from helpdesk_multilingual.glossary import TermDraft
from helpdesk_multilingual.models import Term
from helpdesk_multilingual.permissions import MANAGE

COLUMNS = ("source", "target", "term", "translation", "keep", "note")
_NEEDED = ("source", "target", "term", "translation")
_YES = ("yes", "true", "1", "x", "on")


def rows() -> Iterator[str]:
    """Every word as a line of CSV."""
    return exchange.lines(COLUMNS, _terms())


def read(data: bytes, actor: User | None) -> Outcome:
    """Keep the words of a file; the same word of the same languages is changed. One transaction; audited.

    ``actor``: None is the command line. Raises ValueError for a file that cannot be used, and NotAllowed.
    """
    if actor is not None:
        require(actor, MANAGE)
    outcome = Outcome()
    with transaction():
        known = {(term.source, term.target, term.term): term for term in db.session.scalars(select(Term))}
        for line, row in exchange.read(data, _NEEDED):
            keep = row.get("keep", "").strip().lower() in _YES
            try:
                draft = glossary.checked(
                    TermDraft(
                        row["source"].strip(),
                        row["target"].strip(),
                        row["term"],
                        row["translation"],
                        row.get("note", ""),
                        keep,
                    )
                )
            except Invalid as problem:
                outcome.skip(line, str(problem))
                continue
            _take(draft, known, outcome)
        db.session.flush()
        audit("multilingual.glossary_imported", actor, "", {"added": outcome.added, "changed": outcome.changed})
        drop_cached()
    return outcome


def _take(draft: TermDraft, known: dict[tuple[str, str, str], Term], outcome: Outcome) -> None:
    key = (draft.source, draft.target, draft.term)
    term = known.get(key)
    values = {"translation": draft.translation, "note": draft.note, "keep": draft.keep}
    if term is None:
        known[key] = term = Term(source=draft.source, target=draft.target, term=draft.term, **values)
        db.session.add(term)
        outcome.added += 1
    elif any(getattr(term, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(term, name, value)
        outcome.changed += 1


def _terms() -> Iterator[tuple[str, ...]]:
    query = select(Term).order_by(Term.term, Term.id)
    for term in db.session.scalars(query.execution_options(yield_per=500)):
        yield term.source, term.target, term.term, term.translation, "yes" if term.keep else "", term.note
