"""A ticket: its conversation, what is new on it, and that it was read."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from werkzeug.wrappers import Response

from helpdesk.core import merges, reply_drafts, workflow
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Intake, Message, ReplyDraft, Tag, Ticket
from helpdesk.core.models.tag import ticket_tag
from helpdesk.core.notifications import reading
from helpdesk.core.permissions import allowed, visible_tickets
from helpdesk.plugins import manager
from helpdesk.web import places
from helpdesk.web.desk import choices, composer, copies, together_words
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.copies import Sending
from helpdesk.web.desk.history import Entry, timeline
from helpdesk.web.desk.onward import notice_of, way_on
from helpdesk.web.message_html import html_of
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

# What a page holds at first; the rest is one click away.
MESSAGES, EVENTS = 60, 400
ALL_MESSAGES, ALL_EVENTS = 2000, 8000


@dataclass(frozen=True)
class Conversation:
    """What the conversation pane shows."""

    entries: Sequence[Entry]
    earlier: bool
    newest: int
    # What became of the copies that went out, by message.
    sendings: Mapping[int, Sending]
    # Messages whose sender's domain says that it did not send them.
    disproved: Set[int]
    # Messages that a program wrote.
    automatic: Set[int]
    # From which ticket the messages of a merge came.
    origins: Mapping[int, int]
    # What plugins say of messages, by message.
    blocks: Mapping[int, Sequence[places.Block]]


@desk.get("/tickets/<int:number>")
def ticket(number: int) -> Any:
    """A ticket with its conversation and composer; the list and the panels load beside it. A merged one leads on."""
    found = ticket_or_404(number)
    if (onward := way_on(found)) is not None:
        return onward
    drafts = reply_drafts.of_ticket(found)
    return ticket_page(found, _composer(found, drafts), drafts=drafts)


@desk.get("/tickets/<int:number>/conversation")
def conversation(number: int) -> str:
    """The conversation as it is now, with the header and the version that go with it."""
    found = ticket_or_404(number)
    return render_template("desk/parts/conversation_news.html", **_shown(found))


@desk.get("/tickets/<int:number>/news")
def news(number: int) -> str | tuple[str, int]:
    """A mark that others did something after ``?since=<event>``; 204 when nobody did."""
    found = ticket_or_404(number)
    rows = db.session.execute(
        select(Event.kind, func.count())
        .where(
            Event.ticket_id == found.id,
            Event.id > request.args.get("since", 0, type=row_number),
            Event.actor_id.is_distinct_from(reader().id),
        )
        .group_by(Event.kind)
    )
    counts = {kind: count for kind, count in rows}
    if not counts:
        return "", 204
    messages = counts.pop("message_added", 0)
    return render_template("desk/parts/news.html", ticket=found, messages=messages, changes=sum(counts.values()))


@desk.post("/tickets/<int:number>/read")
def read(number: int) -> tuple[str, int]:
    """Note that the reader has seen the ticket: asked for by the page, since a GET never writes."""
    found, user = ticket_or_404(number), reader()
    workflow.mark_read(found, user)
    reading.mark_ticket_read(user, found)
    return "", 204


def ticket_or_404(number: int) -> Ticket:
    """The ticket with all that its header shows, in one query. Not yours and not there are the same 404."""
    query = (
        visible_tickets(reader())
        .where(Ticket.id == number)
        .options(
            joinedload(Ticket.status),
            joinedload(Ticket.requester),
            joinedload(Ticket.assignee),
            joinedload(Ticket.last_author),
            joinedload(Ticket.team),
            contains_eager(Ticket.tags),
        )
        # Joined one by one: SQLite would put the tags of all tickets together before it joins two tables at once.
        .outerjoin(ticket_tag, ticket_tag.c.ticket_id == Ticket.id)
        .outerjoin(Tag, Tag.id == ticket_tag.c.tag_id)
        .order_by(Tag.name)
    )
    found = db.session.execute(query).unique().scalar_one_or_none() if number < 2**63 else None
    if found is None:
        abort(404)
    return found


def _composer(found: Ticket, drafts: Sequence[ReplyDraft]) -> composer.Composer:
    """What the reader has begun, or with ``?from=<message>`` what came by mail from one of us and is a note."""
    number = request.args.get("from", 0, type=row_number)
    message = db.session.get(Message, number) if 0 < number < 2**63 else None
    if message is None or message.ticket_id != found.id or not composer.can_be_sent_on(message):
        return composer.going_on(found, reader(), drafts, request.args.get("draft", ""))
    return composer.sending_on(found, reader(), message, drafts)


def ticket_page(
    found: Ticket, state: composer.Composer, status: int = 200, drafts: Sequence[ReplyDraft] | None = None
) -> Any:
    """The whole page, or only the pane when a click in the list asks for it."""
    template = "desk/parts/ticket_pane.html" if wants_part() else "desk/ticket.html"
    page = render_template(template, composer=state, view_key=view_key(), **_shown(found, drafts))
    return page if status == 200 else make_response(page, status)


def ticket_response(found: Ticket, anchor: str = "") -> Response:
    """Back to the ticket after a plain POST."""
    return redirect(url_for("desk.ticket", number=found.id, _anchor=anchor or None), 303)


def view_key() -> str:
    """The list that is shown beside a ticket, as the address or the form says."""
    key = request.form.get("view") or request.args.get("view", "mine")
    return key if key.isascii() and key.replace("-", "").isalnum() and len(key) <= 40 else "mine"


def _shown(found: Ticket, drafts: Sequence[ReplyDraft] | None = None) -> dict[str, Any]:
    user = reader()
    drafts = reply_drafts.of_ticket(found) if drafts is None else drafts
    return {
        "held": [draft for draft in reversed(drafts) if draft.send_at is not None or draft.problem],
        "moment": now(),
        "ticket": found,
        "conversation": _conversation(found),
        "together": notice_of(found),
        "status_choices": choices.offered_statuses(user),
        "editable": allowed(user, "ticket.edit") and not found.is_closed,
        "channel_words": channel_words(found.channel),
        "actions": places.ticket_actions(found, user),
        "badges": places.ticket_badges([found], user),
    }


def _conversation(found: Ticket) -> Conversation:
    everything = "all" in request.args
    limit, most = (ALL_MESSAGES, ALL_EVENTS) if everything else (MESSAGES, EVENTS)
    rows = db.session.execute(
        select(Message, Intake.verified, Intake.machine)
        .outerjoin(Intake, Intake.id == Message.intake_id)
        .where(workflow.conversation(found))
        .options(joinedload(Message.author), selectinload(Message.attachments))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(limit + 1)
    ).all()
    earlier, rows = len(rows) > limit, rows[:limit]
    events = db.session.scalars(
        select(Event)
        .where(Event.ticket_id == found.id)
        .options(joinedload(Event.actor), joinedload(Event.message).load_only(Message.id))
        .order_by(Event.id.desc())
        .limit(most)
    ).all()
    newest = events[0].id if events else 0
    if earlier:
        events = [event for event in events if event.created_at >= rows[-1][0].created_at]
    messages = [message for message, _verified, _machine in rows]
    together_words.look_up(events)
    return Conversation(
        timeline(messages, events),
        earlier,
        newest,
        copies.of_messages(found, [message.id for message in messages]),
        {message.id for message, verified, _machine in rows if verified is False and not message.verified},
        {message.id for message, _verified, machine in rows if machine},
        merges.origins({message.merge_id for message in messages if message.merge_id is not None}, reader()),
        places.message_blocks(found, messages, reader()),
    )


def channel_words(channel: str) -> str:
    """How a ticket came in, for its header."""
    words = {"web": _("by the form"), "email": _("by e-mail"), "desk": _("added here"), "phone": _("by phone")}
    words["counter"] = _("at the counter")
    if channel in words:
        return words[channel]
    known = {found.item.name: found.item for found in manager.current().contributions("register_channels")}
    return str(known[channel].label) if channel in known else channel


@desk.app_template_filter()
def message_html(message: Message) -> Markup:
    """What a person wrote, as harmless HTML; pictures that came with it are read from its attachments."""
    return html_of(message, lambda number: url_for("desk.attachment", attachment_id=number, show=1))
