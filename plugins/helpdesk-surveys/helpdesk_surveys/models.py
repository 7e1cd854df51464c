"""Surveys, their versions, who was asked and who was not, answers, what followed, and kept counts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import Team, Ticket, User, UtcDateTime, db, now

CSAT, NPS, CES, FORM = "csat", "nps", "ces", "form"
KINDS = (CSAT, NPS, CES, FORM)
# The lowest and the highest score of a kind; a questionnaire has none.
SCALES = {CSAT: (1, 5), NPS: (0, 10), CES: (1, 7)}
FACES, STARS, THUMBS, NUMBERS = "faces", "stars", "thumbs", "numbers"
LOOKS = (FACES, STARS, THUMBS, NUMBERS)
# What may be chosen where thumbs are shown: down and up.
THUMB_SCORES = (1, 5)
SOLVED, RHYTHM, HAND, LINK = "solved", "rhythm", "hand", "link"
OCCASIONS = (SOLVED, RHYTHM, HAND, LINK)
PLANNED, SENT, ANSWERED, CLOSED, SUPPRESSED = "planned", "sent", "answered", "closed", "suppressed"
STATES = (PLANNED, SENT, ANSWERED, CLOSED, SUPPRESSED)
TEXT, SINGLE, MULTIPLE, SCALE, DATE = "text", "single", "multiple", "scale", "date"
QUESTIONS = (TEXT, SINGLE, MULTIPLE, SCALE, DATE)
TICKET, CALL, TELL, TAG = "ticket", "call", "tell", "tag"
ACTIONS = (TICKET, CALL, TELL, TAG)
OPEN, CONTACTED, RESOLVED = "open", "contacted", "resolved"
FOLLOW_UP_STATES = (OPEN, CONTACTED, RESOLVED)
# Why somebody was not asked. "refused" is a plugin's; "own" is by hand, about a ticket of one's own.
REASONS = (
    "cap", "tag", "opted_out", "complaint", "no_address", "bounced", "inactive", "staff", "refused", "own", "reopened",
    "merged", "off", "late", "other_team", "again",
)  # fmt: skip
# By what kept counts are cut.
TOTAL, BY_AGENT, BY_TEAM, BY_TAG, BY_CHANNEL, BY_LANGUAGE, CROSS, CROSS_TAG = (
    "total", "agent", "team", "tag", "channel", "language", "cross", "cross_tag",
)  # fmt: skip
_WAITS = text("due_at IS NOT NULL")
_HAS_BALLOT = text("ballot IS NOT NULL")


class Survey(db.Model):
    """What is asked, of whom, when, and what follows."""

    __tablename__ = "surveys_survey"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # One of KINDS, LOOKS and OCCASIONS.
    kind: Mapped[str] = mapped_column(String(8), default=CSAT)
    look: Mapped[str] = mapped_column(String(8), default=FACES)
    occasion: Mapped[str] = mapped_column(String(8), default=SOLVED)
    active: Mapped[bool] = mapped_column(default=False)
    # Answers are kept without the person, the ticket, the agent and the day, and groups below ``min_group`` not shown.
    anonymous: Mapped[bool] = mapped_column(default=False)
    min_group: Mapped[int] = mapped_column(default=5)
    # After a solution; between two questions to the same person.
    delay_hours: Mapped[int] = mapped_column(default=24)
    rhythm_days: Mapped[int] = mapped_column(default=90)
    # Hours of the day in the person's zone: nothing is sent from the one to the other; the same twice: at any time.
    quiet_from: Mapped[int] = mapped_column(SmallInteger, default=20)
    quiet_until: Mapped[int] = mapped_column(SmallInteger, default=8)
    # 0: no reminder.
    reminder_days: Mapped[int] = mapped_column(default=3)
    closes_days: Mapped[int] = mapped_column(default=14)
    # Only tickets of this team; None: of all.
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"), index=True)
    # Tickets with one of these are left out, and people with an open complaint.
    skip_tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    skip_complaints: Mapped[bool] = mapped_column(default=True)
    # {"least": 0, "most": 2, "do": one of ACTIONS, "team_id": None, "tag": ""}: what follows such a score.
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    # The words that are being written; see ``content.py``.
    texts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # The newest version, which is asked; None: there is none yet.
    version_id: Mapped[int | None] = mapped_column()
    # The last part of the address of a survey by link; another one makes the old one dead.
    link_key: Mapped[str] = mapped_column(String(32), unique=True)
    # When it was switched on: tickets that were solved before are left alone.
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    team: Mapped[Team | None] = relationship()


class Version(db.Model):
    """The words of a survey, as they were published: an answer keeps its questions."""

    __tablename__ = "surveys_version"
    __table_args__ = (Index("uq_surveys_version_survey_id_number", "survey_id", "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys_survey.id", ondelete="CASCADE"))
    # The first one is 1.
    number: Mapped[int] = mapped_column()
    # As ``Survey.texts``.
    questions: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)


class Invitation(db.Model):
    """Somebody who is to be asked, or was."""

    __tablename__ = "surveys_invitation"
    __table_args__ = (
        Index("ix_surveys_invitation_due_at", "due_at", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_surveys_invitation_user_id", "user_id", "sent_at"),
        Index("ix_surveys_invitation_survey_id", "survey_id", "id"),
        Index("ix_surveys_invitation_survey_person", "survey_id", "user_id", "created_at"),
        Index("uq_surveys_invitation_ticket_id", "survey_id", "ticket_id", "occurrence", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys_survey.id", ondelete="CASCADE"))
    # The words it was asked with; None: not sent yet.
    version_id: Mapped[int | None] = mapped_column(ForeignKey("surveys_version.id", ondelete="CASCADE"), index=True)
    # None: the person was erased; that somebody was asked is still counted.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    # How often the ticket was asked about before: it was opened and solved again.
    occurrence: Mapped[int] = mapped_column(SmallInteger, default=0)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"), index=True)
    channel: Mapped[str] = mapped_column(String(40), default="")
    language: Mapped[str] = mapped_column(String(20), default="")
    # What tags the ticket had when it was asked about.
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    # One of OCCASIONS, and who asked by hand.
    source: Mapped[str] = mapped_column(String(8), default=SOLVED)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    # One of STATES; of an anonymous survey nobody sees who has answered: those stay sent until it closes.
    state: Mapped[str] = mapped_column(String(10), default=PLANNED)
    # The next moment at which something happens by itself (send, remind, close); None: never.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What the signature of the link is made from as well.
    key: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    survey: Mapped[Survey] = relationship()
    version: Mapped[Version | None] = relationship()
    person: Mapped[User | None] = relationship(foreign_keys=user_id)
    agent: Mapped[User | None] = relationship(foreign_keys=agent_id)
    team: Mapped[Team | None] = relationship()
    ticket: Mapped[Ticket | None] = relationship()


class Suppression(db.Model):
    """Somebody was not asked, and why."""

    __tablename__ = "surveys_suppression"
    __table_args__ = (
        Index("ix_surveys_suppression_survey_id", "survey_id", "id"),
        Index("ix_surveys_suppression_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys_survey.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    # One of REASONS; of a plugin its own words.
    why: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text, default="")
    # Who wanted to ask, by hand.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    survey: Mapped[Survey] = relationship()
    person: Mapped[User] = relationship(foreign_keys=user_id)
    ticket: Mapped[Ticket | None] = relationship()


class Response(db.Model):
    """An answer. Of an anonymous survey, and by a link for everybody, it has neither person nor ticket."""

    __tablename__ = "surveys_response"
    __table_args__ = (
        Index("uq_surveys_response_invitation_id", "invitation_id", unique=True),
        Index("uq_surveys_response_ballot", "ballot", unique=True, sqlite_where=_HAS_BALLOT,
              postgresql_where=_HAS_BALLOT),
        Index("ix_surveys_response_survey_id", "survey_id", "answered_at", "id"),
        Index("ix_surveys_response_agent_id", "agent_id", "survey_id", "answered_at", "id"),
        Index("ix_surveys_response_team_id", "team_id", "survey_id", "answered_at", "id"),
        Index("ix_surveys_response_score", "survey_id", "score", "answered_at", "id"),
        Index("ix_surveys_response_user_id", "user_id", "id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys_survey.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey("surveys_version.id", ondelete="CASCADE"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("surveys_invitation.id", ondelete="SET NULL"))
    # The digest by which a second sending of the same paper changes it; None once nothing can be changed.
    ballot: Mapped[str | None] = mapped_column(String(64))
    ballot_until: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # None in a questionnaire.
    score: Mapped[int | None] = mapped_column(SmallInteger)
    comment: Mapped[str] = mapped_column(Text, default="")
    # By the ids of the version's questions.
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Of an anonymous one only the week: midnight (UTC) of its Monday.
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changes: Mapped[int] = mapped_column(default=0)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"))
    channel: Mapped[str] = mapped_column(String(40), default="")
    language: Mapped[str] = mapped_column(String(20), default="")
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))

    survey: Mapped[Survey] = relationship()
    version: Mapped[Version] = relationship()
    agent: Mapped[User | None] = relationship(foreign_keys=agent_id)
    team: Mapped[Team | None] = relationship()
    ticket: Mapped[Ticket | None] = relationship()
    person: Mapped[User | None] = relationship(foreign_keys=user_id)
    tags: Mapped[list["ResponseTag"]] = relationship(order_by="ResponseTag.tag", cascade="all, delete-orphan")
    follow_ups: Mapped[list["FollowUp"]] = relationship(order_by="FollowUp.id", back_populates="response")


class ResponseTag(db.Model):
    """A tag that the ticket had when it was asked about."""

    __tablename__ = "surveys_response_tag"
    __table_args__ = (Index("ix_surveys_response_tag_tag", "tag", "response_id"),)

    response_id: Mapped[int] = mapped_column(ForeignKey("surveys_response.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)


class FollowUp(db.Model):
    """What a rule made of an answer, and whether somebody has seen to it."""

    __tablename__ = "surveys_follow_up"
    __table_args__ = (
        Index("uq_surveys_follow_up_response_id_action", "response_id", "action", "tag", unique=True),
        Index("ix_surveys_follow_up_state", "state", "id"),
        Index("ix_surveys_follow_up_team_id", "team_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    response_id: Mapped[int] = mapped_column(ForeignKey("surveys_response.id", ondelete="CASCADE"))
    # One of ACTIONS.
    action: Mapped[str] = mapped_column(String(8))
    tag: Mapped[str] = mapped_column(String(100), default="")
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"))
    # The ticket that was opened, and the number of the call in the plugin of promised calls.
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    call_id: Mapped[int | None] = mapped_column()
    # One of FOLLOW_UP_STATES.
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    note: Mapped[str] = mapped_column(Text, default="")
    marked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    marked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # The comment that was passed on last.
    told: Mapped[str] = mapped_column(Text, default="")

    response: Mapped[Response] = relationship(back_populates="follow_ups")
    ticket: Mapped[Ticket | None] = relationship()
    marked_by: Mapped[User | None] = relationship(foreign_keys=marked_by_id)


class Day(db.Model):
    """Counts of a day (UTC) by one cut: 0 and "" stand for what the cut does not tell apart, and for none."""

    __tablename__ = "surveys_day"
    __table_args__ = (
        Index("ix_surveys_day_agent", "survey_id", "cut", "agent_id", "day"),
        Index("ix_surveys_day_team", "survey_id", "cut", "team_id", "day"),
    )

    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys_survey.id", ondelete="CASCADE"), primary_key=True)
    # TOTAL, BY_..., CROSS (agent, team, channel and language together) or CROSS_TAG (those of each tag).
    cut: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    agent_id: Mapped[int] = mapped_column(primary_key=True, default=0)
    team_id: Mapped[int] = mapped_column(primary_key=True, default=0)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    language: Mapped[str] = mapped_column(String(20), primary_key=True, default="")
    tag: Mapped[str] = mapped_column(String(100), primary_key=True, default="")
    invitations: Mapped[int] = mapped_column(default=0)
    answers: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    squares: Mapped[int] = mapped_column(default=0)
    # How many answers had each score.
    n0: Mapped[int] = mapped_column(default=0)
    n1: Mapped[int] = mapped_column(default=0)
    n2: Mapped[int] = mapped_column(default=0)
    n3: Mapped[int] = mapped_column(default=0)
    n4: Mapped[int] = mapped_column(default=0)
    n5: Mapped[int] = mapped_column(default=0)
    n6: Mapped[int] = mapped_column(default=0)
    n7: Mapped[int] = mapped_column(default=0)
    n8: Mapped[int] = mapped_column(default=0)
    n9: Mapped[int] = mapped_column(default=0)
    n10: Mapped[int] = mapped_column(default=0)
