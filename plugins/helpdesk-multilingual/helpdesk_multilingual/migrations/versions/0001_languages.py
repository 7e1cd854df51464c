"""Languages of messages and people, translations that are kept, the memory, the glossary, engines."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "multilingual_engine",
        sa.Column("key", sa.String(60), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", UtcDateTime()),
        sa.Column("last_error", sa.String(500), nullable=False),
        sa.Column("last_error_at", UtcDateTime()),
        sa.Column("last_ok_at", UtcDateTime()),
        sa.Column("milliseconds", sa.Integer()),
    )
    op.create_table(
        "multilingual_order",
        sa.Column("source", sa.String(20), primary_key=True),
        sa.Column("target", sa.String(20), primary_key=True),
        sa.Column("engines", sa.JSON(), nullable=False),
    )
    op.create_table(
        "multilingual_term",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("target", sa.String(20), nullable=False),
        sa.Column("term", sa.String(200), nullable=False),
        sa.Column("translation", sa.String(200), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("keep", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("source", "target", "term"),
    )
    op.create_index("ix_multilingual_term_term", "multilingual_term", ["term", "id"])
    op.create_table(
        "multilingual_agent",
        sa.Column(
            "user_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("language", sa.String(20), primary_key=True),
        sa.Column("level", sa.String(10), nullable=False),
    )
    op.create_index("ix_multilingual_agent_language", "multilingual_agent", ["language", "user_id"])
    op.create_table(
        "multilingual_person",
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("past", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "multilingual_reader",
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("always", sa.Boolean(), nullable=False),
        sa.Column("target", sa.String(20), nullable=False),
    )
    op.create_table(
        "multilingual_variant",
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("locale", sa.String(20), primary_key=True),
        sa.Column("source_digest", sa.String(64), nullable=False),
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("made", sa.String(10), nullable=False),
        sa.Column("checked_by_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("checked_at", UtcDateTime()),
    )
    op.create_index("ix_multilingual_variant_checked_by_id", "multilingual_variant", ["checked_by_id"])
    op.create_table(
        "multilingual_pair",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("target", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("translation", sa.Text(), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), sa.ForeignKey("ticket.id", ondelete="SET NULL")),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.UniqueConstraint("source", "target", "digest"),
    )
    op.create_index("ix_multilingual_pair_confirmed_by_id", "multilingual_pair", ["confirmed_by_id"])
    op.create_index("ix_multilingual_pair_languages", "multilingual_pair", ["source", "target", "confirmed_at", "id"])
    op.create_index("ix_multilingual_pair_list", "multilingual_pair", ["confirmed_at", "id"])
    op.create_index("ix_multilingual_pair_ticket_id", "multilingual_pair", ["ticket_id"])
    op.create_table(
        "multilingual_band",
        sa.Column("band", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "pair_id",
            sa.Integer(),
            sa.ForeignKey("multilingual_pair.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    op.create_index("ix_multilingual_band_pair_id", "multilingual_band", ["pair_id"])
    op.create_table(
        "multilingual_answer",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ticket_id", sa.Integer(), sa.ForeignKey("ticket.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("message.id", ondelete="CASCADE")),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("target", sa.String(20), nullable=False),
        sa.Column("original", sa.Text(), nullable=False),
        sa.Column("translated", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(60), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
    )
    op.create_index(
        "ix_multilingual_answer_message_id",
        "multilingual_answer",
        ["message_id"],
        unique=True,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "ix_multilingual_answer_pending",
        "multilingual_answer",
        ["ticket_id", "user_id", "id"],
        sqlite_where=sa.text("message_id IS NULL"),
        postgresql_where=sa.text("message_id IS NULL"),
    )
    op.create_index("ix_multilingual_answer_ticket_id", "multilingual_answer", ["ticket_id", "id"])
    op.create_index("ix_multilingual_answer_user_id", "multilingual_answer", ["user_id", "id"])
    op.create_table(
        "multilingual_message",
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("message.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("chosen_by_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
    )
    op.create_index("ix_multilingual_message_chosen_by_id", "multilingual_message", ["chosen_by_id"])
    op.create_table(
        "multilingual_reading",
        sa.Column(
            "message_id",
            sa.Integer(),
            sa.ForeignKey("message.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("target", sa.String(20), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(60), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    for table in (
        "multilingual_reading",
        "multilingual_message",
        "multilingual_answer",
        "multilingual_band",
        "multilingual_pair",
        "multilingual_variant",
        "multilingual_reader",
        "multilingual_person",
        "multilingual_agent",
        "multilingual_term",
        "multilingual_order",
        "multilingual_engine",
    ):
        op.drop_table(table)
