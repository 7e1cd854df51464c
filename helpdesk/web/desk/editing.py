"""The facts of a ticket, each changed in place."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import labels, statuses, ticket_types, topics, workflow
from helpdesk.core.accounts import AccountError, requester_for
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, Ticket, TicketType, Topic, User
from helpdesk.core.permissions import require
from helpdesk.core.workflow.editing import split_tags
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.history import what_changed
from helpdesk.web.desk.side import side_answer
from helpdesk.web.desk.tickets import ticket_or_404, ticket_response
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

_Row = TypeVar("_Row", Team, User, TicketType, Topic)
Change = Callable[[Ticket, str, User, int | None], Any]


@desk.get("/tickets/<int:number>/edit")
def edit_all(number: int) -> str:
    """Every fact on one page, for readers without a script."""
    found = ticket_or_404(number)
    require(reader(), "ticket.edit", found)
    return render_template(
        "desk/edit.html",
        ticket=found,
        statuses=choices.offered_statuses(reader()),
        teams=choices.teams(),
        agents=choices.agents(),
        types=ticket_types.options(beside=found.type_id),
        topics=topics.options(beside=found.topic_id),
    )


@desk.get("/tickets/<int:number>/menu/<any(team, assignee, type, topic):what>")
def menu(number: int, what: str) -> str:
    """The choices of a menu that is long or changes often."""
    found = ticket_or_404(number)
    offered: Any
    if what in ("type", "topic"):
        offered = ticket_types.options() if what == "type" else topics.options()
    else:
        offered = choices.agents() if what == "assignee" else choices.teams()
    return render_template("desk/parts/menu.html", ticket=found, what=what, choices=offered)


@desk.post("/tickets/<int:number>/set/<any(subject, status, priority, team, assignee, tags, type, topic):what>")
def edit(number: int, what: str) -> Any:
    """Change one fact. A stale form gets the choice, with what changed meanwhile."""
    found = ticket_or_404(number)
    value = request.form.get("value", "")
    try:
        _CHANGES[what](found, value, reader(), request.form.get("version", type=row_number))
    except workflow.Stale as stale:
        changes = what_changed(stale.events)
        return _problem(ticket_or_404(number), what, value, 409, changes=changes)
    except workflow.WorkflowError as problem:
        return _problem(ticket_or_404(number), what, value, 422, sentence=str(problem))
    return _changed(number)


@desk.post("/tickets/<int:number>/fields")
def set_field(number: int) -> Any:
    """Fill in one custom field."""
    found = ticket_or_404(number)
    key, value = request.form.get("key", ""), request.form.get("value", "")
    try:
        workflow.set_field(found, key, value, reader(), request.form.get("version", type=row_number))
    except workflow.Stale as stale:
        return _side(number, what_changed(stale.events), 409, field=(key, value))
    except workflow.WorkflowError as problem:
        return _side(number, [(str(problem), "")], 422, field=(key, value))
    return _side(number)


@desk.post("/tickets/<int:number>/followers")
def add_follower(number: int) -> Any:
    """Let somebody follow: oneself, or the person with an address."""
    found, user = ticket_or_404(number), reader()
    address = request.form.get("email", "").strip()
    try:
        person = requester_for(address) if address else user
        workflow.follow(found, person, user)
    except (AccountError, workflow.WorkflowError) as problem:
        return _side(number, [(str(problem), "")], 422, follower=address)
    return _side(number)


@desk.post("/tickets/<int:number>/followers/<int:user_id>/remove")
def remove_follower(number: int, user_id: int) -> Any:
    """Take somebody off the followers."""
    found = ticket_or_404(number)
    person = db.session.get(User, user_id)
    if person is None:
        abort(404)
    workflow.unfollow(found, person, reader())
    return _side(number)


# ---- one verb for each fact


def _set_team(ticket: Ticket, value: str, actor: User, version: int | None) -> None:
    team = _by_id(Team, value)
    if value and team is None:
        raise workflow.Invalid("team", _("This team is no longer there; choose another."))
    workflow.move(ticket, team, actor, version)


def _set_assignee(ticket: Ticket, value: str, actor: User, version: int | None) -> None:
    agent = _by_id(User, value)
    if value and agent is None:
        raise workflow.Invalid("assignee", _("This agent is no longer there; choose another."))
    workflow.assign(ticket, agent, actor, version)


def _set_type(ticket: Ticket, value: str, actor: User, version: int | None) -> None:
    kind = _by_id(TicketType, value)
    if value and kind is None:
        raise workflow.Invalid("type", _("This type is no longer there; choose another."))
    workflow.set_type(ticket, kind, actor, version)


def _set_topic(ticket: Ticket, value: str, actor: User, version: int | None) -> None:
    topic = _by_id(Topic, value)
    if value and topic is None:
        raise workflow.Invalid("topic", _("This topic is no longer there; choose another."))
    workflow.set_topic(ticket, topic, actor, version)


def _set_tags(ticket: Ticket, value: str, actor: User, version: int | None) -> None:
    workflow.set_tags(ticket, split_tags(value), actor, version)


_CHANGES: dict[str, Change] = {
    "subject": workflow.set_subject,
    "status": workflow.set_status,
    "priority": workflow.set_priority,
    "team": _set_team,
    "assignee": _set_assignee,
    "tags": _set_tags,
    "type": _set_type,
    "topic": _set_topic,
}


# ---- answers


def _changed(number: int) -> Any:
    if not wants_part():
        return redirect(url_for("desk.ticket", number=number), 303)
    answer = make_response("", 204)
    answer.headers["HX-Trigger"] = json.dumps({"ticket-changed": "", "list-changed": ""})
    return answer


def _problem(ticket: Ticket, what: str, value: str, code: int, **more: Any) -> Response:
    template = "desk/parts/problem.html" if wants_part() else "desk/problem.html"
    more = {"changes": [], "sentence": "", "key": "", **more}
    page = render_template(template, ticket=ticket, what=what, value=value, shown=_words(what, value), **more)
    return make_response(page, code)


def _words(what: str, value: str) -> str:
    """The value that was asked for, as people read it."""
    if what == "status":
        names = {status.key: choices.status_label(status) for status in choices.every_status()}
        return names.get(value, value)
    if what == "priority":
        return statuses.priority_label(value)
    if not value and what in (
        nothing := {"team": _("No team"), "assignee": _("Nobody"), "type": _("No type"), "topic": _("No topic")}
    ):
        return nothing[what]
    if what == "type" and (kind := _by_id(TicketType, value)) is not None:
        return ticket_types.label(kind.id, kind.name)
    if what == "topic" and (topic := _by_id(Topic, value)) is not None:
        return topics.full_name(topic.id, topic.name)
    if what == "team" and (team := _by_id(Team, value)) is not None:
        return labels.team_name(team)
    if what == "assignee" and (agent := _by_id(User, value)) is not None:
        return agent.display_name
    return value


def _by_id(model: type[_Row], value: str) -> _Row | None:
    """The row that a form names, or None for what is no number or not there."""
    return db.session.get(model, int(value)) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _side(number: int, problems: Any = (), code: int = 200, **typed: Any) -> Any:
    if not wants_part() and not problems:
        return ticket_response(ticket_or_404(number))
    return side_answer(ticket_or_404(number), problems, code, **typed)
