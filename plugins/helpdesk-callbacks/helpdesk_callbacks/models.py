"""Promised calls, the tries to make them, the time they take, and what makes them by itself."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import Team, Ticket, User, UtcDateTime, db, now

# Booked, its time has come, its time has passed without a try; done and cancelled are the ends.
BOOKED, DUE, MISSED, DONE, CANCELLED = "booked", "due", "missed", "done", "cancelled"
STATES = (BOOKED, DUE, MISSED, DONE, CANCELLED)
# Somebody still has to do something.
OPEN = (BOOKED, DUE, MISSED)
CALL, MAIL = "call", "mail"
KINDS = (CALL, MAIL)
AGENT, CUSTOMER, RULE, PLUGIN = "agent", "customer", "rule", "plugin"
SOURCES = (AGENT, CUSTOMER, RULE, PLUGIN)
REACHED, NO_ANSWER, BUSY, WRONG_NUMBER, REFUSED = "reached", "no_answer", "busy", "wrong_number", "refused"
OUTCOMES = (REACHED, NO_ANSWER, BUSY, WRONG_NUMBER, REFUSED)
# The person was not spoken to: the next try comes by itself.
IN_VAIN = (NO_ANSWER, BUSY)
# What ended it without a try: the mail of a follow-up, the mail after the last try.
WRITTEN, UNWANTED = "written", "unwanted"
# Why somebody should look at a booked call: nobody works then, or who should make it is away.
CLOSED, AWAY = "closed", "away"
_HAS_ALARM = text("alarm_at IS NOT NULL")
_WAS_ELSEWHERE = text("home_id IS NOT NULL")


class Reason(db.Model):
    """What a call is about, and what to ask then."""

    __tablename__ = "callbacks_reason"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # One question a line.
    questions: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class FollowUpRule(db.Model):
    """Makes a call or a mail so many days after a ticket was solved; what is empty does not matter."""

    __tablename__ = "callbacks_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # One of KINDS.
    kind: Mapped[str] = mapped_column(String(8), default=CALL)
    days: Mapped[int] = mapped_column(default=3)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_type.id", ondelete="CASCADE"), index=True)
    tag: Mapped[str] = mapped_column(String(100), default="")
    priority: Mapped[str] = mapped_column(String(10), default="")
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks_reason.id", ondelete="SET NULL"), index=True)
    # What the call is about, or what the mail says; "": the usual words.
    words: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)
    # Tickets that were solved before this moment are left alone: when it was made or switched on.
    since: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    reason: Mapped[Reason | None] = relationship()


class Call(db.Model):
    """A call that was promised to somebody, on a ticket."""

    __tablename__ = "callbacks_call"
    __table_args__ = (
        Index("ix_callbacks_call_alarm_at", "alarm_at", "id", sqlite_where=_HAS_ALARM, postgresql_where=_HAS_ALARM),
        Index("ix_callbacks_call_home_id", "home_id", sqlite_where=_WAS_ELSEWHERE, postgresql_where=_WAS_ELSEWHERE),
        Index("ix_callbacks_call_state", "state", "starts_at", "id"),
        Index("ix_callbacks_call_starts_at", "starts_at", "id"),
        Index("ix_callbacks_call_agent_id", "agent_id", "starts_at", "id"),
        Index("ix_callbacks_call_team_id", "team_id", "starts_at", "id"),
        Index("ix_callbacks_call_person_id", "person_id", "starts_at", "id"),
        Index("ix_callbacks_call_promised_from", "promised_from", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    # The ticket it was booked on, if that was merged into another since.
    home_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"))
    person_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    # Who makes it: an agent, whoever of a team, or (neither) whoever sees the ticket.
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"))
    phone: Mapped[str] = mapped_column(String(64), default="")
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks_reason.id", ondelete="SET NULL"), index=True)
    # What it is about, in somebody's own words.
    reason: Mapped[str] = mapped_column(Text, default="")
    priority: Mapped[str] = mapped_column(String(10), default="normal")
    priority_rank: Mapped[int] = mapped_column(SmallInteger, default=1)
    kind: Mapped[str] = mapped_column(String(8), default=CALL)
    source: Mapped[str] = mapped_column(String(10), default=AGENT)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks_rule.id", ondelete="SET NULL"), index=True)
    # The window of the next try, and the customer's zone (IANA).
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    # What the customer was told last; another try after one in vain does not change it.
    promised_from: Mapped[datetime] = mapped_column(UtcDateTime)
    promised_until: Mapped[datetime] = mapped_column(UtcDateTime)
    # Booked outside the hours on purpose.
    anyway: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default=BOOKED)
    # "", CLOSED or AWAY.
    problem: Mapped[str] = mapped_column(String(10), default="")
    tries: Mapped[int] = mapped_column(default=0)
    # Of the last try.
    outcome: Mapped[str] = mapped_column(String(16), default="")
    # Whether the first try was made within what was promised; None: it can still be.
    kept: Mapped[bool | None] = mapped_column()
    first_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Since the window was set: when somebody was reminded, when it was handed out, when supervisors were told.
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The next moment at which something happens by itself; None: never.
    alarm_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # Counts changes: a form made from an older one is stale.
    version: Mapped[int] = mapped_column(default=1)
    # Counts what calendars were told (RFC 5545, SEQUENCE).
    sequence: Mapped[int] = mapped_column(default=0)

    ticket: Mapped[Ticket] = relationship(foreign_keys=ticket_id)
    person: Mapped[User] = relationship(foreign_keys=person_id)
    agent: Mapped[User | None] = relationship(foreign_keys=agent_id)
    team: Mapped[Team | None] = relationship()
    reason_row: Mapped[Reason | None] = relationship()
    rule: Mapped[FollowUpRule | None] = relationship()

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in OPEN


class Attempt(db.Model):
    """One try to make a call, and what came of it."""

    __tablename__ = "callbacks_attempt"
    __table_args__ = (
        Index("uq_callbacks_attempt_call_id_number", "call_id", "number", unique=True),
        Index("ix_callbacks_attempt_at", "at", "id"),
        Index("ix_callbacks_attempt_agent_id", "agent_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("callbacks_call.id", ondelete="CASCADE"))
    # The first one is 1.
    number: Mapped[int] = mapped_column()
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # One of OUTCOMES.
    outcome: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    next_step: Mapped[str] = mapped_column(Text, default="")
    # When the next try is, if there is one.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    agent: Mapped[User | None] = relationship()
    call: Mapped[Call] = relationship()


class Cell(db.Model):
    """A quarter of an hour of somebody's time that a call has: the key sees to it that nobody has it twice."""

    __tablename__ = "callbacks_cell"

    # "a7" is the agent 7, "t3" the team 3, "d" the desk, for calls that are nobody's.
    owner: Mapped[str] = mapped_column(String(24), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    # A team has several.
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("callbacks_call.id", ondelete="CASCADE"), index=True)


class TeamCapacity(db.Model):
    """How many calls a team can take in one slot, where it is not as the settings say."""

    __tablename__ = "callbacks_team"

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    most: Mapped[int] = mapped_column()


class Followed(db.Model):
    """A rule has looked at a solved ticket: once is enough, whatever came of it."""

    __tablename__ = "callbacks_followed"

    rule_id: Mapped[int] = mapped_column(ForeignKey("callbacks_rule.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, index=True)
    # None: the customer had had as many as are wanted.
    call_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks_call.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Feed(db.Model):
    """The secret address of an agent's calendar; only its digest is kept."""

    __tablename__ = "callbacks_feed"

    agent_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
