"""Competences and templates of reviews, as administrators keep them."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import gettext as _
from helpdesk.api import number_in, permission_required, reader
from helpdesk_career import competences, reviews
from helpdesk_career.blueprint import beside_rows, pages, row_of, show, trial
from helpdesk_career.models import GRADE, WORDS, Competence, Template
from helpdesk_career.permissions import MANAGE

# So many empty rows stand below the questions that there are.
_EMPTY = 3


@pages.get("/competences")
@permission_required(MANAGE)
def competence_list() -> Any:
    """The list that reviews and courses share."""
    return _competences()


@pages.post("/competences")
@permission_required(MANAGE)
def add_competence() -> Any:
    """Add a competence."""
    name, note = request.form.get("name", ""), request.form.get("note", "")
    errors = trial(lambda: competences.save(None, name, note, reader()))
    if errors:
        return _competences("", errors)
    flash(_("The competence was added."))
    return redirect(url_for("career.competence_list"), 303)


@pages.post("/competences/<int:competence_id>")
@permission_required(MANAGE)
def save_competence(competence_id: int) -> Any:
    """Rename a competence, or offer it no more."""
    row: Competence = row_of(Competence, competence_id)

    def work() -> None:
        if request.form.get("do") == "retire":
            competences.retire(row, reader())
        else:
            competences.save(row, request.form.get("name", ""), request.form.get("note", ""), reader())

    errors = trial(work)
    if errors:
        return _competences(str(competence_id), errors)
    flash(_("Saved."))
    return redirect(url_for("career.competence_list"), 303)


def _competences(form: str = "", errors: dict[str, str] | None = None) -> Any:
    return show(
        "competences.html", 422 if errors else 200, known=competences.known(), form=form, errors=errors or {},
        typed=request.form if errors else {},
    )  # fmt: skip


@pages.get("/templates")
@permission_required(MANAGE)
def template_list() -> Any:
    """What reviews ask."""
    return show("templates.html", templates=reviews.templates(retired=True))


@pages.get("/templates/new")
@permission_required(MANAGE)
def new_template() -> Any:
    """The form of a new template."""
    return _template(None)


@pages.post("/templates/new")
@permission_required(MANAGE)
def add_template() -> Any:
    """Make a template."""
    return _save(None)


@pages.get("/templates/<int:template_id>")
@permission_required(MANAGE)
def template(template_id: int) -> Any:
    """What one template asks."""
    return _template(row_of(Template, template_id))


@pages.post("/templates/<int:template_id>")
@permission_required(MANAGE)
def save_template(template_id: int) -> Any:
    """Change it, or offer it no more; reviews keep what they ask."""
    row = row_of(Template, template_id)
    if request.form.get("do") == "retire":
        reviews.retire_template(row, reader())
        flash(_("Saved."))
        return redirect(url_for("career.template_list"), 303)
    return _save(row)


def _save(row: Template | None) -> Any:
    number = row.id if row is not None else None
    errors = trial(lambda: reviews.save_template(row, request.form.get("name", ""), _items(), reader()))
    if errors:
        return _template(row_of(Template, number) if number is not None else None, errors)
    flash(_("Saved."))
    return redirect(url_for("career.template_list"), 303)


def _typed() -> list[dict[str, str]]:
    count = min(number_in(request.form.get("rows")) or 0, reviews.MOST_ITEMS + _EMPTY)
    return [
        {"what": request.form.get(f"i{place}.what", ""), "text": request.form.get(f"i{place}.text", "")}
        for place in range(1, count + 1)
    ]  # fmt: skip


def _items() -> list[dict[str, Any]]:
    """The rows that ask something: in words, or by a grade for a competence."""
    found: list[dict[str, Any]] = []
    for row in _typed():
        if row["what"] == WORDS:
            found.append({"kind": WORDS, "text": row["text"]})
        elif row["what"]:
            found.append({"kind": GRADE, "text": row["text"], "competence_id": number_in(row["what"]) or 0})
    return found


def _template(row: Template | None, errors: dict[str, str] | None = None) -> Any:
    kept = [
        {"what": WORDS if item["kind"] == WORDS else str(item["competence_id"]), "text": item["text"]}
        for item in (row.items if row is not None else [])
    ]  # fmt: skip
    rows = _typed() if errors else [*kept, *[{"what": "", "text": ""}] * _EMPTY]
    shown = beside_rows(errors, rows, "what", {"kind": "what", "competence_id": "what"})
    options = [("", _("Nothing")), (WORDS, _("Answered in words"))]
    every = competences.listed(retired=True)
    options += [(str(one.id), _("Grade for %(name)s", name=one.name)) for one in every]
    return show(
        "template.html", 422 if errors else 200, template=row, rows=rows, options=options, errors=shown,
        name=request.form.get("name", "") if errors else row.name if row is not None else "",
    )  # fmt: skip
