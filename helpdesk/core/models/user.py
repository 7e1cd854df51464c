"""People: requesters, agents, supervisors, administrators."""

import secrets
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime
from helpdesk.core.models.organization import Organization
from helpdesk.core.models.team import Team
from helpdesk.core.phones import phone_key

REQUESTER = "requester"
AGENT = "agent"
SUPERVISOR = "supervisor"
ADMIN = "admin"
ROLES = (REQUESTER, AGENT, SUPERVISOR, ADMIN)
STAFF = (AGENT, SUPERVISOR, ADMIN)


_IS_MERGED = text("merged_into_id IS NOT NULL")


def session_stamp() -> str:
    """A new value for ``auth_stamp``: sessions made under another one are dead."""
    return secrets.token_urlsafe(16)


class User(UserMixin, Base):
    __tablename__ = "user"
    __table_args__ = (
        Index("ix_user_role_name", "role", "name"),
        Index("ix_user_merged_into_id", "merged_into_id", sqlite_where=_IS_MERGED, postgresql_where=_IS_MERGED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Lower-case, the only form in which addresses are stored and compared.
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(CleanText, default="")
    role: Mapped[str] = mapped_column(String(20), default=REQUESTER)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    auth_stamp: Mapped[str] = mapped_column(String(32), default=session_stamp)
    active: Mapped[bool] = mapped_column(default=True)
    # The account of a program: it acts by tokens alone, has no password, and nobody writes or assigns to it.
    is_service: Mapped[bool] = mapped_column(default=False)
    phone: Mapped[str | None] = mapped_column(String(64), index=True)
    # By this it is found however it is written (core/phones.py).
    phone_key: Mapped[str | None] = mapped_column(String(64), index=True)
    # What the person chose; None: the desk's default.
    locale: Mapped[str | None] = mapped_column(String(20))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    color_scheme: Mapped[str] = mapped_column(String(10), default="auto")
    signature: Mapped[str] = mapped_column(CleanText, default="")
    # A message to the address came back for good; None: none that we know of since it was last written by hand.
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounce_reason: Mapped[str] = mapped_column(CleanText, default="")
    # Whether the person wants what nobody asked for: surveys, offers, reminders.
    care_mail: Mapped[bool] = mapped_column(default=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="SET NULL"), index=True)
    # The record that this one went into, never one that is merged itself: mail from this address is theirs, and nobody
    # signs in to it (core/people_merging.py).
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    # How many unsolved tickets the person is given by itself at most; None: any number.
    capacity: Mapped[int | None] = mapped_column()
    # "20:00" to "07:00" in the person's zone: mails that tell of something wait. None: no quiet hours.
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_until: Mapped[str | None] = mapped_column(String(5))
    # When the digest comes, in the person's zone.
    digest_at: Mapped[str] = mapped_column(String(5), default="08:00")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    organization: Mapped[Organization | None] = relationship()
    merged_into: Mapped["User | None"] = relationship(remote_side="User.id", foreign_keys=merged_into_id)
    teams: Mapped[list[Team]] = relationship(secondary="team_member", order_by="Team.name", back_populates="members")

    @validates("phone")
    def _keep_phone_key(self, _name: str, phone: str | None) -> str | None:
        self.phone_key = phone_key(phone)
        return phone

    @property
    def is_active(self) -> bool:
        return self.active

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def is_admin(self) -> bool:
        return self.role == ADMIN

    @property
    def display_name(self) -> str:
        return self.name or self.email or f"#{self.id}"

    def get_id(self) -> str:
        """What Flask-Login keeps in the session: it dies with the stamp."""
        return f"{self.id}.{self.auth_stamp}"
