"""One search over tickets, messages, people and names of files.

``words`` takes texts apart, ``index`` keeps the index up to date, ``query`` reads what people type, ``finding`` finds.
"""

from helpdesk.core.search.finding import (
    Excerpt,
    excerpts_of,
    people_found,
    ticket_ids_criterion,
    tickets_named,
)
from helpdesk.core.search.index import forget, mark, mark_messages, mark_people, mark_tickets
from helpdesk.core.search.query import Query, parse

__all__ = [
    "Excerpt",
    "Query",
    "excerpts_of",
    "forget",
    "mark",
    "mark_messages",
    "mark_people",
    "mark_tickets",
    "parse",
    "people_found",
    "ticket_ids_criterion",
    "tickets_named",
]
