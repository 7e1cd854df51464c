"""Search: an index of the words of tickets, messages and people.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Each kind, and the table that its rows belong to.
_KINDS = {"ticket": "ticket", "message": "message", "person": '"user"'}


def upgrade() -> None:
    _of("ticket", "ticket")
    _of(
        "message",
        "message",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_search_message_ticket_id_ticket"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_search_message_ticket_id", "search_message", ["ticket_id"])
    _of("person", "user")
    op.create_table(
        "search_due",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_due")),
        sqlite_autoincrement=True,
    )
    for kind in _KINDS:
        _words(kind)
    # What is there is read by a worker afterwards, the newest first: an upgrade does not wait for it.
    for kind, table in _KINDS.items():
        op.execute(f"INSERT INTO search_due (kind, target_id) SELECT '{kind}', id FROM {table} ORDER BY id")  # nosec B608 # our own names


def _of(kind: str, owner: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        f"search_{kind}",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["id"], [f"{owner}.id"], name=op.f(f"fk_search_{kind}_id_{owner}"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_search_{kind}")),
    )


def _words(kind: str) -> None:
    """The words of a kind; they go with the row of ``search_<kind>`` that they belong to."""
    table = f"search_{kind}_words"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TABLE {table} (id integer PRIMARY KEY REFERENCES search_{kind} (id) ON DELETE CASCADE,"
            " words tsvector NOT NULL)"
        )
        op.execute(f"CREATE INDEX ix_{table}_words ON {table} USING gin (words)")
        return
    # Our own words come in, with a blank between: nothing is left to be taken apart.
    op.execute(f"CREATE VIRTUAL TABLE {table} USING fts5 (words, tokenize = 'ascii', prefix = '2 3')")
    op.execute(
        f"CREATE TRIGGER search_{kind}_gone AFTER DELETE ON search_{kind}"
        f" BEGIN DELETE FROM {table} WHERE rowid = OLD.id; END"  # nosec B608 # our own names
    )


def downgrade() -> None:
    for kind in _KINDS:
        op.drop_table(f"search_{kind}_words")
    op.drop_table("search_due")
    for kind in _KINDS:
        op.drop_table(f"search_{kind}")
