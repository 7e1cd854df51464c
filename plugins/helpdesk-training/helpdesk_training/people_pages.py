"""Who can do what: the matrix of a team, one person, certificates, training elsewhere."""

from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import (
    Form,
    Invalid,
    NotAllowed,
    NotTaken,
    Refused,
    User,
    db,
    now,
    number_in,
    permission_required,
    reader,
    send_stored,
    split_tags,
    store_uploads,
)
from helpdesk.api import gettext as _
from helpdesk_training import certificates, days, files, looking, skills, words
from helpdesk_training import outside as keeping
from helpdesk_training.blueprint import pages, show
from helpdesk_training.models import CLAIMED, GRADES, Certificate, Outside
from helpdesk_training.permissions import ASSIGN, USE


@pages.get("/team")
@permission_required(ASSIGN)
def team() -> Any:
    """Who can do what, and how that is known; ?team= narrows to one team, ?after= begins behind a person."""
    teams = looking.teams_of(reader())
    chosen = number_in(request.args.get("team"))
    chosen = chosen if chosen in dict(teams) else None
    matrix = skills.matrix(reader(), chosen, number_in(request.args.get("after")))
    known = [(key, name) for key, name in matrix.skills if matrix.count(key)]
    every = request.args.get("all") == "1" or not known

    def link(**changes: Any) -> str:
        return url_for("training.team", **{"team": chosen, "all": 1 if every and known else None, **changes})

    return show(
        "team.html",
        matrix=matrix,
        skills=matrix.skills if every else known,
        hidden=0 if every else len(matrix.skills) - len(known),
        team=chosen,
        teams=[("", _("All my people")), *teams],
        link=link,
    )


# ---- one person


@pages.get("/people/<int:user_id>")
@permission_required(USE)
def person(user_id: int) -> Any:
    """What somebody can do and has learned: the person sees it, and who looks after them."""
    return _person(_of_team(user_id))


@pages.post("/people/<int:user_id>/assess")
@permission_required(ASSIGN)
def assess(user_id: int) -> Any:
    """Say how well somebody can do something. Nothing is overwritten: the newest counts."""
    row, form = _of_team(user_id), Form(request.form.to_dict())
    skill = form.line("skill", longest=100, required=True)
    grade = form.choice("grade", ["0", *(str(number) for number in GRADES)])
    note = form.text("note", longest=2_000)
    if form.errors:
        return _person(row, form.typed, form.errors)
    try:
        keeping.assess(row, skill, int(grade), note, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        name = problem.field if isinstance(problem, Invalid) else "form"
        return _person(_of_team(user_id), form.typed, {name: str(problem)})
    flash(_("Noted."))
    return redirect(url_for("training.person", user_id=user_id), 303)


def _person(row: User, typed: Any = None, errors: Any = None) -> Any:
    matrix = skills.matrix_of([row], reader())
    return show(
        "person.html",
        422 if errors else 200,
        person=row,
        skills=[(name, matrix.all(row.id, key)) for key, name in matrix.skills if matrix.all(row.id, key)],
        assignments=looking.of_person(row),
        certificates=looking.certificates_of(row),
        outside=looking.outside_of(row),
        known=skills.names(),
        typed=typed or {},
        errors=errors or {},
        may_change=looking.looks_after(reader(), row),
        grades=[*words.grades(), (0, _("Take the assessments before back"))],
    )


def _of_team(user_id: int) -> User:
    found = looking.person(user_id, reader())
    if found is None:
        abort(404)
    return found


# ---- certificates


@pages.get("/certificates/<serial>")
@permission_required(USE)
def certificate(serial: str) -> Any:
    """A certificate, to look at and to print."""
    return _certificate(_certificate_of(serial))


@pages.post("/certificates/<serial>/revoke")
@permission_required(ASSIGN)
def revoke(serial: str) -> Any:
    """Say that a certificate counts no more, and why."""
    row, form = _certificate_of(serial), Form(request.form.to_dict())
    why = form.text("why", longest=2_000)
    if not why:
        return _certificate(row, {"why": _("Say why.")})
    try:
        certificates.revoke(row, why, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        return _certificate(_certificate_of(serial), {"why": str(problem)}, why)
    flash(_("The certificate counts no more."))
    return redirect(url_for("training.certificate", serial=serial), 303)


def _certificate(row: Certificate, errors: dict[str, str] | None = None, why: str = "") -> Any:
    may = looking.looks_after(reader(), row.person) and row.revoked_at is None
    return show(
        "certificate.html",
        422 if errors else 200,
        certificate=row,
        errors=errors or {},
        why=why,
        may_change=may,
        valid=row.is_valid(now()),
    )


def _certificate_of(serial: str) -> Certificate:
    found = looking.certificate(serial, reader())
    if found is None:
        abort(404)
    return found


# ---- training elsewhere


@pages.get("/outside/new")
@permission_required(USE)
def new_outside() -> Any:
    """Record training that somebody had elsewhere: one's own, or by ?person= of somebody looked after."""
    return _outside_form(_whose(request.args.get("person")), _corrected(request.args.get("corrects")))


@pages.post("/outside/new")
@permission_required(USE)
def add_outside() -> Any:
    """Keep the record; it counts once a supervisor has verified it."""
    person_, corrects = _whose(request.form.get("person")), _corrected(request.form.get("corrects"))
    form = Form(request.form.to_dict())
    form.line("title", longest=200, required=True)
    form.line("provider", longest=200)
    days.read_day(form, "held_on", required=True)
    days.read_day(form, "until")
    form.text("note", longest=2_000)
    form.values["skills"] = split_tags(form.typed.get("skills", ""))
    if form.errors:
        return _outside_form(person_, corrects, form.typed, form.errors)
    try:
        stored = store_uploads(request.files.getlist("file"))
        record = keeping.record(person_, form.values, stored[0] if stored else None, reader(), corrects=corrects)
    except (Invalid, Refused, NotTaken) as problem:
        db.session.rollback()
        name = problem.field if isinstance(problem, Invalid) else "file" if isinstance(problem, NotTaken) else "form"
        return _outside_form(_whose(request.form.get("person")), corrects, form.typed, {name: str(problem)})
    flash(_("Recorded. It counts once it has been verified.") if record.state == CLAIMED else _("Recorded."))
    return redirect(url_for("training.outside_record", record_id=record.id), 303)


@pages.get("/outside/<int:record_id>")
@permission_required(USE)
def outside_record(record_id: int) -> Any:
    """One record, with its file and what was decided."""
    return _outside(_record(record_id))


@pages.get("/outside/<int:record_id>/file")
@permission_required(USE)
def outside_file(record_id: int) -> Any:
    """The paper that proves it."""
    row = _record(record_id)
    if not row.sha256 or not files.may_open_proof(reader(), row):
        abort(404)
    return send_stored(row.sha256, row.file_name, row.file_type, inline=True)


@pages.post("/outside/<int:record_id>/decide")
@permission_required(ASSIGN)
def decide_outside(record_id: int) -> Any:
    """Verify a record, or say why it does not count."""
    row, form = _record(record_id), Form(request.form.to_dict())
    said = form.text("decision", longest=2_000)
    try:
        keeping.decide(row, "verify" in request.form, said, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        return _outside(_record(record_id), said, str(problem))
    flash(_("It counts from now on.") if "verify" in request.form else _("It does not count; the person sees why."))
    return redirect(url_for("training.grading"), 303)


def _outside(row: Outside, said: str = "", problem: str = "") -> Any:
    return show(
        "outside.html",
        422 if problem else 200,
        record=row,
        decision=said,
        problem=problem,
        may_decide=row.state == CLAIMED and looking.looks_after(reader(), row.person),
        may_correct=row.user_id == reader().id or looking.looks_after(reader(), row.person),
    )


def _record(record_id: int) -> Outside:
    found = looking.outside(record_id, reader())
    if found is None:
        abort(404)
    return found


def _whose(text: str | None) -> User:
    number = number_in(text)
    if number is None or number == reader().id:
        return reader()
    found = looking.person(number, reader())
    if found is None:
        abort(404)
    if not looking.looks_after(reader(), found):
        raise NotAllowed(ASSIGN)
    return found


def _corrected(text: str | None) -> Outside | None:
    number = number_in(text)
    return _record(number) if number is not None else None


def _outside_form(person_: User, corrects: Outside | None, typed: Any = None, errors: Any = None) -> Any:
    if typed is None:
        typed = {}
        if corrects is not None:
            typed = {name: getattr(corrects, name) or "" for name in ("title", "provider", "held_on", "until", "note")}
            typed["skills"] = ", ".join(corrects.skills)
    return show(
        "outside_form.html",
        422 if errors else 200,
        person=person_,
        own=person_.id == reader().id,
        corrects=corrects,
        typed=typed,
        errors=errors or {},
        known=skills.names(),
    )
