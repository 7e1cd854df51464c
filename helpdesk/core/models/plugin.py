"""Which plugins are on, and how far each has read the events."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime


class PluginState(Base):
    __tablename__ = "plugin_state"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    # The last event handed to it, moved in the transaction of that fact's effects.
    cursor: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(CleanText, default="")
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
