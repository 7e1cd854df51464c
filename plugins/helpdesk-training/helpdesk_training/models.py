"""Courses and their versions, who is to take which, how far they are, what they have earned, and rules."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    and_,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import Team, Ticket, User, UtcDateTime, db, now

DRAFT, PUBLISHED, RETIRED = "draft", "published", "retired"
COURSE_STATES = (DRAFT, PUBLISHED, RETIRED)
SINGLE, MULTIPLE, ORDER, FREE = "single", "multiple", "order", "text"
QUESTIONS = (SINGLE, MULTIPLE, ORDER, FREE)
# Why somebody is to take a course: by hand, by oneself, a rule of one of OCCASIONS, before it runs out, with a path,
# because another course needs it.
HAND, SELF, REFRESHER, PATH, NEEDED = "hand", "self", "refresher", "path", "needed"
ROLE, TEAM, GROUP, NEW, LOW = "role", "team", "group", "new", "low"
OCCASIONS = (ROLE, TEAM, GROUP, NEW, LOW)
REASONS = (HAND, SELF, REFRESHER, PATH, NEEDED, *OCCASIONS)
ASSIGNED, BEGUN, WAITING, DONE, FAILED, WITHDRAWN = "assigned", "begun", "waiting", "done", "failed", "withdrawn"
ASSIGNMENT_STATES = (ASSIGNED, BEGUN, WAITING, DONE, FAILED, WITHDRAWN)
OPEN_STATES = (ASSIGNED, BEGUN, WAITING)
# Of an attempt at a quiz; void: the course was changed and the person moved on to the new version.
OPEN, GRADING, PASSED, VOID = "open", "grading", "passed", "void"
HANDED_IN = "handed_in"
CLAIMED, VERIFIED, REFUSED = "claimed", "verified", "refused"
GRADES = (1, 2, 3, 4)
KINDS = ("csat", "nps", "ces")
_OPEN = text("state IN ('assigned', 'begun', 'waiting')")
_WAITS = text("next_at IS NOT NULL")
_IS_OPEN = text("state = 'open'")
_TO_GRADE = text("waits")


class Course(db.Model):
    """Something that can be learnt. What is being written stands in ``draft``; what is taken is a version."""

    __tablename__ = "training_course"
    __table_args__ = (Index("ix_training_course_state", "state", "name", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    summary: Mapped[str] = mapped_column(Text, default="")
    # The language of ``name`` and ``summary``, in which every text of the content is there.
    language: Mapped[str] = mapped_column(String(20), default="en")
    # {locale: {"name": ..., "summary": ...}} in further languages.
    titles: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # One of COURSE_STATES.
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    # See ``content.py``.
    draft: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # The newest version, which is taken; None: there is none yet.
    version_id: Mapped[int | None] = mapped_column()
    # Counts the changes, so that two people do not overwrite each other.
    revision: Mapped[int] = mapped_column(default=0)
    pass_mark: Mapped[int] = mapped_column(SmallInteger, default=80)
    # 0: any number.
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    # How long the certificate is good for; None: for ever. So long before its end a refresher is assigned.
    valid_days: Mapped[int | None] = mapped_column()
    refresher_days: Mapped[int] = mapped_column(default=30)
    # Whether people may take it of their own accord.
    self_service: Mapped[bool] = mapped_column(default=True)
    # How long it takes.
    minutes: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)

    skills: Mapped[list["CourseSkill"]] = relationship(order_by="CourseSkill.name", cascade="all, delete-orphan")
    needs: Mapped[list["Course"]] = relationship(
        secondary="training_need",
        primaryjoin="Course.id == Need.course_id",
        secondaryjoin="Course.id == Need.needs_id",
        order_by="Course.name",
    )

    def title(self, locale: str | None) -> str:
        """The name in a language, else in the course's own."""
        return str((self.titles or {}).get(locale or "", {}).get("name") or self.name)

    def about(self, locale: str | None) -> str:
        """The summary in a language, else in the course's own."""
        return str((self.titles or {}).get(locale or "", {}).get("summary") or self.summary)


class CourseSkill(db.Model):
    """A skill that a course teaches; by ``key`` it is compared with tags, other courses' and other plugins'."""

    __tablename__ = "training_course_skill"
    __table_args__ = (Index("ix_training_course_skill_key", "key", "course_id"),)

    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class LessonSkill(db.Model):
    """A skill that one lesson of the newest version teaches: what is offered beside a ticket with such a tag."""

    __tablename__ = "training_lesson_skill"
    __table_args__ = (Index("ix_training_lesson_skill_key", "key", "course_id"),)

    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    # {locale: title} of the lesson.
    titles: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Need(db.Model):
    """A course that has to be done before another."""

    __tablename__ = "training_need"

    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"), primary_key=True)
    needs_id: Mapped[int] = mapped_column(
        ForeignKey("training_course.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Version(db.Model):
    """The content of a course as it was published: who has begun stays with it."""

    __tablename__ = "training_version"
    __table_args__ = (Index("uq_training_version_course_id_number", "course_id", "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"))
    # The first one is 1.
    number: Mapped[int] = mapped_column()
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    pass_mark: Mapped[int] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)


class CourseFile(db.Model):
    """A picture or another file of a course. It is never replaced: old versions name it."""

    __tablename__ = "training_file"
    __table_args__ = (Index("uq_training_file_course_id_name", "course_id", "name", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    course: Mapped[Course] = relationship()


class Path(db.Model):
    """Courses in an order: a first week, a way into another department."""

    __tablename__ = "training_path"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    summary: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)

    items: Mapped[list["PathItem"]] = relationship(
        order_by="PathItem.position", cascade="all, delete-orphan", back_populates="path"
    )


class PathItem(db.Model):
    """A course of a path, and by how many days after the beginning it is to be done."""

    __tablename__ = "training_path_item"

    path_id: Mapped[int] = mapped_column(ForeignKey("training_path.id", ondelete="CASCADE"), primary_key=True)
    course_id: Mapped[int] = mapped_column(
        ForeignKey("training_course.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(SmallInteger, default=0)
    due_days: Mapped[int | None] = mapped_column()

    path: Mapped[Path] = relationship(back_populates="items")
    course: Mapped[Course] = relationship()


class Rule(db.Model):
    """Who is given a course or a path without anybody's doing."""

    __tablename__ = "training_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # One of OCCASIONS: of a role, in a team, in a group that another plugin knows, new on the desk, after low answers.
    occasion: Mapped[str] = mapped_column(String(8))
    # "" in a rule of another occasion, and for staff of every role.
    role: Mapped[str] = mapped_column(String(20), default="")
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    group_key: Mapped[str] = mapped_column(String(100), default="")
    # A low answer: to a survey of this kind, a score of at most ``most``, a ticket with ``tag`` ("": any ticket),
    # so many ``times`` within so many ``days``.
    kind: Mapped[str] = mapped_column(String(8), default="csat")
    most: Mapped[int] = mapped_column(SmallInteger, default=2)
    tag: Mapped[str] = mapped_column(String(100), default="")
    times: Mapped[int] = mapped_column(SmallInteger, default=1)
    days: Mapped[int] = mapped_column(default=30)
    # One of the two.
    course_id: Mapped[int | None] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"), index=True)
    path_id: Mapped[int | None] = mapped_column(ForeignKey("training_path.id", ondelete="CASCADE"), index=True)
    # None: no end is set (a path's items have their own).
    due_days: Mapped[int | None] = mapped_column(default=14)
    active: Mapped[bool] = mapped_column(default=True)
    # When it was switched on: people who were new before are left alone.
    since: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    team: Mapped[Team | None] = relationship()
    course: Mapped[Course | None] = relationship()
    path: Mapped[Path | None] = relationship()


class LowAnswer(db.Model):
    """An answer to a survey that a rule counts against an agent."""

    __tablename__ = "training_low_answer"
    __table_args__ = (Index("ix_training_low_answer_user_id", "user_id", "rule_id", "at"),)

    rule_id: Mapped[int] = mapped_column(ForeignKey("training_rule.id", ondelete="CASCADE"), primary_key=True)
    response_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


class Assignment(db.Model):
    """Somebody is to take a course, takes it, or has. One at a time is open for a person and a course."""

    __tablename__ = "training_assignment"
    __table_args__ = (
        Index("uq_training_assignment_open", "user_id", "course_id", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
        Index("ix_training_assignment_next_at", "next_at", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_training_assignment_user_id", "user_id", "id"),
        Index("ix_training_assignment_course_id", "course_id", "state", "user_id"),
        Index("ix_training_assignment_state", "state", "due_at", "id"),
        Index("ix_training_assignment_rule_id", "rule_id", "user_id", "course_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"))
    # None: not begun yet.
    version_id: Mapped[int | None] = mapped_column(ForeignKey("training_version.id", ondelete="CASCADE"), index=True)
    path_id: Mapped[int | None] = mapped_column(ForeignKey("training_path.id", ondelete="SET NULL"), index=True)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("training_rule.id", ondelete="SET NULL"))
    # One of REASONS; what whoever assigned it has said; the ticket that led to it.
    why: Mapped[str] = mapped_column(String(10), default=HAND)
    words: Mapped[str] = mapped_column(Text, default="")
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    assigned_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The next moment at which something happens by itself (remind, say that it is late, escalate); None: never.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # One of ASSIGNMENT_STATES; why it was withdrawn.
    state: Mapped[str] = mapped_column(String(10), default=ASSIGNED)
    withdrawn_why: Mapped[str] = mapped_column(Text, default="")
    # Attempts that were granted beyond those of the version.
    extra_attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Percent of the quiz that was passed; None: there was none.
    score: Mapped[int | None] = mapped_column(SmallInteger)

    person: Mapped[User] = relationship(foreign_keys=user_id)
    course: Mapped[Course] = relationship()
    version: Mapped[Version | None] = relationship()
    path: Mapped[Path | None] = relationship()
    rule: Mapped[Rule | None] = relationship()
    ticket: Mapped[Ticket | None] = relationship()
    assigned_by: Mapped[User | None] = relationship(foreign_keys=assigned_by_id)

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in OPEN_STATES


class LessonDone(db.Model):
    """A lesson that somebody has finished."""

    __tablename__ = "training_lesson_done"

    assignment_id: Mapped[int] = mapped_column(
        ForeignKey("training_assignment.id", ondelete="CASCADE"), primary_key=True
    )
    lesson_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    done_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Attempt(db.Model):
    """A try at a quiz. What has been answered so far is kept as it is typed."""

    __tablename__ = "training_attempt"
    __table_args__ = (
        Index("uq_training_attempt_assignment_id_number", "assignment_id", "number", unique=True),
        Index("uq_training_attempt_open", "assignment_id", unique=True, sqlite_where=_IS_OPEN,
              postgresql_where=_IS_OPEN),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("training_assignment.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey("training_version.id", ondelete="CASCADE"), index=True)
    # The first one is 1.
    number: Mapped[int] = mapped_column(SmallInteger)
    # OPEN, GRADING, PASSED, FAILED or VOID.
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    # By the ids of the version's questions: ids of options, or a text.
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    saved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Percent.
    score: Mapped[int | None] = mapped_column(SmallInteger)

    assignment: Mapped[Assignment] = relationship()
    version: Mapped[Version] = relationship()


class Answer(db.Model):
    """What was answered to one question of an attempt that was handed in."""

    __tablename__ = "training_answer"
    __table_args__ = (
        Index("uq_training_answer_attempt_id", "attempt_id", "question_id", unique=True),
        Index("ix_training_answer_question", "course_id", "question_id", "right"),
        Index("ix_training_answer_waits", "id", sqlite_where=_TO_GRADE, postgresql_where=_TO_GRADE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("training_attempt.id", ondelete="CASCADE"))
    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"))
    question_id: Mapped[str] = mapped_column(String(40))
    given: Mapped[Any] = mapped_column(JSON)
    # None: it is to be graded by a person.
    right: Mapped[bool | None] = mapped_column()
    waits: Mapped[bool] = mapped_column(default=False)
    points: Mapped[int] = mapped_column(SmallInteger, default=0)
    most: Mapped[int] = mapped_column(SmallInteger, default=1)
    comment: Mapped[str] = mapped_column(Text, default="")
    graded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    graded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    attempt: Mapped[Attempt] = relationship()
    graded_by: Mapped[User | None] = relationship(foreign_keys=graded_by_id)


class TaskWork(db.Model):
    """What somebody has made of a practical task, and what it was found to be."""

    __tablename__ = "training_task_work"
    __table_args__ = (
        Index("uq_training_task_work_assignment_id", "assignment_id", "task_id", "number", unique=True),
        Index("ix_training_task_work_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("training_assignment.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey("training_version.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[str] = mapped_column(String(40))
    number: Mapped[int] = mapped_column(SmallInteger, default=1)
    text: Mapped[str] = mapped_column(Text, default="")
    # DRAFT, HANDED_IN, PASSED, FAILED or VOID.
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    # Points by the ids of the lines of the rubric.
    marks: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    comment: Mapped[str] = mapped_column(Text, default="")
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    handed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    graded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    graded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    assignment: Mapped[Assignment] = relationship()
    version: Mapped[Version] = relationship()
    graded_by: Mapped[User | None] = relationship(foreign_keys=graded_by_id)


class Certificate(db.Model):
    """That somebody has done a course; by its serial it can be looked up."""

    __tablename__ = "training_certificate"
    __table_args__ = (
        Index("ix_training_certificate_user_id", "user_id", "course_id", "earned_at"),
        Index("ix_training_certificate_course_id", "course_id", "expires_at", "user_id"),
        Index("ix_training_certificate_next_at", "next_at", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    course_id: Mapped[int] = mapped_column(ForeignKey("training_course.id", ondelete="CASCADE"))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("training_version.id", ondelete="SET NULL"), index=True)
    assignment_id: Mapped[int | None] = mapped_column(
        ForeignKey("training_assignment.id", ondelete="SET NULL"), unique=True
    )
    serial: Mapped[str] = mapped_column(String(32), unique=True)
    score: Mapped[int | None] = mapped_column(SmallInteger)
    earned_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # None: never.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The next moment at which something happens by itself (a refresher, the end); None: never.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refreshed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When its end was told of.
    expired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    revoked_why: Mapped[str] = mapped_column(Text, default="")

    person: Mapped[User] = relationship(foreign_keys=user_id)
    course: Mapped[Course] = relationship()
    version: Mapped[Version | None] = relationship()

    def is_valid(self, at: datetime) -> bool:
        """Whether it counts at that moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    @classmethod
    def in_force(cls, at: datetime) -> ColumnElement[bool]:
        """The same as a criterion of a query."""
        return and_(cls.revoked_at.is_(None), or_(cls.expires_at.is_(None), cls.expires_at > at))


class Outside(db.Model):
    """Training that somebody had elsewhere. Never changed: a correction is a new one that names it."""

    __tablename__ = "training_outside"
    __table_args__ = (
        Index("ix_training_outside_user_id", "user_id", "id"),
        Index("ix_training_outside_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(200), default="")
    # The names of skills.
    skills: Mapped[list[str]] = mapped_column(JSON, default=list)
    held_on: Mapped[date] = mapped_column(Date)
    # The last day on which it counts; None: for ever.
    until: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(Text, default="")
    file_name: Mapped[str] = mapped_column(String(200), default="")
    file_type: Mapped[str] = mapped_column(String(127), default="")
    file_size: Mapped[int] = mapped_column(BigInteger, default=0)
    # "": there is no file.
    sha256: Mapped[str] = mapped_column(String(64), default="", index=True)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # CLAIMED, VERIFIED or REFUSED.
    state: Mapped[str] = mapped_column(String(10), default=CLAIMED)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision: Mapped[str] = mapped_column(Text, default="")
    # The record that this one corrects, which counts no more.
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("training_outside.id", ondelete="SET NULL"), unique=True)

    person: Mapped[User] = relationship(foreign_keys=user_id)
    recorded_by: Mapped[User | None] = relationship(foreign_keys=recorded_by_id)
    decided_by: Mapped[User | None] = relationship(foreign_keys=decided_by_id)


class Assessment(db.Model):
    """How well somebody can do something, as somebody else has seen. The newest counts; none is changed."""

    __tablename__ = "training_assessment"
    __table_args__ = (Index("ix_training_assessment_user_id", "user_id", "key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(100), index=True)
    name: Mapped[str] = mapped_column(String(100))
    # One of GRADES, from a beginner to somebody who teaches others; 0 takes the assessments before back.
    grade: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    person: Mapped[User] = relationship(foreign_keys=user_id)
    by: Mapped[User | None] = relationship(foreign_keys=by_id)
