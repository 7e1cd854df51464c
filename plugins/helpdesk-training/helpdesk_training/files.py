"""Pictures and other files of courses."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from helpdesk.api import (
    Invalid,
    Refused,
    StoredFile,
    User,
    allowed,
    audit,
    db,
    hookimpl,
    require,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_training import rendering
from helpdesk_training.locking import lock
from helpdesk_training.models import RETIRED, Assignment, Course, CourseFile, Outside, Version
from helpdesk_training.permissions import ASSIGN, USE, WRITE
from helpdesk_training.scopes import may_see

MOST_FILES = 500


def add(course: Course, stored: StoredFile, actor: User | None) -> CourseFile:
    """Make a stored file one of a course; its name gets a number when there is another one of that name.

    The same file twice is one. Joins or opens the transaction. Raises :class:`Invalid` (file), :class:`NotAllowed`.
    """
    require(actor, WRITE)
    with transaction():
        lock(course)
        there = {one.name: one for one in of(course)}
        name = stored.name[-190:].lstrip(". ") or "file"
        if name in there and there[name].sha256 == stored.sha256:
            return there[name]
        if not stored.size:
            raise Invalid("file", _("This file is empty. Choose another one."))
        if len(there) >= MOST_FILES:
            raise Invalid("file", _("A course takes %(number)s files at most.", number=MOST_FILES))
        file = CourseFile(
            course_id=course.id, name=_free(name, there), content_type=stored.content_type, size=stored.size,
            sha256=stored.sha256,
        )  # fmt: skip
        db.session.add(file)
        db.session.flush()
        audit("training.file_added", actor, course.name, {"course": course.id, "file": file.name})
    return file


def of(course: Course) -> list[CourseFile]:
    """The files of a course, by their names."""
    query = select(CourseFile).where(CourseFile.course_id == course.id).order_by(CourseFile.name)
    return list(db.session.scalars(query))


def named(course_id: int, name: str) -> CourseFile | None:
    """The file of that name."""
    return db.session.scalar(select(CourseFile).where(CourseFile.course_id == course_id, CourseFile.name == name))


def drop(file: CourseFile, actor: User | None) -> None:
    """Remove a file that no version and not the draft shows. Raises :class:`Refused` for another."""
    require(actor, WRITE)
    with transaction():
        course = db.session.get(Course, file.course_id, with_for_update=True)
        contents = list(db.session.scalars(select(Version.content).where(Version.course_id == file.course_id)))
        if any(file.name in _named_in(content) for content in [*contents, course.draft if course else {}]):
            raise Refused(_("A lesson shows “%(name)s”. Take it out of the lessons first.", name=file.name))
        audit("training.file_removed", actor, course.name if course else "", {"file": file.name})
        db.session.delete(file)


def may_open(user: User, file: CourseFile) -> bool:
    """Whether somebody may open a file: who writes courses; of a course that is published, or that they have taken."""
    if allowed(user, WRITE):
        return True
    if not allowed(user, USE):
        return False
    if file.course.version_id is not None and file.course.state != RETIRED:
        return True
    taken = select(Assignment.id).where(Assignment.course_id == file.course_id, Assignment.user_id == user.id)
    return db.session.scalar(taken.limit(1)) is not None


def may_open_proof(user: User, record: Outside) -> bool:
    """Whether somebody may open the file of training elsewhere: the person, and who looks after their training."""
    if record.user_id == user.id:
        return allowed(user, USE)
    return allowed(user, ASSIGN) and may_see(user, record.user_id)


@hookimpl
def stored_files_in_use(hashes: Collection[str]) -> list[str]:
    """Those that courses have, and proofs of training elsewhere."""
    found: list[Any] = list(db.session.scalars(select(CourseFile.sha256).where(CourseFile.sha256.in_(hashes))))
    return found + list(db.session.scalars(select(Outside.sha256).where(Outside.sha256.in_(hashes))))


def _named_in(content: dict[str, Any]) -> set[str]:
    texts = [words.get("text", "") for lesson in content.get("lessons", ()) for words in lesson["texts"].values()]
    return {name for text in texts for name in rendering.named_files(text)}


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, f".{ending}") if dot and stem else (name, "")
    return next(free for number in range(2, MOST_FILES + 3) if (free := f"{stem}-{number}{ending}") not in taken)
