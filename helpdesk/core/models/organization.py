"""The companies that requesters belong to."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime


class Organization(Base):
    __tablename__ = "organization"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText, unique=True)
    # People who write from this mail domain join by themselves.
    domain: Mapped[str | None] = mapped_column(String(255), unique=True)
    notes: Mapped[str] = mapped_column(CleanText, default="")
    # Whether its people see each other's tickets in the portal.
    shares_tickets: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
