"""People: who they are and what they asked."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from helpdesk.core import staff
from helpdesk.core.extensions import db
from helpdesk.core.filters import DEFAULT_SORT, InvalidFilter, TicketFilter
from helpdesk.core.models import User
from helpdesk.core.pages import ticket_page
from helpdesk.core.permissions import require
from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.errors import error_page
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

SIZE = 50


@desk.get("/people")
def people_list() -> str:
    """The customers by name, found by name or address."""
    require(reader(), "person.read")
    text = " ".join(request.args.get("text", "").split())[:200]
    after = request.args.get("after", type=row_number)
    query = select(User).where(User.role == "requester", User.merged_into_id.is_(None))
    query = query.options(joinedload(User.organization))
    if text:
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(User.name.ilike(pattern, escape="\\"), User.email.ilike(pattern, escape="\\")))
    if after is not None:
        query = query.where(User.id < after)
    found = db.session.scalars(query.order_by(User.id.desc()).limit(SIZE + 1)).all()
    more = found[SIZE - 1].id if len(found) > SIZE else None
    return render_template("desk/people.html", people=found[:SIZE], text=text, more=more)


@desk.get("/people/<int:user_id>")
def person(user_id: int) -> Any:
    """One person with the tickets that the reader may see."""
    require(reader(), "person.read")
    query = select(User).where(User.id == user_id).options(joinedload(User.organization))
    found = db.session.scalar(query) if user_id < 2**63 else None
    if found is None:
        abort(404)
    wanted = TicketFilter(requester=(str(found.id),))
    try:
        page = ticket_page(
            reader(), wanted, DEFAULT_SORT, after=request.args.get("after"), before=request.args.get("before"), size=25
        )
    except InvalidFilter as problem:
        return error_page(400, str(problem))
    panels = places.user_panels(found, reader())
    return render_template("desk/person.html", person=found, page=page, panels=panels)


@desk.post("/people/<int:user_id>/mail-arrives")
def mail_arrives(user_id: int) -> Any:
    """Mail to the person had come back; it arrives again."""
    if staff.mail_arrives_again(_to_edit(user_id), reader()):
        flash(_("The address is used again."))
    return redirect(url_for("desk.person", user_id=user_id), 303)


@desk.post("/people/<int:user_id>/wants-care")
def wants_care(user_id: int) -> Any:
    """The person had said that no care mail is wanted; it is again."""
    if staff.wants_care_again(_to_edit(user_id), reader()):
        flash(_("Care mail is sent again."))
    return redirect(url_for("desk.person", user_id=user_id), 303)


def _to_edit(user_id: int) -> User:
    require(reader(), "person.edit")
    found = db.session.get(User, user_id) if user_id < 2**63 else None
    if found is None:
        abort(404)
    return found
