"""One box over tickets, messages, people and names of files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template, request
from werkzeug.wrappers import Response

from helpdesk.core import search as index
from helpdesk.core.filters import DEFAULT_SORT, InvalidFilter, TicketFilter
from helpdesk.core.models import Ticket, User
from helpdesk.core.models.columns import storable
from helpdesk.core.pages import ticket_page
from helpdesk.core.search.conditions import problems
from helpdesk.core.search.marking import Part, marked
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.errors import error_page
from helpdesk.web.session import reader

SIZE = 25
# As long as a filter takes, so that every search can be kept as a view.
LENGTH = 200


@dataclass(frozen=True)
class Hit:
    """A ticket that was found: its subject with the words marked, and where they stand in its conversation."""

    ticket: Ticket
    subject: Sequence[Part]
    excerpt: index.Excerpt | None


@dataclass(frozen=True)
class Results:
    """What the page shows."""

    hits: Sequence[Hit]
    people: Sequence[User]
    before: str | None
    after: str | None
    # What of the search makes no sense.
    problems: Sequence[str]


@desk.get("/search")
def search() -> str | Response:
    """The page of the search, with what ``?q=`` finds."""
    text = words_of(request.args)
    try:
        results = _results(text) if text else None
    except InvalidFilter as problem:
        return error_page(400, str(problem))
    return render_template("desk/search.html", text=text, results=results)


def words_of(args: Mapping[str, str]) -> str:
    """What was typed into the box, in one line."""
    return " ".join(storable(args.get("q", "")).split())[:LENGTH]


def _results(text: str) -> Results:
    user, query = reader(), index.parse(text)
    after, before = request.args.get("after") or None, request.args.get("before") or None
    page = ticket_page(user, TicketFilter(search=text), DEFAULT_SORT, after=after, before=before, size=SIZE)
    tickets = [row.ticket for row in page.rows]
    excerpts = index.excerpts_of(query, [ticket.id for ticket in tickets])
    hits = [Hit(ticket, marked(ticket.subject, query.terms), excerpts.get(ticket.id)) for ticket in tickets]
    # People are named once, and by words alone: they have no status.
    wanted = query.terms and not query.conditions and not query.without and not (after or before)
    people = index.people_found(query.plain, user) if wanted else []
    return Results(hits, people, page.before, page.after, problems(query, user))
