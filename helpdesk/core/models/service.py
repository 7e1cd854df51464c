"""Which worker runs a service that only one of the desk may run."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import UtcDateTime


class ServiceLease(Base):
    """It is the worker's until the moment given, or until that worker has no row any more."""

    __tablename__ = "service_lease"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    worker_id: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
