"""Surveys as supervisors keep them: the list, what each does, and when it asks."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import func, select

from helpdesk.api import Form, Invalid, Team, db, permission_required, reader, transaction
from helpdesk.api import gettext as _
from helpdesk_surveys import links
from helpdesk_surveys import surveys as keeping
from helpdesk_surveys.blueprint import pages, show
from helpdesk_surveys.models import ACTIONS, KINDS, LOOKS, OCCASIONS, SCALES, Survey, Version
from helpdesk_surveys.permissions import MANAGE

_MOST = 200
_MOST_RULES = 10
_FIELDS = (
    "name", "kind", "look", "occasion", "delay_hours", "rhythm_days", "team_id", "quiet_from", "quiet_until",
    "reminder_days", "closes_days", "anonymous", "min_group", "skip_tags", "skip_complaints", "rules",
)  # fmt: skip


@pages.get("/surveys")
@permission_required(MANAGE)
def surveys() -> Any:
    """All surveys, those that ask first."""
    query = select(Survey).order_by(Survey.active.desc(), func.lower(Survey.name), Survey.id).limit(_MOST)
    return show("surveys.html", surveys=db.session.scalars(query).all())


@pages.get("/surveys/new")
@permission_required(MANAGE)
def new_survey() -> Any:
    """The form of a new survey."""
    return _form(None, {})


@pages.post("/surveys/new")
@permission_required(MANAGE)
def add_survey() -> Any:
    """Make a survey; it asks nobody until it is switched on."""
    form = _read(None)
    if form.errors:
        return _form(None, form.typed, form.errors)
    try:
        survey = keeping.save(None, form.values, reader())
    except Invalid as problem:
        return _form(None, form.typed, {problem.field: str(problem)})
    flash(_("The survey was added. Look at its words, then switch it on."))
    return redirect(url_for("surveys.words_of", survey_id=survey.id), 303)


@pages.get("/surveys/<int:survey_id>")
@permission_required(MANAGE)
def survey(survey_id: int) -> Any:
    """When a survey asks, whom it leaves out, and what a low score leads to."""
    return _form(survey_of(survey_id), {})


@pages.post("/surveys/<int:survey_id>")
@permission_required(MANAGE)
def save_survey(survey_id: int) -> Any:
    """Change it; who was asked already is not asked anew."""
    row = survey_of(survey_id)
    form = _read(row)
    if form.errors:
        return _form(row, form.typed, form.errors)
    try:
        keeping.save(row, form.values, reader())
    except Invalid as problem:
        db.session.rollback()
        return _form(survey_of(survey_id), form.typed, {problem.field: str(problem)})
    flash(_("Saved."))
    return redirect(url_for("surveys.survey", survey_id=survey_id), 303)


@pages.post("/surveys/<int:survey_id>/<any(on, off):switch>")
@permission_required(MANAGE)
def switch_survey(survey_id: int, switch: str) -> Any:
    """Switch a survey on or off; its words are published when they never were."""
    row = survey_of(survey_id)
    try:
        with transaction():
            if switch == "on" and row.version_id is None:
                keeping.publish_version(row, reader())
                db.session.flush()
            keeping.switch(row, switch == "on", reader())
    except Invalid as problem:
        db.session.rollback()
        flash(str(problem), "error")
        return redirect(url_for("surveys.words_of", survey_id=survey_id), 303)
    flash(_("The survey is on.") if switch == "on" else _("The survey is off. Nobody else is asked."))
    return redirect(url_for("surveys.surveys"), 303)


@pages.post("/surveys/<int:survey_id>/link")
@permission_required(MANAGE)
def renew_link(survey_id: int) -> Any:
    """Give a survey by link another address; the old one is dead."""
    keeping.new_link(survey_of(survey_id), reader())
    flash(_("The link is new; the old one works no more."))
    return redirect(url_for("surveys.survey", survey_id=survey_id), 303)


def survey_of(survey_id: int) -> Survey:
    """A survey, or the page that says there is none."""
    found = db.session.get(Survey, survey_id) if survey_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def version_of(row: Survey) -> Version | None:
    """The words that are asked now."""
    return db.session.get(Version, row.version_id) if row.version_id is not None else None


# ---- the form


def _read(row: Survey | None) -> Form:
    form = Form(request.form.to_dict())
    form.line("name", longest=100, required=True)
    kind = row.kind if row is not None else form.choice("kind", KINDS)
    form.values["kind"] = kind
    form.choice("look", LOOKS)
    form.choice("occasion", OCCASIONS)
    for name, smallest, largest in (
        ("delay_hours", 0, 720),
        ("rhythm_days", 7, 730),
        ("quiet_from", 0, 23),
        ("quiet_until", 0, 23),
        ("reminder_days", 0, 60),
        ("closes_days", 1, 180),
        ("min_group", 2, 1_000),
    ):
        form.number(name, smallest=smallest, largest=largest)
    form.row("team_id", set(db.session.scalars(select(Team.id))))
    form.tick("anonymous")
    form.tick("skip_complaints")
    form.values["skip_tags"] = [tag.strip() for tag in form.typed.get("skip_tags", "").split(",") if tag.strip()]
    form.values["rules"] = _read_rules(form, str(kind))
    return form


def _read_rules(form: Form, kind: str) -> list[dict[str, Any]]:
    """The rows of rules; a row without an act is none."""
    lowest, highest = SCALES.get(kind, (0, 0))
    rules = []
    teams = set(db.session.scalars(select(Team.id)))
    for place in range(_MOST_RULES):
        name, act = f"rule-{place}", form.typed.get(f"rule-{place}-do", "")
        if not act:
            continue
        row = Form({key: form.typed.get(f"{name}-{key}", "") for key in ("least", "most", "team_id", "tag", "do")})
        least = row.number("least", smallest=lowest, largest=highest)
        most = row.number("most", smallest=lowest, largest=highest)
        row.choice("do", ACTIONS)
        row.row("team_id", teams)
        tag = row.line("tag", longest=100)
        if act == "tag" and not tag:
            row.refuse("tag", _("Write the tag."))
        if not row.errors and least > most:
            row.refuse("most", _("The second score is below the first."))
        for key, sentence in row.errors.items():
            form.refuse(f"{name}-{key}", sentence)
        rules.append({"least": least, "most": most, "do": act, "team_id": row.values.get("team_id"), "tag": tag})
    return rules


def _form(row: Survey | None, typed: Mapping[str, str], errors: dict[str, str] | None = None) -> Any:
    values = dict(typed) if errors else _values(row)
    kind = row.kind if row is not None else str(values.get("kind") or KINDS[0])
    return show(
        "survey.html",
        422 if errors else 200,
        survey=row,
        version=version_of(row) if row is not None else None,
        values=values,
        kind=kind,
        rules=_rule_rows(values, errors),
        errors=errors or {},
        teams=[("", _("Every team")), *_teams(values.get("team_id"))],
        rule_teams=[("", _("The ticket's own team")), *_teams(None)],
        link=links.public_url(row) if row is not None and row.occasion == "link" else "",
    )


def _values(row: Survey | None) -> dict[str, Any]:
    """What the form shows: the survey, or what a new one begins with."""
    if row is None:
        row = Survey()
        for column in Survey.__table__.columns:
            if column.default is not None and column.default.is_scalar:
                setattr(row, column.key, column.default.arg)
        rules = [{"least": 1, "most": 2, "do": "ticket", "team_id": None, "tag": ""}]
        return {name: getattr(row, name) for name in _FIELDS} | {"rules": rules, "skip_tags": "", "name": ""}
    return {name: getattr(row, name) for name in _FIELDS} | {"skip_tags": ", ".join(row.skip_tags)}


def _rule_rows(values: Mapping[str, Any], errors: dict[str, str] | None) -> list[dict[str, Any]]:
    """The rows as they are shown: those that there are, and an empty one."""
    names = ("least", "most", "do", "team_id", "tag")
    if errors is not None:
        rows = [{key: values.get(f"rule-{place}-{key}", "") for key in names} for place in range(_MOST_RULES)]
        rows = [row for row in rows if row["do"]]
    else:
        rows = [{key: rule.get(key, "") for key in names} for rule in values["rules"]]
    return [*rows, dict.fromkeys(names, "")][:_MOST_RULES]


def _teams(present: Any) -> list[tuple[Any, str]]:
    """Those that can be chosen; the present one as well, so that saving never widens a survey unseen."""
    query = select(Team.id, Team.name).where(Team.active | (Team.id == (present if isinstance(present, int) else 0)))
    found = db.session.execute(query.order_by(func.lower(Team.name), Team.id).limit(_MOST))
    return [(row.id, row.name) for row in found]
