"""What other people speak: customers, for everybody on the desk; colleagues, for those who look after languages."""

from typing import Any

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select

from helpdesk.api import User, allowed, db, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_multilingual import agents, choosing, speech
from helpdesk_multilingual.blueprint import pages, person_of, show
from helpdesk_multilingual.me_pages import read_rows, rows_of
from helpdesk_multilingual.models import AgentLanguage
from helpdesk_multilingual.permissions import MANAGE, USE

_SIZE = 50


@pages.get("/people")
@permission_required(MANAGE)
def staff() -> Any:
    """Which colleague speaks what. Two queries, and a page of people by their number."""
    after = number_in(request.args.get("after")) or 0
    query: Any = select(User).where(User.id > after, User.role != "requester", User.active, User.is_service.is_(False))
    people = list(db.session.scalars(query.order_by(User.id).limit(_SIZE + 1)))
    more, people = people[_SIZE - 1].id if len(people) > _SIZE else None, people[:_SIZE]
    spoken: dict[int, list[AgentLanguage]] = {}
    rows = select(AgentLanguage).where(AgentLanguage.user_id.in_([person.id for person in people]))
    for row in db.session.scalars(rows.order_by(AgentLanguage.language)):
        spoken.setdefault(row.user_id, []).append(row)
    return show("staff.html", people=people, spoken=spoken, more=more)


@pages.get("/people/<int:user_id>")
@permission_required(USE)
def person(user_id: int) -> Any:
    """The form for one person."""
    return _page(_person(user_id))


@pages.post("/people/<int:user_id>")
@permission_required(USE)
def save_person(user_id: int) -> Any:
    """Say what language a customer writes in, or which ones a colleague has."""
    found = _person(user_id)
    if found.is_staff:
        spoken, problem = read_rows()
        if problem:
            return _page(found, 422, rows=spoken, problem=problem)
        agents.save(found, dict(spoken), reader())
        flash(_("The languages of %(name)s were saved.", name=found.display_name))
        return redirect(url_for("multilingual.staff"), 303)
    language = choosing.read(request.form, "language")
    if request.form.get("language") and not language:
        return _page(found, 422, problem=_("Choose one of the list."))
    speech.set_person(found, language, reader())
    flash(_("The language of %(name)s was saved.", name=found.display_name))
    return redirect(url_for("desk.person", user_id=found.id), 303)


def _person(user_id: int) -> User:
    found = person_of(user_id)
    if found.is_staff and found.id != reader().id and not allowed(reader(), MANAGE):
        abort(403)
    return found


def _page(found: User, code: int = 200, **wrong: Any) -> Any:
    if found.is_staff:
        return show("person_staff.html", code, person=found, **{**rows_of(found), **wrong})
    language, is_chosen = speech.of_person(found)
    chosen = language or "" if is_chosen else ""
    return show("person.html", code, person=found, language=chosen, heard=language, **{"problem": "", **wrong})
