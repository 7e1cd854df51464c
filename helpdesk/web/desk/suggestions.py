"""Answers to start from, which plugins suggest for a ticket."""

from flask import render_template

from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.tickets import ticket_or_404
from helpdesk.web.session import reader


@desk.get("/tickets/<int:number>/suggestions")
def suggestions(number: int) -> str:
    """Loaded after the ticket, since they may take a moment; without a script a page to copy from."""
    ticket = ticket_or_404(number)
    template = "desk/parts/suggestions.html" if wants_part() else "desk/suggestions.html"
    return render_template(template, ticket=ticket, suggestions=places.reply_suggestions(ticket, reader()))
