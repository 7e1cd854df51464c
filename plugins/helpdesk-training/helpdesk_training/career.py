"""What the ladder of careers asks of training: criteria, competences, certificates. Nothing while it is off."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import func, select

from helpdesk.api import db, hookimpl, now, number_in, reader
from helpdesk.api import lazy_gettext as _l
from helpdesk_training import courses, skills
from helpdesk_training.models import DONE, Assignment, Certificate

# So many people are named in one query.
_MANY = 400
Measured = Mapping[int, tuple[float | None, int]]


@hookimpl(optionalhook=True)
def career_criteria() -> list[dict[str, Any]]:
    """How many courses somebody has completed, whether a certain one, and whether they hold its certificate now."""
    usual = {"better": "more", "counts": False}
    return [
        {
            "key": "training.courses", "label": _l("Courses completed"), "unit": "number", "choices": None,
            "measure": _courses, "link": _record, **usual,
        },
        {
            "key": "training.course", "label": _l("Course completed"), "unit": "yes", "choices": _choices,
            "measure": _course, "link": _to_take, **usual,
        },
        {
            "key": "training.certificate", "label": _l("Certificate in force"), "unit": "yes", "choices": _choices,
            "measure": _certificate, "link": _to_take, **usual,
        },
    ]  # fmt: skip


@hookimpl(optionalhook=True)
def career_competences() -> list[str]:
    """The skills that courses teach."""
    return skills.own_names()


@hookimpl(optionalhook=True)
def career_certificates() -> list[dict[str, Any]]:
    """Who holds which certificate now, and until when. Two queries."""
    query = select(Certificate.course_id, Certificate.user_id, Certificate.expires_at).where(
        Certificate.in_force(now())
    )
    held: dict[int, dict[int, datetime | None]] = {}
    for course_id, user_id, ends in db.session.execute(query):
        mine = held.setdefault(course_id, {})
        mine[user_id] = ends if user_id not in mine else _later(mine[user_id], ends)
    names = {number: name for number, name in courses.all_names()} | courses.names(held)
    return [
        {"key": str(number), "label": name, "holders": held.get(number, {})} for number, name in sorted(names.items())
    ]


def _courses(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    done = (Assignment.state == DONE,) if since is None else (Assignment.state == DONE, Assignment.done_at >= since)
    query = select(Assignment.user_id, func.count(Assignment.course_id.distinct())).where(*done)
    rows = _among(query.group_by(Assignment.user_id), Assignment.user_id, user_ids)
    return {user_id: (float(count), count) for user_id, count in rows}


def _course(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    done = (Assignment.state == DONE, Assignment.course_id == (number_in(choice) or 0))
    query = select(Assignment.user_id, func.count()).where(*done).group_by(Assignment.user_id)
    query = query if since is None else query.where(Assignment.done_at >= since)
    return {user_id: (1.0, count) for user_id, count in _among(query, Assignment.user_id, user_ids)}


def _certificate(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    held = (Certificate.in_force(now()), Certificate.course_id == (number_in(choice) or 0))
    query = select(Certificate.user_id, func.count()).where(*held).group_by(Certificate.user_id)
    query = query if since is None else query.where(Certificate.earned_at >= since)
    return {user_id: (1.0, count) for user_id, count in _among(query, Certificate.user_id, user_ids)}


def _choices() -> list[tuple[str, str]]:
    return [(str(number), name) for number, name in courses.all_names()]


def _record(user_id: int, choice: str, days: int) -> str | None:
    # Of others it is a page that only those may open who look after them.
    if reader().id == user_id:
        return url_for("training.index")
    return url_for("training.person", user_id=user_id)


def _to_take(user_id: int, choice: str, days: int) -> str | None:
    return url_for("training.course", course_id=number_in(choice) or 0)


def _among(query: Any, column: Any, user_ids: Sequence[int]) -> list[Any]:
    """The rows about some people; of very many the database is asked for all, which is cheaper than to name them."""
    wanted = set(user_ids)
    if len(wanted) <= _MANY:
        query = query.where(column.in_(wanted))
    return [row for row in db.session.execute(query) if row[0] in wanted]


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)
