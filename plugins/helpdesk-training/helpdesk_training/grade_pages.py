"""What waits for a person: free texts and practical tasks to grade, training elsewhere to verify."""

from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Form, Invalid, Refused, db, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_training import grading as judging
from helpdesk_training import looking
from helpdesk_training.blueprint import pages, show
from helpdesk_training.content import by_id
from helpdesk_training.models import Answer, TaskWork
from helpdesk_training.permissions import ASSIGN


@pages.get("/grading")
@permission_required(ASSIGN)
def grading() -> Any:
    """All of it, what has waited longest first."""
    return show(
        "grading.html",
        found=judging.waiting(reader(), request.args.get("after") or None),
        claimed=looking.claimed(reader()),
    )


@pages.get("/grading/answers/<int:answer_id>")
@permission_required(ASSIGN)
def answer_form(answer_id: int) -> Any:
    """A free text, with the question and what a good answer says."""
    return _answer(_answer_of(answer_id))


@pages.post("/grading/answers/<int:answer_id>")
@permission_required(ASSIGN)
def grade_answer(answer_id: int) -> Any:
    """Give it points; whoever wrote it is told when all is graded."""
    row, form = _answer_of(answer_id), Form(request.form.to_dict())
    points = form.number("points", smallest=0, largest=row.most)
    comment = form.text("comment", longest=5_000)
    if form.errors:
        return _answer(row, form.typed, form.errors)
    try:
        judging.grade_answer(row, points, comment, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        name = problem.field if isinstance(problem, Invalid) else "form"
        return _answer(_answer_of(answer_id), form.typed, {name: str(problem)})
    flash(_("Graded."))
    return redirect(url_for("training.grading"), 303)


@pages.get("/grading/tasks/<int:work_id>")
@permission_required(ASSIGN)
def work_form(work_id: int) -> Any:
    """A practical task, with its rubric."""
    return _work(_work_of(work_id))


@pages.post("/grading/tasks/<int:work_id>")
@permission_required(ASSIGN)
def grade_task(work_id: int) -> Any:
    """Give points for each line of the rubric."""
    row, form = _work_of(work_id), Form(request.form.to_dict())
    marks = {
        line["id"]: form.number(f"m-{line['id']}", smallest=0, largest=line["points"]) for line in _task(row)["rubric"]
    }
    comment = form.text("comment", longest=5_000)
    if form.errors:
        return _work(row, form.typed, form.errors)
    try:
        judging.grade_task(row, marks, comment, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        name = problem.field if isinstance(problem, Invalid) else "form"
        return _work(_work_of(work_id), form.typed, {name: str(problem)})
    flash(_("Graded."))
    return redirect(url_for("training.grading"), 303)


def _answer_of(answer_id: int) -> Answer:
    found = looking.answer(answer_id, reader())
    if found is None:
        abort(404)
    return found


def _work_of(work_id: int) -> TaskWork:
    found = looking.work(work_id, reader())
    if found is None:
        abort(404)
    return found


def _task(row: TaskWork) -> Any:
    return by_id(row.version.content.get("tasks", ()), row.task_id) or {"id": row.task_id, "texts": {}, "rubric": [],
                                                                         "pass_points": 0}  # fmt: skip


def _answer(row: Answer, typed: Any = None, errors: Any = None) -> Any:
    assignment = row.attempt.assignment
    return show(
        "grade_answer.html",
        422 if errors else 200,
        answer=row,
        assignment=assignment,
        question=by_id(row.attempt.version.content.get("questions", ()), row.question_id),
        typed=typed or {"points": "" if row.waits else row.points, "comment": row.comment},
        errors=errors or {},
        may_change=looking.looks_after(reader(), assignment.person),
    )


def _work(row: TaskWork, typed: Any = None, errors: Any = None) -> Any:
    marks = {f"m-{key}": points for key, points in (row.marks or {}).items()}
    return show(
        "grade_task.html",
        422 if errors else 200,
        work=row,
        assignment=row.assignment,
        task=_task(row),
        typed=typed or {**marks, "comment": row.comment},
        errors=errors or {},
        may_change=looking.looks_after(reader(), row.assignment.person),
    )
