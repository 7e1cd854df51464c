from flask import Blueprint, abort, redirect, render_template, request
from flask_login import current_user

from helpdesk.api import (
    MessageDraft,
    NotAllowed,
    Refused,
    TicketDraft,
    allowed,
    clean_html,
    db,
    desk_url,
    find_ticket,
    follow,
    gettext,
    html_to_text,
    ngettext,
    open_ticket,
    pgettext,
    reply,
    requester_for,
    require,
    set_priority,
    set_subject,
    store_bytes,
    text_to_html,
    visible_tickets,
)

blueprint = Blueprint("parcels", __name__)


@blueprint.before_request
def only_who_may():
    if not current_user.is_authenticated or not allowed(current_user, "parcels.see"):
        abort(403)


@blueprint.get("/")
def index():
    count = len(db.session.scalars(visible_tickets(current_user)).all())
    said = ngettext("%(num)s ticket", "%(num)s tickets", count)
    return f"{gettext('Parcels')}: {said} {pgettext('parcel', 'Open')}"


@blueprint.get("/<int:number>")
def one(number):
    ticket = find_ticket(current_user, number)
    if ticket is None:
        abort(404)
    return render_template("parcels/panel.html", ticket=ticket, parcels=[], words=html_to_text(clean_html("<b>ok</b>")))


@blueprint.post("/new")
def new():
    require(current_user, "parcels.see")
    person = requester_for(request.form["email"], "Parcel person")
    draft = TicketDraft(
        subject=request.form["subject"],
        requester_id=person.id,
        text=request.form["text"],
        html=text_to_html(request.form["text"]),
        files=[store_bytes(b"label", "label.txt", "text/plain")],
        priority="high",
    )
    try:
        ticket = open_ticket(draft, current_user)
        set_priority(ticket, "urgent", current_user)
        set_subject(ticket, ticket.subject + "!", current_user, version=ticket.version)
        follow(ticket, current_user, current_user)
        reply(ticket, MessageDraft(text="It is on its way."), current_user)
    except (Refused, NotAllowed) as error:
        return str(error), 409
    return redirect(desk_url(ticket))
