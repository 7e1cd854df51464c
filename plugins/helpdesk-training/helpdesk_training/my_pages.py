"""What somebody learns: what is to be done, the catalogue, a course with its lessons."""

from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Invalid, Refused, permission_required, reader, send_stored
from helpdesk.api import gettext as _
from helpdesk_training import assigning, learning, looking, rendering
from helpdesk_training import files as keeping
from helpdesk_training.blueprint import pages, show
from helpdesk_training.models import ASSIGNED, DONE, FAILED, Assignment, Course
from helpdesk_training.permissions import USE


@pages.get("/")
@permission_required(USE)
def index() -> Any:
    """What the reader is to learn, what is done, certificates, and training elsewhere."""
    user = reader()
    mine = learning.mine(user)
    waiting = [one for one in mine if one.is_open]
    return show(
        "mine.html",
        waiting=waiting,
        percents=learning.percents(waiting),
        past=[one for one in mine if one.state in (DONE, FAILED)],
        certificates=looking.certificates_of(user),
        outside=looking.outside_of(user),
    )


@pages.get("/courses")
@permission_required(USE)
def catalog() -> Any:
    """All courses that can be taken; ?skill= narrows them."""
    skill = request.args.get("skill", "")[:100]
    mine = {one.course_id: one for one in reversed(learning.mine(reader()))}
    return show("catalog.html", courses=looking.published(skill), mine=mine, skills=looking.taught(), skill=skill)


@pages.get("/courses/<int:course_id>")
@permission_required(USE)
def course(course_id: int) -> Any:
    """What a course is about, what it needs, and the way in."""
    row = course_of(course_id)
    version = looking.versions([row]).get(row.id)
    return show("course.html", course=row, version=version, assignment=looking.newest_of(row, reader()))


@pages.post("/courses/<int:course_id>/take")
@permission_required(USE)
def enroll(course_id: int) -> Any:
    """Take a course of one's own accord."""
    row = course_of(course_id)
    try:
        assignment = assigning.enroll(reader(), row)
    except (Invalid, Refused) as problem:
        flash(str(problem), "error")
        return redirect(url_for("training.course", course_id=course_id), 303)
    return redirect(url_for("training.taking", assignment_id=assignment.id), 303)


@pages.get("/courses/<int:course_id>/files/<name>")
@permission_required(USE)
def course_file(course_id: int, name: str) -> Any:
    """A picture or another file of a course."""
    found = keeping.named(course_id, name) if course_id < 2**31 else None
    if found is None or not keeping.may_open(reader(), found):
        abort(404)
    return send_stored(found.sha256, found.name, found.content_type, inline=True)


@pages.get("/courses/<int:course_id>/lessons/<lesson_id>")
@permission_required(USE)
def lesson_link(course_id: int, lesson_id: str) -> Any:
    """Where a link between lessons leads: into the reader's own course, else to what the course is about."""
    row = course_of(course_id)
    mine = looking.newest_of(row, reader())
    if mine is None or mine.version is None or not _has(mine, lesson_id):
        return redirect(url_for("training.course", course_id=course_id), 303)
    return redirect(url_for("training.lesson", assignment_id=mine.id, lesson_id=lesson_id), 303)


# ---- a course that is taken


@pages.get("/mine/<int:assignment_id>")
@permission_required(USE)
def taking(assignment_id: int) -> Any:
    """How far the reader is with a course, and what comes next."""
    row = own(assignment_id)
    state = learning.state_of(row) if row.version is not None else None
    newer = learning.newer(row) if row.version is not None and row.is_open else None
    return show(
        "taking.html",
        assignment=row,
        course=row.course,
        progress=state,
        newer=newer,
        onward=_onward(row, state),
        certificate=looking.earned_by(row) if row.state == DONE else None,
    )


@pages.post("/mine/<int:assignment_id>/begin")
@permission_required(USE)
def begin(assignment_id: int) -> Any:
    """Begin it, with the version that is the newest now."""
    row = own(assignment_id)
    try:
        learning.begin(row, reader())
    except (Invalid, Refused) as problem:
        flash(str(problem), "error")
        return redirect(url_for("training.taking", assignment_id=assignment_id), 303)
    return redirect(
        _onward(row, learning.state_of(row)) or url_for("training.taking", assignment_id=assignment_id), 303
    )


@pages.post("/mine/<int:assignment_id>/newest")
@permission_required(USE)
def move_to_newest(assignment_id: int) -> Any:
    """Go on with the newest version of the course."""
    row = own(assignment_id)
    try:
        learning.move_to_newest(row, reader())
    except (Invalid, Refused) as problem:
        flash(str(problem), "error")
    else:
        flash(_("You go on with the newest version. Lessons that are as they were stay finished."))
    return redirect(url_for("training.taking", assignment_id=assignment_id), 303)


@pages.get("/mine/<int:assignment_id>/lessons/<lesson_id>")
@permission_required(USE)
def lesson(assignment_id: int, lesson_id: str) -> Any:
    """A lesson to read."""
    row = begun(assignment_id)
    lessons = row.version.content.get("lessons", ()) if row.version is not None else ()
    place = next((number for number, one in enumerate(lessons) if one["id"] == lesson_id), None)
    if place is None:
        abort(404)
    progress, one = progress_of(row), lessons[place]
    return show(
        "lesson.html",
        assignment=row,
        course=row.course,
        progress=progress,
        lesson=one,
        place=place,
        total=len(lessons),
        before=lessons[place - 1] if place else None,
        done=next((done_at for other, done_at in progress.lessons if other["id"] == lesson_id), None),
        html=lambda text: rendering.lesson_html(row.course_id, text),
    )


@pages.post("/mine/<int:assignment_id>/lessons/<lesson_id>")
@permission_required(USE)
def finish_lesson(assignment_id: int, lesson_id: str) -> Any:
    """Say that a lesson was read, and go on with what comes next."""
    row = begun(assignment_id)
    if not _has(row, lesson_id):
        abort(404)
    try:
        learning.finish_lesson(row, lesson_id, reader())
    except (Invalid, Refused) as problem:
        flash(str(problem), "error")
        return redirect(url_for("training.lesson", assignment_id=assignment_id, lesson_id=lesson_id), 303)
    lessons = row.version.content["lessons"] if row.version is not None else []
    place = next(number for number, one in enumerate(lessons) if one["id"] == lesson_id)
    if place + 1 < len(lessons):
        following = lessons[place + 1]["id"]
        return redirect(url_for("training.lesson", assignment_id=assignment_id, lesson_id=following), 303)
    return redirect(
        _onward(row, learning.state_of(row)) or url_for("training.taking", assignment_id=assignment_id), 303
    )


# ---- what other pages need


def course_of(course_id: int) -> Course:
    """A course that the reader may look at, or the page that says there is none."""
    found = looking.open_course(course_id, reader())
    if found is None:
        abort(404)
    return found


def own(assignment_id: int) -> Assignment:
    """What the reader takes, or the page that says there is nothing."""
    found = looking.own_assignment(assignment_id, reader())
    if found is None:
        abort(404)
    return found


def begun(assignment_id: int) -> Assignment:
    """The same, once it has been begun; before, there is nothing to read yet."""
    found = own(assignment_id)
    if found.version is None:
        abort(404)
    return found


def progress_of(row: Assignment) -> learning.Progress:
    """How far the reader is with what was begun."""
    found = learning.state_of(row)
    if found is None:
        abort(404)
    return found


def _has(row: Assignment, lesson_id: str) -> bool:
    return row.version is not None and any(one["id"] == lesson_id for one in row.version.content.get("lessons", ()))


def _onward(row: Assignment, progress: Any) -> str:
    """Where it goes on: the first lesson that was not read, the quiz, the first task; "" where nothing is left."""
    if progress is None or row.state == ASSIGNED or not row.is_open:
        return ""
    for one, done_at in progress.lessons:
        if done_at is None:
            return url_for("training.lesson", assignment_id=row.id, lesson_id=one["id"])
    content = row.version.content if row.version is not None else {}
    if content.get("questions") and not progress.passed and progress.quiz_open:
        return url_for("training.quiz", assignment_id=row.id)
    for task, work in progress.tasks:
        if work is None or work.state in ("draft", "failed"):
            return url_for("training.task", assignment_id=row.id, task_id=task["id"])
    return ""
