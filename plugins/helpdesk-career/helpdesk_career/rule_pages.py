"""Rules as administrators keep them: what levels and certificates open, are needed for, and take."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import PRIORITIES, TicketType, Topic, db, number_in, permission_labels, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_career import ladder, rules, words
from helpdesk_career.blueprint import pages, row_of, show, trial
from helpdesk_career.models import OPENS, Rule
from helpdesk_career.offering import certificates
from helpdesk_career.permissions import MANAGE


@pages.get("/rules")
@permission_required(MANAGE)
def rule_list() -> Any:
    """All rules."""
    return show("rules.html", rules=rules.listed(), labels=permission_labels())


@pages.get("/rules/new/<any(opens, needs, takes):act>")
@permission_required(MANAGE)
def new_rule(act: str) -> Any:
    """The form of a new rule."""
    return _form(None, act)


@pages.post("/rules/new/<any(opens, needs, takes):act>")
@permission_required(MANAGE)
def add_rule(act: str) -> Any:
    """Make a rule."""
    return _save(None, act)


@pages.get("/rules/<int:right_id>")
@permission_required(MANAGE)
def rule(right_id: int) -> Any:
    """One rule."""
    row = row_of(Rule, right_id)
    return _form(row, row.act)


@pages.post("/rules/<int:right_id>")
@permission_required(MANAGE)
def save_rule(right_id: int) -> Any:
    """Change a rule, or take it away."""
    row = row_of(Rule, right_id)
    if request.form.get("do") == "remove":
        rules.remove(row, reader())
        flash(_("Removed."))
        return redirect(url_for("career.rule_list"), 303)
    return _save(row, row.act)


def _save(row: Rule | None, act: str) -> Any:
    number = row.id if row is not None else None
    errors = trial(lambda: rules.save(row, _values(act), reader()))
    if errors:
        return _form(row_of(Rule, number) if number is not None else None, act, errors)
    flash(_("Saved. It holds at once."))
    return redirect(url_for("career.rule_list"), 303)


def _values(act: str) -> dict[str, Any]:
    form = request.form
    kind, _bar, key = form.get("who", "").partition(":")
    return {
        "act": act,
        "level_id": number_in(key) if kind == "level" else None,
        "certificate": key if kind == "certificate" else "",
        "permission": form.get("permission", ""),
        "type_id": number_in(form.get("type_id")),
        "topic_id": number_in(form.get("topic_id")),
        "tag": form.get("tag", ""),
        "priority": form.get("priority", ""),
        "gives": "gives" in form,
    }


def _form(row: Rule | None, act: str, errors: dict[str, str] | None = None) -> Any:
    who = [(f"level:{one.id}", words.full_name(one)) for track in ladder.tracks(retired=True) for one in track.levels]
    who += [(f"certificate:{key}", one.label) for key, one in certificates().items()]
    chosen = "" if row is None else f"level:{row.level_id}" if row.level_id else f"certificate:{row.certificate}"
    if chosen and chosen not in {value for value, _label in who}:
        who.append((chosen, row.certificate_label if row is not None else chosen))
    typed: Any = request.form if errors else {}
    return show(
        "rule.html",
        422 if errors else 200,
        rule=row,
        act=act,
        who=[("", _("Choose")), *who],
        chosen=typed.get("who", "") if errors else chosen,
        permissions=[("", _("Choose")), *(rules.openable() if act == OPENS else rules.needable())],
        types=[("", _("Any")), *_named(TicketType)],
        topics=[("", _("Any")), *_named(Topic)],
        priorities=[("", _("Any")), *((one, _priority(one)) for one in PRIORITIES)],
        values=typed if errors else row or {},
        gives=("gives" in typed) if errors else row.gives if row is not None else True,
        errors={("who" if key in ("level_id", "certificate") else key): text for key, text in (errors or {}).items()},
    )


def _named(model: Any) -> list[tuple[int, str]]:
    rows = db.session.scalars(db.select(model).where(model.active).order_by(model.id)).all()
    return [(one.id, one.name) for one in rows]


def _priority(name: str) -> str:
    return {"low": _("Low"), "normal": _("Normal"), "high": _("High"), "urgent": _("Urgent")}.get(name, name)
