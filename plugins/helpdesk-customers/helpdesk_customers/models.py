"""Records of people and organizations, what they bought and own, what they agreed to, segments, and merges."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Date, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import Organization, Ticket, User, UtcDateTime, db, now

PERSON, ORGANIZATION = "person", "organization"
SUBJECTS = (PERSON, ORGANIZATION)
# What a field holds.
TEXT, NUMBER, DAY, YES, CHOICE = "text", "number", "day", "yes", "choice"
KINDS = (TEXT, NUMBER, DAY, YES, CHOICE)
# Numbers of fields are whole millionths: exact, and in order, on every database.
MILLIONTHS = 1_000_000
PLACED, PAID, CANCELLED, RETURNED = "placed", "paid", "cancelled", "returned"
ORDER_STATES = (PLACED, PAID, CANCELLED, RETURNED)
# Those that count: for the value, and as bought.
COUNTED = (PLACED, PAID)
GIVEN, WITHDRAWN = "given", "withdrawn"
# How somebody wants to be reached, and when; "" says nothing.
WAYS = ("", "email", "phone", "chat", "post")
HOURS = ("", "morning", "afternoon", "evening")
ALL, ANY = "all", "any"
_NEWEST = text("newest")


class Record(db.Model):
    """What is noted about a person or about an organization: exactly one of the two."""

    __tablename__ = "customers_record"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (organization_id IS NULL)", name="subject"),
        Index("uq_customers_record_user_id", "user_id", unique=True),
        Index("uq_customers_record_organization_id", "organization_id", unique=True),
        Index("ix_customers_record_birthday", "birthday", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    # Month times 100 and day, so that it is found in any year; the year is often not known.
    birthday: Mapped[int | None] = mapped_column(SmallInteger)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    # How to address somebody, as "Frau Dr. Weber"; one of WAYS and of HOURS.
    salutation: Mapped[str] = mapped_column(String(100), default="")
    contact_by: Mapped[str] = mapped_column(String(10), default="")
    contact_at: Mapped[str] = mapped_column(String(10), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    # Counts changes by hand; a form made from an older one is stale.
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    person: Mapped[User | None] = relationship()
    organization: Mapped[Organization | None] = relationship()
    values: Mapped[list["FieldValue"]] = relationship(back_populates="record", passive_deletes=True)
    tags: Mapped[list["RecordTag"]] = relationship(order_by="RecordTag.tag", passive_deletes=True)
    worths: Mapped[list["Worth"]] = relationship(
        order_by="Worth.currency", back_populates="record", passive_deletes=True
    )


class RecordField(db.Model):
    """A field that the owner has made for people or for organizations."""

    __tablename__ = "customers_field"
    __table_args__ = (Index("uq_customers_field_subject_key", "subject", "key", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # One of SUBJECTS and of KINDS: neither changes later.
    subject: Mapped[str] = mapped_column(String(12), default=PERSON)
    kind: Mapped[str] = mapped_column(String(8), default=TEXT)
    # By what files and programs know it.
    key: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(100))
    hint: Mapped[str] = mapped_column(String(200), default="")
    # Of a choice what may be chosen.
    choices: Mapped[list[str]] = mapped_column(JSON, default=list)
    position: Mapped[int] = mapped_column(default=0)
    # Off: not shown, its values stay.
    active: Mapped[bool] = mapped_column(default=True)


class FieldValue(db.Model):
    """What a field says in a record, in the column of its kind; an empty field has no row."""

    __tablename__ = "customers_field_value"
    __table_args__ = (
        Index("ix_customers_field_value_field_text", "field_id", "text"),
        Index("ix_customers_field_value_field_number", "field_id", "number"),
        Index("ix_customers_field_value_field_day", "field_id", "day"),
    )

    record_id: Mapped[int] = mapped_column(ForeignKey("customers_record.id", ondelete="CASCADE"), primary_key=True)
    field_id: Mapped[int] = mapped_column(ForeignKey("customers_field.id", ondelete="CASCADE"), primary_key=True)
    # Of text and choice.
    text: Mapped[str | None] = mapped_column(String(500))
    # Of number in MILLIONTHS; of yes 1 or 0.
    number: Mapped[int | None] = mapped_column(BigInteger)
    day: Mapped[date | None] = mapped_column(Date)

    record: Mapped[Record] = relationship(back_populates="values")
    field: Mapped[RecordField] = relationship()


class RecordTag(db.Model):
    """A tag on a record."""

    __tablename__ = "customers_record_tag"
    __table_args__ = (Index("ix_customers_record_tag_tag", "tag", "record_id"),)

    record_id: Mapped[int] = mapped_column(ForeignKey("customers_record.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)


class Segment(db.Model):
    """Conditions with a name: who meets them is asked of the database each time."""

    __tablename__ = "customers_segment"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    about: Mapped[str] = mapped_column(String(500), default="")
    subject: Mapped[str] = mapped_column(String(12), default=PERSON)
    # ALL or ANY of the conditions; see ``conditions.py``.
    match: Mapped[str] = mapped_column(String(4), default=ALL)
    conditions: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    # How many met them when they were last counted.
    members: Mapped[int | None] = mapped_column()
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Order(db.Model):
    """Something bought: by a person, for an organization, or both. All its amounts are of one currency."""

    __tablename__ = "customers_order"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        Index("uq_customers_order_source_number", "source", "number", unique=True),
        Index("ix_customers_order_user_id", "user_id", "placed_at", "id"),
        Index("ix_customers_order_organization_id", "organization_id", "placed_at", "id"),
        Index("ix_customers_order_placed_at", "placed_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Where its number comes from (a shop, a ledger), so that two may count from one.
    source: Mapped[str] = mapped_column(String(40), default="")
    number: Mapped[str] = mapped_column(String(64))
    # None: nobody that we know, or somebody who was erased; the sums stay.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    # That of the person when it was placed, unless another one is named.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="SET NULL"))
    # One of ORDER_STATES.
    state: Mapped[str] = mapped_column(String(10), default=PAID)
    # ISO 4217; amounts are whole minor units (cents, and yen where there are none).
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    person: Mapped[User | None] = relationship()
    organization: Mapped[Organization | None] = relationship()
    lines: Mapped[list["OrderLine"]] = relationship(
        order_by="OrderLine.position", back_populates="order", cascade="all, delete-orphan", passive_deletes=True
    )


class OrderLine(db.Model):
    """A product in an order. The currency is the order's."""

    __tablename__ = "customers_order_line"
    __table_args__ = (
        CheckConstraint("amount >= 0 AND quantity > 0", name="amount"),
        Index("uq_customers_order_line_order_id", "order_id", "position", unique=True),
        Index("ix_customers_order_line_sku", "sku", "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customers_order.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column()
    # As ``money.sku_key`` writes it.
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200), default="")
    quantity: Mapped[int] = mapped_column(default=1)
    # Of the whole line, in minor units.
    amount: Mapped[int] = mapped_column(BigInteger, default=0)

    order: Mapped[Order] = relationship(back_populates="lines")


class Ownership(db.Model):
    """A product that somebody has, said by hand or by a file; what was bought stands in orders."""

    __tablename__ = "customers_ownership"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (organization_id IS NULL)", name="subject"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("uq_customers_ownership_user_id", "user_id", "sku", "serial", unique=True),
        Index("uq_customers_ownership_organization_id", "organization_id", "sku", "serial", unique=True),
        Index("ix_customers_ownership_sku", "sku", "id"),
        Index("ix_customers_ownership_until", "until", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200), default="")
    quantity: Mapped[int] = mapped_column(default=1)
    serial: Mapped[str] = mapped_column(String(100), default="")
    # The first and the last day on which it is owned (a plan that ends); None: since ever, for good.
    since: Mapped[date | None] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    person: Mapped[User | None] = relationship()
    organization: Mapped[Organization | None] = relationship()


class Consent(db.Model):
    """That somebody agreed to something or withdrew it, with its proof. Rows are added and never changed."""

    __tablename__ = "customers_consent"
    __table_args__ = (
        Index("uq_customers_consent_newest", "user_id", "purpose", unique=True, sqlite_where=_NEWEST,
              postgresql_where=_NEWEST),
        Index("ix_customers_consent_user_id", "user_id", "at", "id"),
        Index("ix_customers_consent_purpose", "purpose", "state", "user_id", sqlite_where=_NEWEST,
              postgresql_where=_NEWEST),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(40))
    # GIVEN or WITHDRAWN.
    state: Mapped[str] = mapped_column(String(10))
    # Whether it is the newest of its purpose.
    newest: Mapped[bool] = mapped_column(default=True)
    # How it was said ("phone", "email", "paper", "form", "import"), the words agreed to, and what proves it.
    way: Mapped[str] = mapped_column(String(20), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    proof: Mapped[str] = mapped_column(Text, default="")
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    # Who took it down; None: the person, a file or the desk.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    # When it was said, which may be before it was taken down.
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    person: Mapped[User] = relationship(foreign_keys=user_id)
    actor: Mapped[User | None] = relationship(foreign_keys=actor_id)
    ticket: Mapped[Ticket | None] = relationship()


class Worth(db.Model):
    """What a record is worth in one currency, with its parts: never added up over currencies."""

    __tablename__ = "customers_worth"
    __table_args__ = (
        Index("ix_customers_worth_score", "currency", "score", "record_id"),
        Index("ix_customers_worth_revenue", "currency", "revenue", "record_id"),
        Index("ix_customers_worth_last_at", "last_at", "record_id"),
        Index("ix_customers_worth_oldest_at", "oldest_at", "record_id"),
    )

    record_id: Mapped[int] = mapped_column(ForeignKey("customers_record.id", ondelete="CASCADE"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    # Of the days that the settings count: sum and number of orders, the oldest one among them.
    revenue: Mapped[int] = mapped_column(BigInteger, default=0)
    orders: Mapped[int] = mapped_column(default=0)
    oldest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Of all time.
    revenue_ever: Mapped[int] = mapped_column(BigInteger, default=0)
    orders_ever: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # 1 to 5, by fifths of all records of that subject and currency; 0: not counted yet. Their sum is the score.
    recency: Mapped[int] = mapped_column(SmallInteger, default=0)
    frequency: Mapped[int] = mapped_column(SmallInteger, default=0)
    monetary: Mapped[int] = mapped_column(SmallInteger, default=0)
    score: Mapped[int] = mapped_column(SmallInteger, default=0)

    record: Mapped[Record] = relationship(back_populates="worths")


class WorthBound(db.Model):
    """Where the fifths of a part begin, as they were last counted."""

    __tablename__ = "customers_worth_bound"

    subject: Mapped[str] = mapped_column(String(12), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    # "recency" (seconds since 1970), "frequency" or "monetary".
    part: Mapped[str] = mapped_column(String(10), primary_key=True)
    # The most of the first, second, third and fourth fifth.
    most: Mapped[list[int]] = mapped_column(JSON)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Moved(db.Model):
    """What a merge of two people moved, so that it can be moved back."""

    __tablename__ = "customers_moved"

    # The number of the merge in the core.
    merge_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    survivor_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    # What was copied into the survivor's record; see ``merged.py``.
    rows: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
