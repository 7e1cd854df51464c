"""Courses as they are made: the list, what each is called and needs, its files, publishing."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import (
    Form,
    Invalid,
    NotTaken,
    Refused,
    db,
    default_locale,
    language_name,
    locales,
    number_in,
    permission_required,
    reader,
    split_tags,
    store_uploads,
)
from helpdesk.api import gettext as _
from helpdesk_training import content, editing, files, looking, skills
from helpdesk_training import courses as finding
from helpdesk_training.blueprint import numbers_in, pages, show
from helpdesk_training.models import COURSE_STATES, Course
from helpdesk_training.permissions import WRITE


@pages.get("/manage/courses")
@permission_required(WRITE)
def courses() -> Any:
    """All courses; ?state= narrows them."""
    state = request.args.get("state", "")
    state = state if state in COURSE_STATES else ""
    rows = looking.all_courses(state)
    return show("courses.html", courses=rows, versions=looking.versions(rows), state=state)


@pages.get("/manage/courses/new")
@permission_required(WRITE)
def new_course() -> Any:
    """The form of a new course."""
    return _form(None, _values(None))


@pages.post("/manage/courses/new")
@permission_required(WRITE)
def add_course() -> Any:
    """Make a course; nobody takes it before it is published."""
    form = _read()
    if form.errors:
        return _form(None, _typed(form), form.errors)
    try:
        row = editing.save(None, form.values, reader())
    except Invalid as problem:
        db.session.rollback()
        return _form(None, _typed(form), {problem.field: str(problem)})
    flash(_("The course is there. Write its lessons, then publish it."))
    return redirect(url_for("training.content", course_id=row.id), 303)


@pages.get("/manage/courses/<int:course_id>/settings")
@permission_required(WRITE)
def edit_course(course_id: int) -> Any:
    """What a course is called, what it needs, when it is passed."""
    row = any_course(course_id)
    return _form(row, _values(row))


@pages.post("/manage/courses/<int:course_id>/settings")
@permission_required(WRITE)
def save_course(course_id: int) -> Any:
    """Change it."""
    row, form = any_course(course_id), _read()
    if form.errors:
        return _form(row, _typed(form), form.errors)
    try:
        editing.save(row, form.values, reader(), number_in(request.form.get("revision")))
    except Invalid as problem:
        db.session.rollback()
        return _form(any_course(course_id), _typed(form), {problem.field: str(problem)})
    flash(_("Saved. Pass mark and tries count for who begins after the next publishing."))
    return redirect(url_for("training.edit_course", course_id=course_id), 303)


@pages.post("/manage/courses/<int:course_id>/publish")
@permission_required(WRITE)
def publish_course(course_id: int) -> Any:
    """Have the content as it is now taken by who begins from now on."""
    row = any_course(course_id)
    try:
        version = editing.publish(row, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        flash(str(problem), "error")
    else:
        flash(_("Version %(number)s is published. Who has begun keeps the one that they have.", number=version.number))
    return redirect(url_for("training.content", course_id=course_id), 303)


@pages.post("/manage/courses/<int:course_id>/<any(retire, restore):what>")
@permission_required(WRITE)
def retire_course(course_id: int, what: str) -> Any:
    """Have nobody else begin a course, or bring it back."""
    row = any_course(course_id)
    if what == "retire":
        editing.retire(row, reader())
        flash(_("The course is retired: nobody else begins it, and certificates stay."))
    else:
        editing.restore(row, reader())
        flash(_("The course is back."))
    return redirect(url_for("training.edit_course", course_id=course_id), 303)


# ---- files


@pages.get("/manage/courses/<int:course_id>/files")
@permission_required(WRITE)
def course_files(course_id: int) -> Any:
    """The pictures and other files that lessons show."""
    return _files(any_course(course_id))


@pages.post("/manage/courses/<int:course_id>/files")
@permission_required(WRITE)
def add_files(course_id: int) -> Any:
    """Put files to a course."""
    row = any_course(course_id)
    try:
        stored = store_uploads(request.files.getlist("files"))
        if not stored:
            return _files(row, _("Choose a file first."))
        for one in stored:
            files.add(row, one, reader())
    except (Invalid, NotTaken) as problem:
        db.session.rollback()
        return _files(any_course(course_id), str(problem))
    flash(_("Added. Put its line into the text of a lesson."))
    return redirect(url_for("training.course_files", course_id=course_id), 303)


@pages.post("/manage/courses/<int:course_id>/files/<name>/drop")
@permission_required(WRITE)
def drop_file(course_id: int, name: str) -> Any:
    """Take a file away that no lesson shows."""
    row = any_course(course_id)
    file = files.named(row.id, name)
    if file is None:
        abort(404)
    try:
        files.drop(file, reader())
    except Refused as problem:
        return _files(row, str(problem))
    flash(_("“%(name)s” is gone.", name=name))
    return redirect(url_for("training.course_files", course_id=course_id), 303)


def _files(row: Course, problem: str = "") -> Any:
    return show("course_files.html", 422 if problem else 200, course=row, files=files.of(row), problem=problem)


# ---- what other pages need


def any_course(course_id: int) -> Course:
    """A course in any state, or the page that says there is none."""
    found = finding.find(course_id) if course_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def languages(row: Course | None) -> list[tuple[str, str]]:
    """The languages of the screen and those that a course has; its own one first."""
    own = row.language if row is not None else default_locale()
    known = dict(locales())
    there = content.languages_of(row.draft or {}) if row is not None else []
    codes = dict.fromkeys((own, *known, *there, *(row.titles if row is not None else ())))
    return [(code, known.get(code) or language_name(code)) for code in codes]


# ---- the form


def _read() -> Form:
    form = Form(request.form.to_dict())
    form.line("name", longest=editing.NAME_LENGTH, required=True)
    form.text("summary", longest=editing.SUMMARY_LENGTH)
    form.line("language", longest=20, required=True)
    form.number("pass_mark", smallest=1, largest=100)
    form.number("attempts", smallest=0, largest=100, default=0)
    form.number("refresher_days", smallest=0, largest=365, default=30)
    form.number("minutes", smallest=0, largest=60_000, default=0)
    if form.typed.get("valid_days", "").strip():
        form.number("valid_days", smallest=1, largest=36_500)
    else:
        form.values["valid_days"] = None
    form.tick("self_service")
    form.values["skills"] = split_tags(form.typed.get("skills", ""))
    form.values["needs"] = numbers_in(request.form.getlist("needs"))
    form.values["titles"] = {
        code: {"name": request.form.get(f"title-{code}", ""), "summary": request.form.get(f"about-{code}", "")}
        for code in request.form.getlist("titles")
    }
    return form


def _typed(form: Form) -> dict[str, Any]:
    """What is shown again: as it was typed, with what is no single line."""
    kept = {name: form.values[name] for name in ("needs", "titles")}
    return {**form.typed, **kept, "self_service": form.values["self_service"]}


def _values(row: Course | None) -> dict[str, Any]:
    if row is None:
        return {"language": default_locale(), "pass_mark": 80, "attempts": 0, "refresher_days": 30, "minutes": "",
                "self_service": True, "needs": [], "titles": {}}  # fmt: skip
    names = ("name", "summary", "language", "pass_mark", "attempts", "valid_days", "refresher_days", "minutes")
    found = {name: getattr(row, name) for name in (*names, "self_service", "titles")}
    return found | {"skills": ", ".join(one.name for one in row.skills), "needs": [one.id for one in row.needs]}


def _form(row: Course | None, values: Mapping[str, Any], errors: dict[str, str] | None = None) -> Any:
    tongues = languages(row)
    others = [(number, name) for number, name in finding.all_names() if row is None or number != row.id]
    return show(
        "course_form.html",
        422 if errors else 200,
        course=row,
        version=finding.newest(row) if row is not None else None,
        values=values,
        errors=errors or {},
        languages=tongues,
        others=[(number, name, number in values["needs"]) for number, name in others],
        known=skills.names(),
        # Who was slower keeps the one that they had: to send the form once more overwrites nothing either.
        revision=request.form.get("revision") or (row.revision if row is not None else ""),
    )
