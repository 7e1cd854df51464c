"""Rules: who is given a course or a path by itself."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Form, Invalid, db, number_in, permission_required, reader, settings
from helpdesk.api import gettext as _
from helpdesk_training import looking
from helpdesk_training import rules as keeping
from helpdesk_training.blueprint import pages, show
from helpdesk_training.models import GROUP, KINDS, LOW, OCCASIONS, ROLE, TEAM, Rule
from helpdesk_training.permissions import WRITE
from helpdesk_training.settings import TrainingSettings

_ROLES = ("agent", "supervisor", "admin")


@pages.get("/manage/rules")
@permission_required(WRITE)
def rules() -> Any:
    """All rules, those that are on first."""
    return show("rules.html", rules=looking.all_rules(), groups=dict(_groups()))


@pages.get("/manage/rules/new")
@permission_required(WRITE)
def new_rule() -> Any:
    """The form of a new rule."""
    usual = settings(TrainingSettings).due_days
    return _form(None, {"occasion": ROLE, "role": "agent", "due_days": usual, "most": 2, "times": 1, "days": 30,
                        "kind": "csat"})  # fmt: skip


@pages.post("/manage/rules/new")
@permission_required(WRITE)
def add_rule() -> Any:
    """Make a rule; it counts at once."""
    return _save(None)


@pages.get("/manage/rules/<int:course_rule_id>")
@permission_required(WRITE)
def rule(course_rule_id: int) -> Any:
    """What a rule says."""
    row = _rule(course_rule_id)
    names = ("name", "occasion", "role", "team_id", "group_key", "kind", "most", "tag", "times", "days", "course_id",
             "path_id", "due_days")  # fmt: skip
    return _form(row, {name: getattr(row, name) for name in names})


@pages.post("/manage/rules/<int:course_rule_id>")
@permission_required(WRITE)
def save_rule(course_rule_id: int) -> Any:
    """Change it; what was assigned stays."""
    return _save(_rule(course_rule_id))


@pages.post("/manage/rules/<int:course_rule_id>/<any(on, off):switch>")
@permission_required(WRITE)
def switch_rule(course_rule_id: int, switch: str) -> Any:
    """Switch a rule on or off."""
    try:
        keeping.switch(_rule(course_rule_id), switch == "on", reader())
    except Invalid as problem:
        db.session.rollback()
        flash(str(problem), "error")
    else:
        flash(_("The rule is on.") if switch == "on" else _("The rule is off. What was assigned stays."))
    return redirect(url_for("training.rules"), 303)


@pages.post("/manage/rules/<int:course_rule_id>/delete")
@permission_required(WRITE)
def delete_rule(course_rule_id: int) -> Any:
    """Take a rule out for good."""
    keeping.delete(_rule(course_rule_id), reader())
    flash(_("The rule is gone. What was assigned stays."))
    return redirect(url_for("training.rules"), 303)


def _read(row: Rule | None) -> Form:
    form = Form(request.form.to_dict())
    form.line("name", longest=100, required=True)
    occasion = form.choice("occasion", OCCASIONS)
    form.values |= {"role": "", "team_id": None, "group_key": "", "kind": "csat", "most": 2, "tag": "", "times": 1,
                    "days": 30}  # fmt: skip
    if occasion == ROLE:
        form.choice("role", _ROLES)
    if occasion in (TEAM, LOW, "new"):
        form.row("team_id", {number for number, _name in looking.team_options(row.team_id if row else None)})
        if occasion == TEAM and form.values["team_id"] is None:
            form.refuse("team_id", _("Choose one of the list."))
    if occasion == GROUP:
        form.line("group_key", longest=100, required=True)
    if occasion == LOW:
        form.choice("kind", KINDS)
        form.number("most", smallest=0, largest=10)
        form.line("tag", longest=100)
        form.number("times", smallest=1, largest=100)
        form.number("days", smallest=1, largest=365)
    form.values["course_id"] = number_in(form.typed.get("course_id"))
    form.values["path_id"] = number_in(form.typed.get("path_id"))
    if (form.values["course_id"] is None) == (form.values["path_id"] is None):
        form.refuse("course_id", _("Choose a course or a path: one of the two."))
    if form.typed.get("due_days", "").strip():
        form.number("due_days", smallest=1, largest=730)
    else:
        form.values["due_days"] = None
    return form


def _save(row: Rule | None) -> Any:
    form = _read(row)
    if form.errors:
        return _form(row, form.typed, form.errors)
    number = row.id if row is not None else None
    try:
        keeping.save(row, form.values, reader())
    except Invalid as problem:
        db.session.rollback()
        row = looking.rule(number) if number is not None else None
        return _form(row, form.typed, {problem.field: str(problem)})
    flash(_("Saved. Who is meant gets it within the hour."))
    return redirect(url_for("training.rules"), 303)


def _rule(course_rule_id: int) -> Rule:
    found = looking.rule(course_rule_id)
    if found is None:
        abort(404)
    return found


def _groups() -> list[tuple[str, str]]:
    return [(one["key"], one["label"]) for one in keeping.groups()]


def _form(row: Rule | None, values: Mapping[str, Any], errors: dict[str, str] | None = None) -> Any:
    course = row.course_id if row is not None else None
    path = row.path_id if row is not None else None
    groups = _groups()
    if row is not None and row.group_key and row.group_key not in dict(groups):
        groups = [(row.group_key, _("A group that is not there now")), *groups]
    return show(
        "rule_form.html",
        422 if errors else 200,
        rule=row,
        values=values,
        errors=errors or {},
        teams=[("", _("Every team")), *looking.team_options(row.team_id if row is not None else None)],
        groups=groups,
        courses=[("", _("No course")), *looking.course_options(course)],
        paths=[("", _("No path")), *looking.path_options(path)],
    )
