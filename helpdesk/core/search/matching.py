"""Words in SQL: which tickets, messages and people have them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    cast,
    column,
    intersect,
    literal_column,
    select,
    table,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from helpdesk.core.extensions import db
from helpdesk.core.models import SearchMessage, User
from helpdesk.core.models.search import MESSAGE, PERSON, TICKET
from helpdesk.core.search.query import Term
from helpdesk.core.search.words import words_asked

# Of a word that stands in more places than this, the newest count.
MOST_PLACES = 10_000
# Of so many names that fit the newest are looked through.
MOST_NAMES = 500


def people_criterion(text: str) -> ColumnElement[bool] | None:
    """The users whose name, address or number has all words of a text, the last of which may be a beginning.

    None when the text has no words.
    """
    terms = beginnings(text)
    return User.id.in_(matching(PERSON, terms, MOST_NAMES)) if terms else None


def beginnings(text: str) -> list[Term]:
    """Each word for itself; the last is being typed."""
    parts = [found for part in text.split()[:8] if (found := words_asked(part))[0]]
    terms = [Term(tuple(words), begins) for words, begins in parts]
    if terms and len(terms[-1].words[-1]) > 1:
        terms[-1] = Term(terms[-1].words, True)
    return terms


def tickets_with_all(terms: Sequence[Term]) -> Any:
    """Ids of tickets that have all terms: together in one place, or each somewhere."""
    if len(terms) == 1:
        return tickets_with(terms, MOST_PLACES)
    # SQLite takes no brackets around parts of such a query.
    each = intersect(*(tickets_with([term], MOST_PLACES) for term in terms)).subquery()
    return union(tickets_with(terms, MOST_PLACES), select(next(iter(each.c))))


def tickets_with(terms: Sequence[Term], most: int | None) -> Select[Any]:
    """Ids of tickets that have all terms in their head, or all in one message."""
    named = matching(TICKET, terms, most).subquery()
    said = matching(MESSAGE, terms, most).subquery()
    of_messages = select(SearchMessage.ticket_id.label("id")).join(said, said.c.id == SearchMessage.id)
    both = union_all(select(named.c.id.label("id")), of_messages).subquery()
    return select(both.c.id)


def matching(kind: str, terms: Sequence[Term], most: int | None, any_of_them: bool = False) -> Select[Any]:
    """Ids in the index of a kind that have all terms (or any of them), the newest first."""
    name = f"search_{kind}_words"
    if db.engine.dialect.name == "postgresql":
        words = table(name, column("id"), column("words"))
        asked = (" | " if any_of_them else " & ").join(f"({_tsquery(term)})" for term in terms)
        query = select(words.c.id.label("id")).where(words.c.words.op("@@")(cast(asked, TSQUERY)))
        query = query.order_by(words.c.id.desc())
    else:
        words = table(name, column("rowid"))
        asked = (" OR " if any_of_them else " AND ").join(_fts5(term) for term in terms)
        match = literal_column(name).op("MATCH")(bindparam(None, asked, unique=True))
        query = select(words.c.rowid.label("id")).where(match).order_by(words.c.rowid.desc())
    return query.limit(most) if most is not None else query.order_by(None)


def _fts5(term: Term) -> str:
    """Words hold letters and digits only: nothing in them can end the quotation."""
    return f'"{" ".join(term.words)}"' + (" *" if term.begins else "")


def _tsquery(term: Term) -> str:
    last = len(term.words) - 1
    parts = [f"'{word}'" + (":*" if term.begins and place == last else "") for place, word in enumerate(term.words)]
    return " <-> ".join(parts)
