"""Files that are taken in: how each is read, how far it is, and the rows that could not be taken."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.api import User, UtcDateTime, db, now

DRAFT, WAITING, RUNNING, DONE, STOPPED, CANCELLED = "draft", "waiting", "running", "done", "stopped", "cancelled"
# A worker has it, or is to have it.
UNDER_WAY = (WAITING, RUNNING)


class Import(db.Model):
    """One file that is taken in, from the upload to the end."""

    __tablename__ = "customers_import"
    __table_args__ = (Index("ix_customers_import_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name of an ImportKind, and what the file was called.
    kind: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    # The file in the folder of imports; "": it is gone.
    place: Mapped[str] = mapped_column(String(64), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    encoding: Mapped[str] = mapped_column(String(20), default="utf-8")
    delimiter: Mapped[str] = mapped_column(String(1), default=",")
    # The names of its columns, and which column is what: by the key of an ImportColumn, from 0 on.
    header: Mapped[list[str]] = mapped_column(JSON, default=list)
    mapping: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    # What there is becomes what the file says; else only what is empty is filled.
    overwrite: Mapped[bool] = mapped_column(default=False)
    # Where the next row begins, and how many rows were read: written with what the rows became.
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    rows: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    failed: Mapped[int] = mapped_column(default=0)
    # Why it stopped.
    note: Mapped[str] = mapped_column(Text, default="")
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    made_by: Mapped[User | None] = relationship()


class FailedRow(db.Model):
    """A row that could not be taken, as it stood in the file, and why."""

    __tablename__ = "customers_import_error"
    __table_args__ = (Index("ix_customers_import_error_import_id", "import_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("customers_import.id", ondelete="CASCADE"))
    # The first row below the names of the columns is 2, as spreadsheets count.
    row: Mapped[int] = mapped_column()
    reason: Mapped[str] = mapped_column(Text, default="")
    cells: Mapped[list[str]] = mapped_column(JSON, default=list)


class ImportKey(db.Model):
    """What a file has brought so far, where several of its rows are one thing: gone when it is done."""

    __tablename__ = "customers_import_key"

    import_id: Mapped[int] = mapped_column(ForeignKey("customers_import.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
