"""Quizzes and practical tasks: what is typed is kept at each step, graded when it is handed in."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Invalid, Refused, db, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_training import learning, looking
from helpdesk_training.blueprint import pages, show
from helpdesk_training.models import DRAFT, FAILED, MULTIPLE, OPEN, ORDER, SINGLE, Assignment, Attempt, TaskWork
from helpdesk_training.my_pages import begun, progress_of
from helpdesk_training.permissions import USE

_LONGEST = 20_000


@pages.get("/mine/<int:assignment_id>/quiz")
@permission_required(USE)
def quiz(assignment_id: int) -> Any:
    """The questions of the try that is open, with what was answered so far; else how the last one went."""
    row = begun(assignment_id)
    questions = _questions(row)
    progress = progress_of(row)
    attempt = progress.attempt
    if attempt is not None and attempt.state == OPEN:
        return _asking(row, attempt, attempt.answers or {})
    return show(
        "quiz_begin.html", assignment=row, course=row.course, progress=progress, questions=questions, attempt=attempt
    )


@pages.post("/mine/<int:assignment_id>/quiz/begin")
@permission_required(USE)
def begin_quiz(assignment_id: int) -> Any:
    """Begin a try at the quiz."""
    row = begun(assignment_id)
    _questions(row)
    try:
        learning.start_attempt(row, reader())
    except (Invalid, Refused) as problem:
        flash(str(problem), "error")
    return redirect(url_for("training.quiz", assignment_id=assignment_id), 303)


@pages.post("/mine/<int:assignment_id>/quiz")
@permission_required(USE)
def answer_quiz(assignment_id: int) -> Any:
    """Keep the answers, or hand them in. A script sends them as they are typed (``quiet``) and wants no page back."""
    row = begun(assignment_id)
    questions = _questions(row)
    attempt = progress_of(row).attempt
    if attempt is None:
        return redirect(url_for("training.quiz", assignment_id=assignment_id), 303)
    quiet = "quiet" in request.form
    if attempt.state != OPEN:
        # Handed in already, in another window: how it went is shown, once.
        return ("", 204) if quiet else redirect(_result(row, attempt), 303)
    given = _given(questions)
    try:
        if "hand_in" in request.form:
            attempt = learning.submit(attempt, given, reader())
            return redirect(_result(row, attempt), 303)
        learning.save_answers(attempt, given, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        row = begun(assignment_id)
        open_one = progress_of(row).attempt
        if open_one is None or open_one.state != OPEN:
            return redirect(url_for("training.quiz", assignment_id=assignment_id), 303)
        return _asking(row, open_one, given, str(problem), _field(problem))
    if quiet:
        return "", 204
    flash(_("Saved. Go on whenever you like, on any device."))
    return redirect(url_for("training.taking", assignment_id=assignment_id), 303)


@pages.get("/mine/<int:assignment_id>/quiz/<int:number>")
@permission_required(USE)
def quiz_result(assignment_id: int, number: int) -> Any:
    """How a try went: the score, what was right, and why."""
    row = begun(assignment_id)
    attempt = looking.attempt(row, number)
    if attempt is None or attempt.state == OPEN:
        abort(404)
    return show(
        "quiz_result.html",
        assignment=row,
        course=row.course,
        attempt=attempt,
        progress=progress_of(row),
        questions=attempt.version.content.get("questions", ()),
        answers=looking.answers(attempt),
    )


def _asking(row: Assignment, attempt: Attempt, given: Mapping[str, Any], problem: str = "", field: str = "") -> Any:
    questions = attempt.version.content.get("questions", ())
    return show(
        "quiz.html",
        422 if problem else 200,
        assignment=row,
        course=row.course,
        attempt=attempt,
        questions=[(one, _shown(attempt, one, given), given.get(one["id"])) for one in questions],
        problem=problem,
        wrong=field,
    )


def _shown(attempt: Attempt, question: Mapping[str, Any], given: Mapping[str, Any]) -> Sequence[str]:
    """The options in the order in which they are shown; those that are to be ordered as they were put."""
    shown = list(learning.shown_options(attempt, question))
    if question["kind"] == ORDER and isinstance(put := given.get(question["id"]), list):
        return [one for one in put if one in shown] + [one for one in shown if one not in put]
    return shown


def _given(questions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was typed, by question: ids of options, or a text."""
    found: dict[str, Any] = {}
    for one in questions:
        name, options = f"q-{one['id']}", list(one.get("options", ()))
        if one["kind"] == ORDER:
            places = [(_place(f"{name}-{option}", number), number, option) for number, option in enumerate(options)]
            found[one["id"]] = [option for _place_, _number, option in sorted(places)]
        elif one["kind"] in (SINGLE, MULTIPLE):
            found[one["id"]] = [option for option in request.form.getlist(name) if option in options]
        else:
            found[one["id"]] = _text(name)
    return found


def _place(name: str, usual: int) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else usual + 1


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").replace("\0", "")[:_LONGEST]


def _field(problem: Exception) -> str:
    return problem.field if isinstance(problem, Invalid) else ""


def _questions(row: Assignment) -> Sequence[Mapping[str, Any]]:
    """The questions; a course without a quiz has no such page."""
    found = row.version.content.get("questions", ()) if row.version is not None else ()
    if not found:
        abort(404)
    return found


def _result(row: Assignment, attempt: Attempt) -> str:
    return url_for("training.quiz_result", assignment_id=row.id, number=attempt.number)


# ---- practical tasks


@pages.get("/mine/<int:assignment_id>/tasks/<task_id>")
@permission_required(USE)
def task(assignment_id: int, task_id: str) -> Any:
    """A sample ticket, what is to be done with it, and what is looked at."""
    row = begun(assignment_id)
    return _task(row, _task_of(row, task_id))


@pages.post("/mine/<int:assignment_id>/tasks/<task_id>")
@permission_required(USE)
def answer_task(assignment_id: int, task_id: str) -> Any:
    """Keep what is written, or hand it in to be graded."""
    row = begun(assignment_id)
    one = _task_of(row, task_id)
    text, quiet = _text("text"), "quiet" in request.form
    try:
        if "hand_in" in request.form:
            learning.hand_in(row, task_id, text, reader())
            flash(_("Handed in. You are told when it has been graded."))
            return redirect(url_for("training.taking", assignment_id=assignment_id), 303)
        learning.save_task(row, task_id, text, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        return _task(begun(assignment_id), one, text, str(problem))
    if quiet:
        return "", 204
    flash(_("Saved. Go on whenever you like, on any device."))
    return redirect(url_for("training.taking", assignment_id=assignment_id), 303)


def _task(row: Assignment, one: Mapping[str, Any], typed: str | None = None, problem: str = "") -> Any:
    works = looking.works(row, one["id"])
    newest: TaskWork | None = works[-1] if works else None
    return show(
        "task.html",
        422 if problem else 200,
        assignment=row,
        course=row.course,
        task=one,
        works=[work for work in works if work.state != DRAFT],
        newest=newest,
        # A task that was not passed is done once more, from what was written before.
        open=row.is_open and (newest is None or newest.state in (DRAFT, FAILED)),
        text=typed if typed is not None else (newest.text if newest is not None else ""),
        problem=problem,
    )


def _task_of(row: Assignment, task_id: str) -> Mapping[str, Any]:
    tasks = row.version.content.get("tasks", ()) if row.version is not None else ()
    found: Mapping[str, Any] | None = next((one for one in tasks if one["id"] == task_id), None)
    if found is None:
        abort(404)
    return found
