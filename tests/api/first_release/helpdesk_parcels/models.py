from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.api import db


class Parcel(db.Model):
    __tablename__ = "parcels_parcel"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), index=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    looked: Mapped[int] = mapped_column(default=0)
