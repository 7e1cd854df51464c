"""What customers are asked when a ticket is solved: whether it is, with a link for yes and one for no."""

from flask_babel import gettext as _
from markupsafe import Markup

from helpdesk.core import links
from helpdesk.core.drafts import OutgoingMessage
from helpdesk.core.markup import text_to_html
from helpdesk.core.models import Ticket, User


def solved(outgoing: OutgoingMessage, ticket: Ticket, user: User, desk: str) -> None:
    """The mail of a ticket that was solved without an answer beside it."""
    subject = outgoing.subject
    outgoing.subject = _("Is it solved? %(subject)s", subject=subject)
    outgoing.text = _(
        "%(desk)s thinks that your ticket “%(subject)s” (number %(number)s) is solved.",
        desk=desk,
        subject=subject,
        number=ticket.number,
    )
    outgoing.html = text_to_html(outgoing.text)
    ask(outgoing, ticket, user)


def ask(outgoing: OutgoingMessage, ticket: Ticket, user: User) -> None:
    """Add the question with its two links, below what the message says. Opening a link alone changes nothing."""
    question = _("Is your question solved?")
    answers = [
        (_("Yes, it is solved"), links.solved_url(ticket, user)),
        (_("No, open it again"), links.unsolved_url(ticket, user)),
    ]
    lines = [_("%(answer)s: %(link)s", answer=answer, link=link) for answer, link in answers]
    outgoing.text = "\n\n".join(filter(None, [outgoing.text.rstrip(), "\n".join([question, *lines])]))
    anchors = Markup("<br>").join(Markup('<a href="{}">{}</a>').format(link, answer) for answer, link in answers)
    outgoing.html = f"{outgoing.html}{Markup('<p>{}<br>{}</p>').format(question, anchors)}"
