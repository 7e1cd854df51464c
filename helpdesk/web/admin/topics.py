"""What tickets are about: the tree of topics."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from helpdesk.core import labels, topics
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, Topic
from helpdesk.core.workflow import Invalid
from helpdesk.web.admin import names
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import PLACES
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@admin.get("/topics")
@needs("field.edit")
def topic_list() -> Any:
    """The tree, with a form for one more topic."""
    return _tree({"parent": request.args.get("parent", "")}, {})


@admin.post("/topics")
@needs("field.edit")
def add_topic() -> Any:
    """Add a topic."""
    try:
        parent = _parent()
        topics.add_topic(request.form.get("name", ""), parent, reader(), public="public" in request.form)
    except Invalid as problem:
        return _tree(request.form.to_dict(), {problem.field: str(problem)})
    flash(_("The topic was added."))
    return redirect(url_for("admin.topic_list", parent=parent.id if parent is not None else None), 303)


@admin.get("/topics/<int:topic_id>")
@needs("field.edit")
def topic(topic_id: int) -> Any:
    """One topic."""
    found = _topic(topic_id)
    return _form(found, _values(found), {})


@admin.post("/topics/<int:topic_id>")
@needs("field.edit")
def save_topic(topic_id: int) -> Any:
    """Rename a topic, put it somewhere else in the tree, switch it on or off."""
    found, form = _topic(topic_id), request.form
    values: dict[str, Any] = {
        "name": form.get("name", ""),
        "active": "active" in form,
        "public": "public" in form,
    }
    try:
        topics.change_topic(found, reader(), parent=_parent(), texts=names.typed(), **values)
    except Invalid as problem:
        typed = {**values, "parent": form.get("parent", ""), "texts": names.typed()}
        return _form(_topic(topic_id), typed, {problem.field: str(problem)})
    flash(_("The topic was changed."))
    return redirect(url_for("admin.topic_list"), 303)


@admin.post("/topics/<int:topic_id>/<any(up, down):way>")
@needs("field.edit")
def order_topic(topic_id: int, way: str) -> Any:
    """Move a topic among its neighbours."""
    topics.move_topic(_topic(topic_id), PLACES[way], reader())
    return redirect(url_for("admin.topic_list", _anchor=f"topic-{topic_id}"), 303)


@admin.post("/topics/<int:topic_id>/delete")
@needs("field.edit")
def delete_topic(topic_id: int) -> Any:
    """Delete a topic; its tickets get another one."""
    found = _topic(topic_id)
    number = request.form.get("into", type=row_number)
    into = db.session.get(Topic, number) if number else None
    if number and into is None:
        return _form(found, _values(found), {"into": _("This topic is no longer there; choose another.")})
    try:
        count = topics.delete_topic(found, into, reader())
    except Invalid as problem:
        return _form(_topic(topic_id), _values(_topic(topic_id)), {"into": str(problem)})
    flash(
        ngettext(
            "The topic was deleted; %(num)s ticket has another one now.",
            "The topic was deleted; %(num)s tickets have another one now.",
            count,
        )
    )
    return redirect(url_for("admin.topic_list"), 303)


def _topic(topic_id: int) -> Topic:
    found = db.session.get(Topic, topic_id) if topic_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _parent() -> Topic | None:
    number = request.form.get("parent", type=row_number)
    found = db.session.get(Topic, number) if number else None
    if number and found is None:
        raise Invalid("parent", _("This topic is no longer there; choose another."))
    return found


def _counts() -> dict[int | None, int]:
    rows = db.session.execute(select(Ticket.topic_id, func.count()).group_by(Ticket.topic_id))
    return {number: count for number, count in rows}


def _values(found: Topic) -> dict[str, Any]:
    values = {"name": found.name, "parent": found.parent_id or "", "active": found.active, "public": found.public}
    return {**values, "texts": labels.texts(labels.TOPIC, found.id)}


def _tree(values: dict[str, str], errors: dict[str, str]) -> Any:
    tree = topics.every()
    parents = [one for one in tree if one.depth < topics.DEPTH]
    page = render_template(
        "admin/topics.html",
        tree=tree,
        neighbours={one.parent_id: [each.id for each in tree if each.parent_id == one.parent_id] for one in tree},
        parents=[(one.id, topics.full_name(one.id)) for one in parents],
        own_name=topics.own_name,
        counts=_counts(),
        values=values,
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)


def _form(found: Topic, values: dict[str, Any], errors: dict[str, str]) -> Any:
    family = set(topics.below(found.id))
    others = [(one.id, topics.full_name(one.id)) for one in topics.every() if one.id not in family]
    page = render_template(
        "admin/topic.html",
        topic=found,
        values=values,
        errors=errors,
        others=others,
        above=topics.full_name(found.parent_id),
        tickets=db.session.scalar(select(func.count()).where(Ticket.topic_id == found.id)),
        languages=names.languages(values["texts"]),
    )
    return make_response(page, 422 if errors else 200)
