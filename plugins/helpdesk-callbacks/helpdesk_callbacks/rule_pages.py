"""The room of promised calls: rules of follow-ups, reasons with their questions, how many calls each team takes."""

from typing import Any

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import func, or_, select

from helpdesk.api import (
    PRIORITIES,
    Form,
    Invalid,
    Team,
    TicketType,
    audit,
    clean_tags,
    db,
    now,
    permission_required,
    reader,
    settings,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.models import KINDS, FollowUpRule, Reason, TeamCapacity
from helpdesk_callbacks.permissions import MANAGE
from helpdesk_callbacks.settings import CallbackSettings

_MOST = 200
_MOST_CALLS = 200


@pages.get("/rules")
@permission_required(MANAGE)
def rules() -> Any:
    """All three on one page."""
    return _room()


def _room(code: int = 200, **wrong: Any) -> Any:
    chosen = settings(CallbackSettings)
    capacities = {row.team_id: row.most for row in db.session.scalars(select(TeamCapacity))}
    teams = db.session.scalars(
        select(Team).where(Team.active).order_by(func.lower(Team.name), Team.id).limit(_MOST)
    ).all()
    return show(
        "rules.html",
        code,
        rules=db.session.scalars(select(FollowUpRule).order_by(FollowUpRule.name).limit(_MOST)).all(),
        reasons=db.session.scalars(select(Reason).order_by(Reason.position, Reason.id).limit(_MOST)).all(),
        teams=teams,
        capacities=capacities,
        usual=chosen.team_capacity,
        cap=(chosen.follow_up_most, chosen.follow_up_days),
        wrong=wrong,
        most_calls=_MOST_CALLS,
    )


# ---- rules of follow-ups


@pages.get("/rules/new")
@permission_required(MANAGE)
def new_rule() -> Any:
    """The form of a new rule."""
    return _rule_form(None, {"kind": KINDS[0], "days": 3, "active": True})


@pages.post("/rules/new")
@permission_required(MANAGE)
def add_rule() -> Any:
    """Make a rule; tickets that were solved before are left alone."""
    form = _read_rule(None)
    if form.errors:
        return _rule_form(None, {**form.typed, **form.values, "active": True}, form.errors)
    with transaction():
        row = FollowUpRule(**form.values)
        db.session.add(row)
        audit("callbacks.rule_added", reader(), row.name, _told(row))
    flash(_("The rule was added. It counts for tickets that are solved from now on."))
    return redirect(url_for("callbacks.rules"), 303)


@pages.get("/rules/<int:follow_up_id>")
@permission_required(MANAGE)
def rule(follow_up_id: int) -> Any:
    """One rule."""
    row = _rule(follow_up_id)
    columns = ("name", "kind", "days", "team_id", "type_id", "tag", "priority", "reason_id", "words", "active")
    return _rule_form(row, {name: getattr(row, name) for name in columns})


@pages.post("/rules/<int:follow_up_id>")
@permission_required(MANAGE)
def save_rule(follow_up_id: int) -> Any:
    """Change a rule."""
    row, form = _rule(follow_up_id), _read_rule(follow_up_id)
    form.tick("active")
    if form.errors:
        return _rule_form(row, {**form.typed, **form.values}, form.errors)
    with transaction():
        _switched(row, bool(form.values["active"]))
        for name, value in form.values.items():
            setattr(row, name, value)
        audit("callbacks.rule_changed", reader(), row.name, _told(row))
    flash(_("The rule was changed."))
    return redirect(url_for("callbacks.rules"), 303)


@pages.post("/rules/<int:follow_up_id>/<any(on, off):switch>")
@permission_required(MANAGE)
def switch_rule(follow_up_id: int, switch: str) -> Any:
    """Switch a rule on or off."""
    row = _rule(follow_up_id)
    with transaction():
        _switched(row, switch == "on")
        audit("callbacks.rule_changed", reader(), row.name, _told(row))
    flash(_("The rule is on.") if switch == "on" else _("The rule is off."))
    return redirect(url_for("callbacks.rules"), 303)


@pages.get("/rules/<int:follow_up_id>/delete")
@permission_required(MANAGE)
def confirm_delete_rule(follow_up_id: int) -> Any:
    """Ask whether a rule is to go."""
    row = _rule(follow_up_id)
    return show(
        "confirm.html",
        heading=_("Delete the rule “%(name)s”?", name=row.name),
        lead=_("Follow-ups that it has booked stay."),
        button=_("Delete"),
        action=url_for("callbacks.delete_rule", follow_up_id=row.id),
        back=url_for("callbacks.rule", follow_up_id=row.id),
    )


@pages.post("/rules/<int:follow_up_id>/delete")
@permission_required(MANAGE)
def delete_rule(follow_up_id: int) -> Any:
    """Delete a rule."""
    row = _rule(follow_up_id)
    with transaction():
        audit("callbacks.rule_deleted", reader(), row.name)
        db.session.delete(row)
    flash(_("The rule was deleted."))
    return redirect(url_for("callbacks.rules"), 303)


def _switched(row: FollowUpRule, active: bool) -> None:
    """On again, it counts from now: nobody gets what came in between all at once."""
    if active and not row.active:
        row.since = now()
    row.active = active


def _told(row: FollowUpRule) -> dict[str, Any]:
    names = ("kind", "days", "team_id", "type_id", "tag", "priority", "reason_id", "active")
    return {name: getattr(row, name) for name in names}


def _rule(follow_up_id: int) -> FollowUpRule:
    found = db.session.get(FollowUpRule, follow_up_id) if follow_up_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _read_rule(own: int | None) -> Form:
    form = Form(request.form.to_dict())
    name = form.line("name", longest=100, required=True)
    form.choice("kind", KINDS)
    form.number("days", smallest=0, largest=365)
    form.row("team_id", set(db.session.scalars(select(Team.id))))
    form.row("type_id", set(db.session.scalars(select(TicketType.id))))
    form.choice("priority", ("", *PRIORITIES))
    form.row("reason_id", set(db.session.scalars(select(Reason.id))))
    form.text("words", longest=4_000)
    try:
        tags = clean_tags([form.line("tag", longest=100)] if form.typed.get("tag", "").strip() else [])
        form.values["tag"] = tags[0] if tags else ""
    except Invalid as problem:
        form.refuse("tag", str(problem))
    if name and db.session.scalar(select(FollowUpRule.id).where(FollowUpRule.name == name)) not in (None, own):
        form.refuse("name", _("There is a rule with this name already; choose another one."))
    return form


def _rule_form(row: FollowUpRule | None, values: dict[str, Any], errors: dict[str, str] | None = None) -> Any:
    kinds = [
        ("call", _("A call"), _("Somebody of the team calls; the customer is not told before.")),
        ("mail", _("A mail that asks"), _("Only to customers who want such mail.")),
    ]
    return show(
        "rule.html",
        422 if errors else 200,
        rule=row,
        values=values,
        errors=errors or {},
        kinds=kinds,
        teams=[("", _("Every team")), *_named(Team, values.get("team_id"))],
        types=[("", _("Every type")), *_named(TicketType, values.get("type_id"))],
        reasons=[("", _("None of these")), *_named(Reason, values.get("reason_id"))],
        priorities=PRIORITIES,
    )


def _named(model: Any, present: int | None) -> list[tuple[Any, str]]:
    """Those that can be chosen; the present one as well, so that saving never widens a rule unseen."""
    offered = or_(model.active, model.id == present) if isinstance(present, int) else model.active
    found = db.session.execute(select(model.id, model.name).where(offered).order_by(model.name).limit(_MOST))
    return [(row.id, row.name) for row in found]


# ---- reasons


@pages.post("/reasons")
@permission_required(MANAGE)
def add_reason() -> Any:
    """Make a reason, as the last one."""
    form = _read_reason(None)
    if form.errors:
        return _room(422, reason=None, typed=form.typed, errors=form.errors)
    with transaction():
        last = db.session.scalar(select(func.max(Reason.position)))
        db.session.add(Reason(**form.values, position=(last or 0) + 1))
        audit("callbacks.reason_added", reader(), form.values["name"])
    flash(_("The reason was added."))
    return redirect(url_for("callbacks.rules", _anchor="reasons"), 303)


@pages.post("/reasons/<int:reason_id>")
@permission_required(MANAGE)
def save_reason(reason_id: int) -> Any:
    """Change a reason, its questions, and whether it is offered."""
    row, form = _reason(reason_id), _read_reason(reason_id)
    form.tick("active")
    if form.errors:
        return _room(422, reason=reason_id, typed=form.typed, errors=form.errors)
    with transaction():
        for name, value in form.values.items():
            setattr(row, name, value)
        audit("callbacks.reason_changed", reader(), row.name, {"active": row.active})
    flash(_("The reason was changed."))
    return redirect(url_for("callbacks.rules", _anchor="reasons"), 303)


@pages.post("/reasons/<int:reason_id>/<any(up, down):way>")
@permission_required(MANAGE)
def order_reason(reason_id: int, way: str) -> Any:
    """Offer a reason sooner or later."""
    row = _reason(reason_id)
    with transaction():
        rows = list(db.session.scalars(select(Reason).order_by(Reason.position, Reason.id)))
        place = rows.index(row)
        target = max(0, min(len(rows) - 1, place + (-1 if way == "up" else 1)))
        rows.insert(target, rows.pop(place))
        for number, one in enumerate(rows):
            one.position = number
        audit("callbacks.reason_moved", reader(), row.name)
    return redirect(url_for("callbacks.rules", _anchor="reasons"), 303)


def _reason(reason_id: int) -> Reason:
    found = db.session.get(Reason, reason_id) if reason_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _read_reason(own: int | None) -> Form:
    form = Form(request.form.to_dict())
    name = form.line("name", longest=100, required=True)
    form.text("questions", longest=4_000)
    if name and db.session.scalar(select(Reason.id).where(Reason.name == name)) not in (None, own):
        form.refuse("name", _("There is a reason with this name already; choose another one."))
    return form


# ---- how many calls a team takes


@pages.post("/teams/<int:team_id>/capacity")
@permission_required(MANAGE)
def save_capacity(team_id: int) -> Any:
    """How many calls a team takes at the same time; nothing typed is what the settings say."""
    team = db.session.get(Team, team_id) if team_id < 2**31 else None
    if team is None:
        abort(404)
    form = Form(request.form.to_dict())
    most = form.number("most", smallest=1, largest=_MOST_CALLS) if form.typed.get("most", "").strip() else None
    if form.errors:
        return _room(422, team=team_id, typed=form.typed, errors=form.errors)
    with transaction():
        row = db.session.get(TeamCapacity, team_id)
        if most is None and row is not None:
            db.session.delete(row)
        elif most is not None and row is not None:
            row.most = most
        elif most is not None:
            db.session.add(TeamCapacity(team_id=team_id, most=most))
        audit("callbacks.capacity_changed", reader(), team.name, {"most": most})
    flash(_("Saved."))
    return redirect(url_for("callbacks.rules", _anchor="capacity"), 303)
