"""What tickets are about: types, and topics as a tree."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText


class TicketType(Base):
    """What kind of ticket it is: a question, a problem, a return ..."""

    __tablename__ = "ticket_type"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(CleanText)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class Topic(Base):
    """What a ticket is about; below another topic, or at the top."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(CleanText)
    # The ids from the top down to this one, "/3/17/": everything below a topic begins with its path.
    path: Mapped[str] = mapped_column(String(255), default="", index=True)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    # Whether customers choose it in their form.
    public: Mapped[bool] = mapped_column(default=False)
