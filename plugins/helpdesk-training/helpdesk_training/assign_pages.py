"""Who is to take what: the list, by hand, and one assignment with all that was done."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Form, Invalid, Refused, db, ngettext, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_training import assigning, days, grading, learning, looking, scopes, words
from helpdesk_training.blueprint import numbers_in, pages, show
from helpdesk_training.models import Assignment
from helpdesk_training.permissions import ASSIGN

# So many people are offered at a time; so many stay ticked while others are looked for.
_MOST_FOUND, _MOST_CHOSEN = 50, 1_000


@pages.get("/assignments")
@permission_required(ASSIGN)
def assignments() -> Any:
    """What the people of the reader's teams are to take, the newest first."""
    wanted = request.args.get("show", looking.OPEN_ONES)
    shows = [
        (looking.OPEN_ONES, _("To be done")),
        (looking.LATE, _("Overdue")),
        *words.states(),
        (looking.EVERY, _("All")),
    ]
    wanted = wanted if wanted in dict(shows) else looking.OPEN_ONES
    course, team = number_in(request.args.get("course")), number_in(request.args.get("team"))
    found = looking.assignments(reader(), wanted, course, team, request.args.get("after", ""))

    def link(**changes: Any) -> str:
        return url_for("training.assignments", **{"show": wanted, "course": course, "team": team, **changes})

    return show(
        "assignments.html",
        found=found,
        percents=learning.percents(found.rows),
        wanted=wanted,
        shows=shows,
        course=course,
        team=team,
        courses=[("", _("Every course")), *looking.course_options(course)],
        teams=[("", _("All my people")), *looking.teams_of(reader())],
        link=link,
    )


@pages.get("/assign")
@permission_required(ASSIGN)
def assign_form() -> Any:
    """Give people a course or a path."""
    chosen = {name: request.args.get(name, "") for name in ("course", "path", "q", "team")}
    # A path has days of its own.
    chosen["due"] = "" if chosen["path"] else days.day_of(assigning.usual_due())
    return _form(chosen, numbers_in(request.args.getlist("person")))


@pages.post("/assign")
@permission_required(ASSIGN)
def assign() -> Any:
    """Assign it; each of them is told. Or look for people, without losing what was chosen and typed."""
    form = Form(request.form.to_dict())
    chosen = numbers_in(request.form.getlist("person"))
    if "find" in request.form:
        return _form(form.typed, chosen)
    due = days.read_day(form, "due")
    said = form.text("words", longest=assigning.WORDS_LENGTH)
    course, path = number_in(form.typed.get("course")), number_in(form.typed.get("path"))
    team = number_in(form.typed.get("team"))
    wanted, is_whole = set(chosen), "whole" in request.form
    if is_whole and team is not None:
        wanted.update(one.id for one in scopes.people_of(reader(), team))
    people = [one for one in scopes.people_of(reader()) if one.id in wanted]
    if is_whole and team is None:
        form.refuse("team", _("Choose the team whose members get it."))
    elif not people:
        form.refuse("person", _("Choose somebody first."))
    if (course is None) == (path is None):
        form.refuse("course", _("Choose a course or a path: one of the two."))
    row = looking.course(course) if course is not None else None
    way = looking.path(path) if path is not None else None
    if not form.errors and row is None and way is None:
        form.refuse("course", _("Choose one of the list."))
    if form.errors:
        return _form(form.typed, chosen, form.errors)
    try:
        if row is not None:
            made = assigning.assign(people, row, reader(), due_at=days.end_of(due), words=said)
        else:
            assert way is not None
            made = assigning.assign_path(people, way, reader(), words=said)
    except (Invalid, Refused) as problem:
        db.session.rollback()
        name = {"due_at": "due", "people": "person"}.get(
            getattr(problem, "field", ""), getattr(problem, "field", "form")
        )
        return _form(form.typed, chosen, {name: str(problem)})
    flash(
        ngettext("%(num)s assignment is new.", "%(num)s assignments are new.", len(made))
        if made
        else _("They have it already; nothing was changed.")
    )
    return redirect(url_for("training.assignments"), 303)


@pages.get("/assignments/<int:assignment_id>")
@permission_required(ASSIGN)
def assignment(assignment_id: int) -> Any:
    """How far somebody is, with every try and every task."""
    return _assignment(_of_others(assignment_id))


@pages.post("/assignments/<int:assignment_id>/due")
@permission_required(ASSIGN)
def set_due(assignment_id: int) -> Any:
    """Say until when it is to be done."""
    row, form = _of_others(assignment_id), Form(request.form.to_dict())
    day = days.read_day(form, "due")
    if form.errors:
        return _assignment(row, form.typed, form.errors)
    return _done(row, lambda: assigning.set_due(row, days.end_of(day), reader()), _("Saved."), form.typed)


@pages.post("/assignments/<int:assignment_id>/withdraw")
@permission_required(ASSIGN)
def withdraw(assignment_id: int) -> Any:
    """Take it back; what was done is kept."""
    row, form = _of_others(assignment_id), Form(request.form.to_dict())
    why = form.text("why", longest=assigning.WORDS_LENGTH)
    return _done(row, lambda: assigning.withdraw(row, why, reader()), _("It is withdrawn."), form.typed)


@pages.post("/assignments/<int:assignment_id>/attempt")
@permission_required(ASSIGN)
def allow_attempt(assignment_id: int) -> Any:
    """Give somebody one more try at the quiz."""
    row = _of_others(assignment_id)
    return _done(row, lambda: grading.allow_attempt(row, reader()), _("One more try is there."), {})


def _done(row: Assignment, act: Any, sentence: str, typed: Mapping[str, str]) -> Any:
    number = row.id
    try:
        act()
    except (Invalid, Refused) as problem:
        db.session.rollback()
        name = problem.field if isinstance(problem, Invalid) else "form"
        return _assignment(_of_others(number), typed, {"due" if name == "due_at" else name: str(problem)})
    flash(sentence)
    return redirect(url_for("training.assignment", assignment_id=number), 303)


def _assignment(row: Assignment, typed: Mapping[str, str] | None = None, errors: Any = None) -> Any:
    return show(
        "assignment.html",
        422 if errors else 200,
        assignment=row,
        course=row.course,
        progress=learning.state_of(row) if row.version is not None else None,
        attempts=looking.attempts(row),
        due=typed.get("due", "") if typed and "due" in typed else days.day_of(row.due_at),
        typed=typed or {},
        errors=errors or {},
        may_change=looking.looks_after(reader(), row.person),
    )


def _of_others(assignment_id: int) -> Assignment:
    found = looking.assignment(assignment_id, reader())
    if found is None:
        abort(404)
    return found


def _form(typed: Mapping[str, Any], chosen: list[int], errors: dict[str, str] | None = None) -> Any:
    team, ticked = number_in(typed.get("team")), set(chosen[:_MOST_CHOSEN])
    people, more = scopes.found_by(reader(), ticked, str(typed.get("q", ""))[:100], team, _MOST_FOUND)
    return show(
        "assign.html",
        422 if errors else 200,
        typed=typed,
        errors=errors or {},
        people=[(one.id, one.display_name, one.id in ticked) for one in people],
        more=more,
        teams=[("", _("All my people")), *looking.teams_of(reader())],
        courses=[("", _("No course")), *looking.course_options()],
        paths=[("", _("No path")), *looking.path_options()],
    )
