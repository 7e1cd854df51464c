"""What the search has read: one row for each ticket, message and person in its index, and what is to be read anew.

The words themselves lie beside these rows in ``search_ticket_words``, ``search_message_words`` and
``search_person_words``: tables of FTS5 on SQLite, with a ``tsvector`` and a GIN index on PostgreSQL (migration 0007).
They go with their rows.
"""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base

TICKET, MESSAGE, PERSON = "ticket", "message", "person"


class SearchTicket(Base):
    """A ticket whose subject and requester are in the index."""

    __tablename__ = "search_ticket"

    id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


class SearchMessage(Base):
    """A message whose text and names of files are in the index."""

    __tablename__ = "search_message"

    id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    # As on the message, where it would lie between long texts.
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)


class SearchPerson(Base):
    """A person whose name, address and telephone number are in the index."""

    __tablename__ = "search_person"

    id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)


class SearchDue(Base):
    """Something that was written and is to be read. No foreign key: what is gone by then is left out."""

    __tablename__ = "search_due"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    target_id: Mapped[int] = mapped_column()
