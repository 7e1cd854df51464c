"""Learning paths: courses in an order, with the days until each is to be done."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Form, Invalid, db, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_training import looking, paths
from helpdesk_training.blueprint import pages, show
from helpdesk_training.models import Path
from helpdesk_training.permissions import WRITE

_ROWS = 40


@pages.get("/manage/paths")
@permission_required(WRITE)
def learning_paths() -> Any:
    """All paths."""
    return show("paths.html", paths=looking.all_paths())


@pages.get("/manage/paths/new")
@permission_required(WRITE)
def new_path() -> Any:
    """The form of a new path."""
    return _form(None, {"active": True}, [])


@pages.post("/manage/paths/new")
@permission_required(WRITE)
def add_path() -> Any:
    """Make a path."""
    return _save(None)


@pages.get("/manage/paths/<int:path_id>")
@permission_required(WRITE)
def path(path_id: int) -> Any:
    """What a path is made of."""
    row = _path(path_id)
    items = [{"course_id": item.course_id, "due_days": item.due_days} for item in row.items]
    return _form(row, {"name": row.name, "summary": row.summary, "active": row.active}, items)


@pages.post("/manage/paths/<int:path_id>")
@permission_required(WRITE)
def save_path(path_id: int) -> Any:
    """Change it; who has been given it keeps what they have."""
    return _save(_path(path_id))


def _save(row: Path | None) -> Any:
    form = Form(request.form.to_dict())
    form.line("name", longest=200, required=True)
    form.text("summary", longest=2_000)
    form.tick("active")
    items = _items(form)
    if form.errors:
        return _form(row, {**form.typed, "active": form.values["active"]}, items, form.errors)
    values = {**form.values, "items": [{"course_id": one["course_id"], "due_days": one["due_days"]} for one in items]}
    number = row.id if row is not None else None
    try:
        paths.save(row, values, reader())
    except Invalid as problem:
        db.session.rollback()
        row = looking.path(number) if number is not None else None
        return _form(row, {**form.typed, "active": form.values["active"]}, items, {problem.field: str(problem)})
    flash(_("Saved."))
    return redirect(url_for("training.learning_paths"), 303)


def _items(form: Form) -> list[dict[str, Any]]:
    """The rows in the order of their places; a row without a course is none."""
    known = {number for number, _name in looking.course_options()}
    found: list[tuple[int, int, dict[str, Any]]] = []
    for row in range(_ROWS):
        text, due = form.typed.get(f"i-{row}-course", ""), form.typed.get(f"i-{row}-due", "").strip()
        place = form.typed.get(f"i-{row}-place", "")
        if not text:
            continue
        one = Form({"course_id": text, "due_days": due})
        one.row("course_id", known | ({int(text)} if text.isascii() and text.isdigit() else set()))
        one.values["due_days"] = one.number("due_days", smallest=0, largest=3_650) if due else None
        for name, sentence in one.errors.items():
            form.refuse(f"i-{len(found)}-{name}", sentence)
        number = int(place) if place.isascii() and place.isdigit() and len(place) < 4 else row + 1
        found.append((number, row, {**one.values, "typed_due": due}))
    return [values for _number, _row, values in sorted(found, key=lambda each: each[:2])]


def _path(path_id: int) -> Path:
    found = looking.path(path_id)
    if found is None:
        abort(404)
    return found


def _form(row: Path | None, values: Mapping[str, Any], items: list[dict[str, Any]], errors: Any = None) -> Any:
    rows = [*items, *({"course_id": "", "due_days": None} for _number in range(3))]
    taken = {one["course_id"] for one in items}
    options = dict(looking.course_options())
    if row is not None:
        # What was retired meanwhile stays where it is until somebody takes it out.
        options = {**{one.course_id: one.course.name for one in row.items if one.course_id in taken}, **options}
    return show(
        "path_form.html",
        422 if errors else 200,
        path=row,
        values=values,
        rows=rows[:_ROWS],
        courses=[("", _("No course")), *options.items()],
        errors=errors or {},
    )
