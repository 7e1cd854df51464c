"""Keys of forms and of programs' requests that were used, so that what is sent twice counts once."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import UtcDateTime


class IdempotencyKey(Base):
    """A key that was used up, what was sent with it (both hashed: nobody's words stay here), and what came of it."""

    __tablename__ = "idempotency_key"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content_digest: Mapped[str] = mapped_column(String(64))
    # The number of the row that was made: a ticket, a message or a person, as the purpose of the key says.
    result_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
