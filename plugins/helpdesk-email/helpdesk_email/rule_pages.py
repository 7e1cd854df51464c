"""The room of the rules: what is ignored, held or sorted, how often it fitted, and their switches."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import or_, select

from helpdesk.api import (
    PRIORITIES,
    Invalid,
    TicketType,
    Topic,
    audit,
    clean_tags,
    db,
    number_in,
    permission_required,
    pgettext,
    reader,
    split_tags,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_email import rules
from helpdesk_email.blueprint import pages
from helpdesk_email.forms import MailForm
from helpdesk_email.models import BEGINS, CONTAINS, ENDS, HEADER, HOLD, IGNORE, IS, SENDER, SORT, SUBJECT, TEXT, Rule
from helpdesk_email.rooms import MANAGE

_PAGE = 50
# What the ticket gets.
_SORTS = ("priority", "type_id", "topic_id", "tags")
_SAYS = ("part", "header", "how", "pattern", "act", *_SORTS, "active")
# Headers that a person may look at; the rest of RFC 5322's letters are no part of a name.
_HEADER_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


@pages.get("/rules", endpoint="rules")
@permission_required(MANAGE)
def rule_list() -> Any:
    """Every rule in the order in which they are asked, so many on a page; found by words of the pattern."""
    text = " ".join(request.args.get("text", "").split())[:200]
    after = request.args.get("after", "")
    query = select(Rule)
    if text:
        query = query.where(or_(Rule.pattern.icontains(text, autoescape=True), Rule.header == text.lower()))
    if (place := number_in(after)) is not None:
        query = query.where(Rule.position > place)
    found = db.session.scalars(query.order_by(Rule.position, Rule.id).limit(_PAGE + 1)).all()
    behind = found[_PAGE - 1].position if len(found) > _PAGE else None
    return render_template(
        "email/rooms/rules.html", rules=found[:_PAGE], text=text, after=after, behind=behind, say=rules.sentence
    )


@pages.get("/rules/new")
@permission_required(MANAGE)
def new_rule() -> Any:
    """The form of a new rule."""
    return _form(None, {"part": SENDER, "how": IS, "act": IGNORE, "active": True})


@pages.post("/rules/new")
@permission_required(MANAGE)
def add_rule() -> Any:
    """Make a rule."""
    form = _read(MailForm(request.form))
    if form.errors:
        return _form(None, {**form.values, "active": True}, form.errors)
    with transaction():
        rule = Rule(**form.values)
        rules.add(rule)
        _note("email.rule_added", rule)
    flash(_("The rule was added, as the last one."))
    return redirect(url_for("email.rules"), 303)


@pages.get("/rules/<int:rule_id>")
@permission_required(MANAGE)
def rule(rule_id: int) -> Any:
    """One rule."""
    found = _rule(rule_id)
    return _form(found, {key: getattr(found, key) for key in _SAYS})


@pages.post("/rules/<int:rule_id>")
@permission_required(MANAGE)
def save_rule(rule_id: int) -> Any:
    """Change a rule."""
    found, form = _rule(rule_id), _read(MailForm(request.form))
    form.tick("active")
    if form.errors:
        return _form(found, form.values, form.errors)
    with transaction():
        for key, value in form.values.items():
            setattr(found, key, value)
        _note("email.rule_changed", found)
    flash(_("The rule was changed."))
    return redirect(url_for("email.rules"), 303)


@pages.post("/rules/<int:rule_id>/<any(on, off):switch>")
@permission_required(MANAGE)
def switch_rule(rule_id: int, switch: str) -> Any:
    """Switch a rule on or off."""
    found = _rule(rule_id)
    with transaction():
        found.active = switch == "on"
        _note("email.rule_changed", found)
    flash(_("The rule is on.") if switch == "on" else _("The rule is off."))
    return redirect(url_for("email.rules", text=request.args.get("text") or None), 303)


@pages.post("/rules/<int:rule_id>/<any(up, down):way>")
@permission_required(MANAGE)
def order_rule(rule_id: int, way: str) -> Any:
    """Have a rule asked sooner or later."""
    found = _rule(rule_id)
    with transaction():
        rules.move(found, up=way == "up")
        _note("email.rule_moved", found)
    return redirect(url_for("email.rules", after=request.args.get("after") or None), 303)


@pages.get("/rules/<int:rule_id>/delete")
@permission_required(MANAGE)
def confirm_delete_rule(rule_id: int) -> Any:
    """Ask whether a rule is to go."""
    found = _rule(rule_id)
    return render_template(
        "admin/confirm.html",
        heading=_("Delete this rule?"),
        code=rules.sentence(found),
        lead=_("Mail that it kept away comes in again."),
        button=_("Delete"),
        action=url_for("email.delete_rule", rule_id=found.id),
        back=url_for("email.rule", rule_id=found.id),
        danger=True,
    )


@pages.post("/rules/<int:rule_id>/delete")
@permission_required(MANAGE)
def delete_rule(rule_id: int) -> Any:
    """Delete a rule."""
    found = _rule(rule_id)
    with transaction():
        _note("email.rule_deleted", found)
        db.session.delete(found)
    flash(_("The rule was deleted."))
    return redirect(url_for("email.rules"), 303)


def _rule(rule_id: int) -> Rule:
    found = db.session.get(Rule, rule_id) if rule_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _note(action: str, rule: Rule) -> None:
    data: dict[str, Any] = {"act": rule.act, "active": rule.active, "header": rule.header}
    if rule.act == SORT:
        data |= {"priority": rule.priority, "type": rule.type_id, "topic": rule.topic_name, "tags": rule.tags}
    audit(action, reader(), f"{rule.part} {rule.how} {rule.pattern}", data)
    rules.changed()


def _read(form: MailForm) -> MailForm:
    part = form.choice("part", (SENDER, HEADER, SUBJECT, TEXT))
    form.choice("how", (IS, CONTAINS, BEGINS, ENDS))
    form.choice("act", (IGNORE, HOLD, SORT))
    header = form.line("header", longest=100, required=part == HEADER).lower().rstrip(":")
    form.values["header"] = header if part == HEADER else ""
    if part == HEADER and not set(header) <= _HEADER_LETTERS:
        form.refuse("header", _("Enter the name of a header, for example X-Mailer."))
    pattern = form.line("pattern", required=True)
    if part == SENDER:
        form.values["pattern"] = pattern.lower()
        if form.values["how"] == IS and "@" not in pattern:
            form.refuse("pattern", _("Enter an address, or @ and a domain for everybody there."))
    _read_sorting(form)
    return form


def _read_sorting(form: MailForm) -> None:
    """What the ticket gets; of a rule that does something else nothing of it is kept."""
    form.choice("priority", ("", *PRIORITIES))
    form.row("type_id", set(db.session.scalars(select(TicketType.id))))
    topics: dict[int, str] = {number: name for number, name in db.session.execute(select(Topic.id, Topic.name))}
    topic_id = form.row("topic_id", topics)
    form.values["topic_name"] = topics.get(topic_id, "") if topic_id is not None else ""
    # In Chinese lists have a comma of their own.
    typed = form.line("tags").replace("、", ",")
    try:
        form.values["tags"] = ",".join(clean_tags(split_tags(typed)))
    except Invalid as problem:
        form.refuse("tags", str(problem))
    if form.values["act"] != SORT:
        for name in _SORTS:
            form.errors.pop(name, None)
        form.values |= {"priority": "", "type_id": None, "topic_id": None, "topic_name": "", "tags": ""}
    elif not any(form.values[name] or name in form.errors for name in _SORTS):
        form.refuse("act", _("Say what the ticket gets: a priority, a type, a topic or tags."))


def _form(found: Rule | None, values: dict[str, Any], errors: dict[str, str] | None = None) -> Any:
    page = render_template(
        "email/rooms/rule.html",
        rule=found,
        values=values,
        errors=errors or {},
        parts=[
            (SENDER, _("The sender's address")),
            (SUBJECT, _("The subject")),
            (TEXT, _("The text")),
            (HEADER, _("A header")),
        ],
        hows=[
            (IS, pgettext("rule", "is")),
            (CONTAINS, pgettext("rule", "contains")),
            (BEGINS, pgettext("rule", "begins with")),
            (ENDS, pgettext("rule", "ends with")),
        ],
        acts=[
            (IGNORE, _("Ignore it"), _("No ticket; it stays in the log of incoming mail.")),
            (HOLD, _("Hold it"), _("It waits in incoming mail until somebody looks at it.")),
            (SORT, _("Sort it"), _("The ticket that it opens gets what is chosen below.")),
        ],
        priorities=PRIORITIES[::-1],
    )
    return make_response(page, 422 if errors else 200)
