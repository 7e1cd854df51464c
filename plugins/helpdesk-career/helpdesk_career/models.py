"""The ladder, who stands where and since when, and all that is recorded of a person on the way."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, Float, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import Team, Ticket, TicketType, Topic, User, UtcDateTime, db, now

# The levels that are there from the beginning; their names are translated until somebody gives them others.
JUNIOR, INTERMEDIATE, SENIOR, SUPERVISOR = "junior", "intermediate", "senior", "supervisor"
KEYS = (JUNIOR, INTERMEDIATE, SENIOR, SUPERVISOR)
# What an entry of the history says.
PLACED, PROMOTED, MOVED, LOWERED, ENDED, CORRECTED = "placed", "promoted", "moved", "lowered", "ended", "corrected"
STEPS = (PLACED, PROMOTED, MOVED, LOWERED, ENDED, CORRECTED)
# What becomes of a proposal.
OPEN, APPROVED, REFUSED, WITHDRAWN = "open", "approved", "refused", "withdrawn"
# How a goal stands.
GOAL_OPEN, REACHED, DROPPED = "open", "reached", "dropped"
GOAL_STATES = (GOAL_OPEN, REACHED, DROPPED)
# How far a review is: being written, seen by the person, and answered by them.
DRAFT, SHARED, READ = "draft", "shared", "read"
# What is asked in a review.
WORDS, GRADE = "words", "grade"
ITEMS = (WORDS, GRADE)
# How well somebody has a competence; 0 in a form: not assessed.
GRADES = (1, 2, 3, 4, 5)
PRAISE, INCENTIVE = "praise", "incentive"
RECOGNITIONS = (PRAISE, INCENTIVE)
# What a rule does with a level or a certificate.
OPENS, NEEDS, TAKES = "opens", "needs", "takes"
ACTS = (OPENS, NEEDS, TAKES)
NAME_LENGTH, CRITERION_LENGTH, CHOICE_LENGTH = 100, 60, 100
_IS_OPEN = text("state = 'open'")
_IS_STALE = text("stale")


class Track(db.Model):
    """A row of levels; one may lead into another department."""

    __tablename__ = "career_track"

    id: Mapped[int] = mapped_column(primary_key=True)
    # "": the translated name of the first one.
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    # Where it leads to.
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"), index=True)
    # Who holds this level of another track, or a higher one, may change over to its first level.
    from_level_id: Mapped[int | None] = mapped_column()
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    team: Mapped[Team | None] = relationship()
    levels: Mapped[list["Level"]] = relationship(order_by="Level.position, Level.id", back_populates="track")


class Level(db.Model):
    """A step of a track; higher positions come later."""

    __tablename__ = "career_level"
    __table_args__ = (Index("ix_career_level_track_id", "track_id", "position", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("career_track.id", ondelete="CASCADE"))
    # One of KEYS for those that were there from the beginning.
    key: Mapped[str] = mapped_column(String(20), default="")
    # "": the translated name of its key.
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    # Nobody new gets it; who holds it keeps it.
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    track: Mapped[Track] = relationship(back_populates="levels")
    requirements: Mapped[list["Requirement"]] = relationship(
        order_by="Requirement.position, Requirement.id", cascade="all, delete-orphan"
    )


class Competence(db.Model):
    """Something that people can do, which reviews assess and courses teach."""

    __tablename__ = "career_competence"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    # The form in which names are compared.
    norm: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    note: Mapped[str] = mapped_column(Text, default="")
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Requirement(db.Model):
    """What a level asks for, by one criterion."""

    __tablename__ = "career_requirement"
    __table_args__ = (Index("uq_career_requirement_level_id", "level_id", "criterion", "choice", "days", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    level_id: Mapped[int] = mapped_column(ForeignKey("career_level.id", ondelete="CASCADE"))
    criterion: Mapped[str] = mapped_column(String(CRITERION_LENGTH))
    # Which course, competence, language ...; "" where there is nothing to choose.
    choice: Mapped[str] = mapped_column(String(CHOICE_LENGTH), default="")
    # What it was called when it was saved: for while its plugin is off.
    label: Mapped[str] = mapped_column(String(200), default="")
    # At least, or at most where less is better.
    threshold: Mapped[float] = mapped_column(Float, default=1.0)
    # From how many answers or tickets on the value counts.
    least_count: Mapped[int] = mapped_column(default=0)
    # Over how many days it is measured; 0: ever.
    days: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)


class Person(db.Model):
    """Where somebody stands now; made from their steps."""

    __tablename__ = "career_person"
    __table_args__ = (Index("ix_career_person_stale", "user_id", sqlite_where=_IS_STALE, postgresql_where=_IS_STALE),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    # None: they have left the ladder. A level that is held cannot be deleted.
    level_id: Mapped[int | None] = mapped_column(ForeignKey("career_level.id"), index=True)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When they left; what is kept of them is deleted some time after.
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # None: never, or they are being measured.
    measured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Something has happened since that a criterion counts.
    stale: Mapped[bool] = mapped_column(default=True)

    user: Mapped[User] = relationship()
    level: Mapped[Level | None] = relationship()


class Measure(db.Model):
    """What a criterion said of somebody when it was last measured."""

    __tablename__ = "career_measure"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(CRITERION_LENGTH), primary_key=True)
    choice: Mapped[str] = mapped_column(String(CHOICE_LENGTH), primary_key=True, default="")
    days: Mapped[int] = mapped_column(primary_key=True, default=0)
    # None: there was nothing to measure.
    value: Mapped[float | None] = mapped_column(Float)
    count: Mapped[int] = mapped_column(default=0)
    measured_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Step(db.Model):
    """An entry of the history of levels. None is ever changed; a correction is another one that names it."""

    __tablename__ = "career_step"
    __table_args__ = (
        Index("ix_career_step_user_id", "user_id", "id"),
        # An entry is corrected once; who corrects again corrects the correction.
        Index("uq_career_step_corrects_id", "corrects_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    # One of STEPS.
    kind: Mapped[str] = mapped_column(String(10))
    # None: no level (an end, or an entry that a correction takes back).
    level_id: Mapped[int | None] = mapped_column(ForeignKey("career_level.id"), index=True)
    from_level_id: Mapped[int | None] = mapped_column(ForeignKey("career_level.id"), index=True)
    # What the levels were called then.
    level_name: Mapped[str] = mapped_column(String(250), default="")
    from_name: Mapped[str] = mapped_column(String(250), default="")
    # Since when it holds, and when it was written.
    held_from: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    why: Mapped[str] = mapped_column(Text, default="")
    # As it was; see ``progress.evidence``.
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("career_step.id", ondelete="CASCADE"))
    proposal_id: Mapped[int | None] = mapped_column(ForeignKey("career_proposal.id", ondelete="SET NULL"), index=True)

    by: Mapped[User | None] = relationship(foreign_keys=by_id)
    proposal: Mapped["Proposal | None"] = relationship()


class Proposal(db.Model):
    """That somebody is to get a level, and what became of it."""

    __tablename__ = "career_proposal"
    __table_args__ = (
        Index("ix_career_proposal_state", "state", "id"),
        Index("ix_career_proposal_user_id", "user_id", "id"),
        # One at a time for each person.
        Index("uq_career_proposal_open", "user_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    level_id: Mapped[int] = mapped_column(ForeignKey("career_level.id"), index=True)
    from_level_id: Mapped[int | None] = mapped_column(ForeignKey("career_level.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    why: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str] = mapped_column(Text, default="")

    user: Mapped[User] = relationship(foreign_keys=user_id)
    level: Mapped[Level] = relationship(foreign_keys=level_id)
    from_level: Mapped[Level | None] = relationship(foreign_keys=from_level_id)
    by: Mapped[User | None] = relationship(foreign_keys=by_id)
    decided_by: Mapped[User | None] = relationship(foreign_keys=decided_by_id)


class Goal(db.Model):
    """What somebody wants to reach; how it went stands in its entries."""

    __tablename__ = "career_goal"
    __table_args__ = (Index("ix_career_goal_user_id", "user_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date | None] = mapped_column(Date)
    # As its newest entry says.
    state: Mapped[str] = mapped_column(String(10), default=GOAL_OPEN)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    user: Mapped[User] = relationship(foreign_keys=user_id)
    by: Mapped[User | None] = relationship(foreign_keys=by_id)
    entries: Mapped[list["GoalEntry"]] = relationship(order_by="GoalEntry.id", cascade="all, delete-orphan")


class GoalEntry(db.Model):
    """What was said of a goal, and how it stood then."""

    __tablename__ = "career_goal_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    goal_id: Mapped[int] = mapped_column(ForeignKey("career_goal.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    by: Mapped[User | None] = relationship(foreign_keys=by_id)


class Template(db.Model):
    """What a review asks; a review keeps its own copy."""

    __tablename__ = "career_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    # [{"key": "i1", "kind": one of ITEMS, "text": "...", "competence_id": None}]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Review(db.Model):
    """A talk about somebody's work. Once they have seen it nothing of it is changed."""

    __tablename__ = "career_review"
    __table_args__ = (
        Index("ix_career_review_user_id", "user_id", "id"),
        Index("uq_career_review_corrects_id", "corrects_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("career_template.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    # As ``Template.items`` when it was begun, and what was answered, by their keys.
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    shared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the person said that they have read it, and what they said to it.
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reply: Mapped[str] = mapped_column(Text, default="")
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("career_review.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship(foreign_keys=user_id)
    by: Mapped[User | None] = relationship(foreign_keys=by_id)


class Assessment(db.Model):
    """How well somebody has a competence, as somebody saw it; the newest counts."""

    __tablename__ = "career_assessment"
    __table_args__ = (Index("ix_career_assessment_user_id", "user_id", "competence_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    competence_id: Mapped[int] = mapped_column(ForeignKey("career_competence.id", ondelete="CASCADE"), index=True)
    # One of GRADES; 0: a correction takes back what was said before, and nothing is said instead.
    grade: Mapped[int] = mapped_column(SmallInteger)
    why: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    review_id: Mapped[int | None] = mapped_column(ForeignKey("career_review.id", ondelete="SET NULL"), index=True)

    competence: Mapped[Competence] = relationship()
    by: Mapped[User | None] = relationship(foreign_keys=by_id)


class Recognition(db.Model):
    """Thanks or an incentive; a correction is another one that names it."""

    __tablename__ = "career_recognition"
    __table_args__ = (
        Index("ix_career_recognition_user_id", "user_id", "id"),
        Index("uq_career_recognition_corrects_id", "corrects_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10), default=PRAISE)
    # "" in a correction: it is taken back.
    text: Mapped[str] = mapped_column(Text, default="")
    # Of an incentive: what it is worth, in words.
    worth: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("career_recognition.id", ondelete="CASCADE"))

    by: Mapped[User | None] = relationship(foreign_keys=by_id)
    ticket: Mapped[Ticket | None] = relationship()


class Rule(db.Model):
    """What a level or a certificate does: opens a permission, is needed for one, or takes certain tickets."""

    __tablename__ = "career_rule"
    __table_args__ = (Index("ix_career_rule_act", "act", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # One of ACTS.
    act: Mapped[str] = mapped_column(String(10))
    # One of the two: this level or a higher one of its track; the key of a certificate that another plugin gives.
    level_id: Mapped[int | None] = mapped_column(ForeignKey("career_level.id"), index=True)
    certificate: Mapped[str] = mapped_column(String(CHOICE_LENGTH), default="")
    certificate_label: Mapped[str] = mapped_column(String(200), default="")
    # Of OPENS and NEEDS.
    permission: Mapped[str] = mapped_column(String(80), default="")
    # Of TAKES: all that are given must be true of the ticket.
    type_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_type.id", ondelete="CASCADE"), index=True)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="CASCADE"), index=True)
    tag: Mapped[str] = mapped_column(String(100), default="")
    priority: Mapped[str] = mapped_column(String(10), default="")
    # Such tickets go to one of them by themselves, also where the team assigns by hand.
    gives: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    level: Mapped[Level | None] = relationship()
    type: Mapped[TicketType | None] = relationship()
    topic: Mapped[Topic | None] = relationship()
