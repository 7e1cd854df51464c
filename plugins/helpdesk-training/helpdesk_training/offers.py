"""Lessons that fit a ticket: by its tags, of courses that can be taken."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, exists, literal, null, or_, select, type_coerce, union_all

from helpdesk.api import Ticket, User, allowed, db, now, settings
from helpdesk_training import rendering
from helpdesk_training.models import PUBLISHED, Certificate, Course, CourseSkill, LessonSkill
from helpdesk_training.permissions import USE
from helpdesk_training.settings import TrainingSettings
from helpdesk_training.skills import key_of


@dataclass(frozen=True)
class Offer:
    """A lesson, or a course as a whole (``lesson_id`` is ""); ``is_known``: the reader holds a certificate of it."""

    course_id: int
    lesson_id: str
    title: str
    course_name: str
    minutes: int
    is_known: bool


def for_ticket(ticket: Ticket, user: User, locale: str | None = None) -> list[Offer]:
    """Lessons that teach what a ticket is tagged with, new ones first. One query, none without tags."""
    most = settings(TrainingSettings).offers
    keys = {key_of(tag.name) for tag in ticket.tags} - {""}
    if not most or not keys or not allowed(user, USE):
        return []
    held = exists().where(
        Certificate.user_id == user.id, Certificate.course_id == Course.id, Certificate.in_force(now())
    )
    fits = union_all(
        select(LessonSkill.course_id, LessonSkill.lesson_id, LessonSkill.titles).where(LessonSkill.key.in_(keys)),
        select(CourseSkill.course_id, literal(""), type_coerce(null(), JSON)).where(CourseSkill.key.in_(keys)),
    ).subquery()
    course_id, lesson_id, titles = fits.c
    query = (
        select(course_id, lesson_id, titles, Course.name, Course.titles, Course.minutes, held)
        .join(Course, Course.id == course_id)
        .where(Course.state == PUBLISHED, or_(Course.self_service, held))
        .order_by(held, lesson_id == "", Course.name, lesson_id)
        .limit(10 * most)
    )
    found: dict[Any, Offer] = {}
    for number, lesson, said, name, names, minutes, known in db.session.execute(query):
        title = str((names or {}).get(locale or "", {}).get("name") or name)
        key = (number, lesson)
        # A course as a whole is not offered beside a lesson of it.
        if key in found or (not lesson and any(number == other for other, _lesson in found)):
            continue
        found[key] = Offer(number, lesson, rendering.words(said, locale) or title, title, minutes, bool(known))
    return list(found.values())[:most]
