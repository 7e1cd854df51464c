"""Products with prices and relations, promotions, rules, what is bought together, what was suggested and measured."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import Ticket, User, UtcDateTime, db, now

PRODUCT, PLAN, ADDON = "product", "plan", "addon"
KINDS = (PRODUCT, PLAN, ADDON)
ONCE, MONTH, YEAR = "once", "month", "year"
PERIODS = (ONCE, MONTH, YEAR)
REPLACES, REQUIRES, GOES_WITH = "replaces", "requires", "goes_with"
RELATIONS = (REPLACES, REQUIRES, GOES_WITH)
# What a rule suggests: one product; what others bought with what the customer has; what the catalogue says fits it.
ONE, TOGETHER, CATALOGUE = "product", "together", "catalogue"
RULE_KINDS = (ONE, TOGETHER, CATALOGUE)
SHOWN, OFFERED, INTERESTED, ACCEPTED, DECLINED, BOUGHT = (
    "shown", "offered", "interested", "accepted", "declined", "bought",
)  # fmt: skip
STATES = (SHOWN, OFFERED, INTERESTED, ACCEPTED, DECLINED, BOUGHT)
# Nothing more is answered to these.
SETTLED = (ACCEPTED, DECLINED, BOUGHT)
LATER, OTHER = "later", "other"
DECLINE_REASONS = ("price", "not_needed", "has_other", LATER, OTHER)
_OPEN_SUGGESTION = text("bought_at IS NULL")


class Product(db.Model):
    """Something that can be suggested. Orders name it by its SKU."""

    __tablename__ = "upsell_product"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    # One of KINDS.
    kind: Mapped[str] = mapped_column(String(8), default=PRODUCT)
    category: Mapped[str] = mapped_column(String(80), default="", index=True)
    active: Mapped[bool] = mapped_column(default=True)
    # The first and the last day on which it may be suggested; None: no bound.
    starts: Mapped[date | None] = mapped_column(Date)
    ends: Mapped[date | None] = mapped_column(Date)
    # What is left of the price, in percent. It decides among what fits alike, and nothing else.
    margin: Mapped[int | None] = mapped_column(SmallInteger)
    url: Mapped[str] = mapped_column(String(500), default="")
    # {"en": {"name": "Plus plan", "pitch": "More space for your team."}}
    texts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    prices: Mapped[list["Price"]] = relationship(
        order_by="(Price.currency, Price.period)", cascade="all, delete-orphan", back_populates="product"
    )
    relations: Mapped[list["Relation"]] = relationship(
        order_by="(Relation.kind, Relation.id)",
        cascade="all, delete-orphan",
        foreign_keys="Relation.product_id",
        back_populates="product",
    )


class Price(db.Model):
    """What a product costs in one currency, once or for each month or year."""

    __tablename__ = "upsell_price"
    __table_args__ = (Index("uq_upsell_price_product_id", "product_id", "currency", "period", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("upsell_product.id", ondelete="CASCADE"))
    currency: Mapped[str] = mapped_column(String(3))
    # One of PERIODS.
    period: Mapped[str] = mapped_column(String(8), default=ONCE)
    # In the smallest unit of the currency.
    amount: Mapped[int] = mapped_column(BigInteger)

    product: Mapped[Product] = relationship(back_populates="prices")


class Relation(db.Model):
    """A product replaces, requires or goes with another. What replaces or requires is never in a circle."""

    __tablename__ = "upsell_relation"
    __table_args__ = (Index("uq_upsell_relation_product_id", "product_id", "kind", "other_id", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("upsell_product.id", ondelete="CASCADE"))
    # One of RELATIONS.
    kind: Mapped[str] = mapped_column(String(10))
    other_id: Mapped[int] = mapped_column(ForeignKey("upsell_product.id", ondelete="CASCADE"), index=True)

    product: Mapped[Product] = relationship(foreign_keys=product_id, back_populates="relations")
    other: Mapped[Product] = relationship(foreign_keys=other_id)


class Promotion(db.Model):
    """A product costs less for some days."""

    __tablename__ = "upsell_promotion"
    __table_args__ = (Index("ix_upsell_promotion_ends", "ends", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("upsell_product.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    # So much is taken off, 1 to 100.
    percent: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[date] = mapped_column(Date)
    ends: Mapped[date] = mapped_column(Date)
    active: Mapped[bool] = mapped_column(default=True)
    # {"en": {"pitch": "A tenth less until Sunday."}}
    texts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    product: Mapped[Product] = relationship()


class Rule(db.Model):
    """What is suggested to whom, and whether it is."""

    __tablename__ = "upsell_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # One of RULE_KINDS; only ONE has a product.
    kind: Mapped[str] = mapped_column(String(10), default=ONE)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("upsell_product.id", ondelete="CASCADE"), index=True)
    active: Mapped[bool] = mapped_column(default=False)
    # [{"what": "owns", "value": ["BASIC"]}]: all of them must hold; see ``conditions.py``.
    conditions: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    # How well it fits where it holds, 1 to 5.
    weight: Mapped[int] = mapped_column(SmallInteger, default=3)
    # The share of customers to whom it is not shown, so that its effect can be measured; None: as the settings say.
    holdout: Mapped[int | None] = mapped_column(SmallInteger)
    # By language: the reason for the agent, the text for the customer. Empty: the usual words.
    reasons: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    pitches: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # Part of what a customer's group is drawn by: another one draws them anew.
    draw: Mapped[str] = mapped_column(String(32))
    # When it was stopped by itself, because of satisfaction or opened tickets, and the figures of then.
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stop_reason: Mapped[str] = mapped_column(String(20), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    product: Mapped[Product | None] = relationship()


class Pair(db.Model):
    """Two products that were bought together often enough, as they were counted last. Each has both directions."""

    __tablename__ = "upsell_pair"
    __table_args__ = (
        Index("uq_upsell_pair_sku_a", "sku_a", "sku_b", unique=True),
        Index("ix_upsell_pair_together", "together", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku_a: Mapped[str] = mapped_column(String(64))
    sku_b: Mapped[str] = mapped_column(String(64))
    # In how many baskets both are, each of them, and how many baskets there are.
    together: Mapped[int] = mapped_column()
    count_a: Mapped[int] = mapped_column()
    count_b: Mapped[int] = mapped_column()
    baskets: Mapped[int] = mapped_column()

    @property
    def support(self) -> float:
        """The share of baskets with both."""
        return self.together / self.baskets

    @property
    def confidence(self) -> float:
        """The share of baskets with B among those with A."""
        return self.together / self.count_a

    @property
    def lift(self) -> float:
        """How many times more often B is in a basket with A than in any."""
        return self.together * self.baskets / (self.count_a * self.count_b)


class Count(db.Model):
    """When was counted what is bought together, and over how much. One row."""

    __tablename__ = "upsell_count"

    id: Mapped[int] = mapped_column(primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    baskets: Mapped[int] = mapped_column()
    # Baskets with more products than the settings allow were left out.
    left_out: Mapped[int] = mapped_column(default=0)
    pairs: Mapped[int] = mapped_column(default=0)


class Profile(db.Model):
    """What is known of a customer when something is suggested, prepared beforehand."""

    __tablename__ = "upsell_profile"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    # As ``profiles.Known`` has them.
    known: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


class Suggestion(db.Model):
    """Something was suggested to an agent, and what became of it. The price is the one that was shown."""

    __tablename__ = "upsell_suggestion"
    __table_args__ = (
        Index("uq_upsell_suggestion_ticket_id", "ticket_id", "sku", unique=True),
        Index("ix_upsell_suggestion_user_id", "user_id", "shown_at"),
        Index("ix_upsell_suggestion_state", "state", "id"),
        Index("ix_upsell_suggestion_key", "key", "shown_at", "id"),
        Index(
            "ix_upsell_suggestion_unbought",
            "shown_at",
            "id",
            sqlite_where=_OPEN_SUGGESTION,
            postgresql_where=_OPEN_SUGGESTION,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # None: the person was erased; that something was suggested is still counted.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("upsell_rule.id", ondelete="SET NULL"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("upsell_product.id", ondelete="SET NULL"), index=True)
    # What it is counted under: "rule:3", "plugin:orders".
    key: Mapped[str] = mapped_column(String(60))
    sku: Mapped[str] = mapped_column(String(64))
    # What it was called then.
    name: Mapped[str] = mapped_column(String(200), default="")
    # One of STATES.
    state: Mapped[str] = mapped_column(String(10), default=SHOWN)
    # For the agent, in the desk's language; for the customer, in hers.
    # As it was said first, and what it is made of: another reader may read another language.
    reason: Mapped[str] = mapped_column(Text, default="")
    grounds: Mapped[list[Any]] = mapped_column(JSON, default=list)
    pitch: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(20), default="")
    score: Mapped[int] = mapped_column(SmallInteger, default=0)
    # [["weight", 30], ["bought_together", 12]]
    parts: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    # As shown: what is asked for, and what it cost without the promotion.
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    list_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="")
    period: Mapped[str] = mapped_column(String(8), default=ONCE)
    promotion_id: Mapped[int | None] = mapped_column(ForeignKey("upsell_promotion.id", ondelete="SET NULL"), index=True)
    # Until then that price holds.
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    shown_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    shown_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    offered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why it was declined, one of DECLINE_REASONS, and in the customer's words.
    why: Mapped[str] = mapped_column(String(12), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    bought_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What was paid, in the order's own currency.
    revenue: Mapped[int | None] = mapped_column(BigInteger)
    revenue_currency: Mapped[str] = mapped_column(String(3), default="")

    person: Mapped[User | None] = relationship(foreign_keys=user_id)
    ticket: Mapped[Ticket | None] = relationship()
    rule: Mapped[Rule | None] = relationship()
    product: Mapped[Product | None] = relationship()
    promotion: Mapped[Promotion | None] = relationship()
    shown_by: Mapped[User | None] = relationship(foreign_keys=shown_by_id)


class Trial(db.Model):
    """A customer for whom a rule had something to suggest for the first time: it was shown, or held back to compare."""

    __tablename__ = "upsell_trial"
    __table_args__ = (
        Index("uq_upsell_trial_key", "key", "user_id", unique=True),
        Index("ix_upsell_trial_began_at", "key", "began_at"),
        Index("ix_upsell_trial_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("upsell_rule.id", ondelete="SET NULL"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    held: Mapped[bool] = mapped_column()
    began_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    bought_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revenue: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    # How satisfied she said she was with the ticket, 0 to 1, and whether she opened it again, as looked at last.
    satisfaction: Mapped[float | None] = mapped_column()
    reopened: Mapped[bool] = mapped_column(default=False)
    # How often the ticket had been opened again before.
    reopened_before: Mapped[int] = mapped_column(SmallInteger, default=0)
    # Not counted: two people who were in different groups turned out to be one.
    dropped: Mapped[bool] = mapped_column(default=False)
    # Whose it was, where the person that this one was merged into has had the same trial.
    home_user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
