"""The plugin's pages under /p/career; each module of pages adds its own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, abort, make_response, render_template, request

from helpdesk.api import Invalid, Refused, User, db, number_in, reader
from helpdesk.api import gettext as _
from helpdesk_career import progress, scopes, words
from helpdesk_career.models import GRADES, Level

pages = Blueprint("career", __name__, static_folder="static")


def show(template: str, code: int = 200, /, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`words`, :mod:`progress` and lists for forms as well."""
    usual = {"words": words, "progress": progress, "scopes": scopes, **_OPTIONS}
    return make_response(render_template(f"career/{template}", **usual, **values), code)


def target_options(levels: Sequence[Level]) -> list[tuple[int, str]]:
    """Levels for a form, with their tracks."""
    return [(level.id, words.full_name(level)) for level in levels]


def row_options(rows: Sequence[Any]) -> list[tuple[int, str]]:
    """Rows that have a name, for a form."""
    return [(row.id, row.name) for row in rows]


def grade_options() -> list[tuple[int, str]]:
    """Grades for a form."""
    return [(grade, words.grade_name(grade)) for grade in (0, *GRADES)]


_OPTIONS = {"target_options": target_options, "row_options": row_options, "grade_options": grade_options}


def row_of(model: Any, number: int) -> Any:
    """A row by its number, or the page that says there is none."""
    found = db.session.get(model, number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found


def chosen(model: Any, name: str) -> Any:
    """The row that a form chooses. Raises :class:`Invalid` when there is none, or no longer."""
    number = number_in(request.form.get(name))
    found = db.session.get(model, number) if number else None
    if found is None:
        raise Invalid(name, _("Choose one of the list."))
    return found


def person_of(user_id: int) -> User:
    """Somebody of staff whose career the reader sees, or the page that says there is nobody."""
    user: User = row_of(User, user_id)
    if not scopes.sees(reader(), user.id) or not (user.is_staff or progress.person_of(user) is not None):
        abort(404)
    return user


def day_in(name: str) -> date | None:
    """A day that was typed. Raises :class:`Invalid`."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(name, _("Choose a day, such as 2026-03-31.")) from None


def beside_rows(
    errors: Mapping[str, str] | None, rows: Sequence[Mapping[str, str]], first: str, names: Mapping[str, str]
) -> dict[str, str]:
    """What is wrong, each beside its field: errors count the rows that say something in their ``first`` field only.

    ``names`` are the fields of the form by what the error names, where they differ.
    """
    filled = [place for place, row in enumerate(rows, 1) if row[first]]
    shown = {}
    for field, sentence in (errors or {}).items():
        place, _dot, name = field.partition(".")
        if name and place[1:].isdigit() and int(place[1:]) <= len(filled):
            field = f"{place[0]}{filled[int(place[1:]) - 1]}.{names.get(name, name)}"
        shown[field] = sentence
    return shown


def trial(work: Callable[[], Any]) -> dict[str, str]:
    """Do what a form asks for; what is wrong, by field ("form" for the whole), or nothing."""
    try:
        work()
    except Invalid as problem:
        db.session.rollback()
        return {problem.field: str(problem), "form": str(problem)}
    except Refused as problem:
        db.session.rollback()
        return {"form": str(problem)}
    return {}
