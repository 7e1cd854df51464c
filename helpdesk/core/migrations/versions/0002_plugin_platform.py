"""What the plugin platform keeps: health, pauses, schedules, corrected strings, labels in several languages.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from helpdesk.core.models.columns import CleanText, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generation", sa.Column("restart", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("plugin_state", sa.Column("listens", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("plugin_state", sa.Column("paused_at", UtcDateTime(), nullable=True))
    op.add_column("plugin_state", sa.Column("paused_reason", CleanText(), nullable=False, server_default=""))
    op.add_column("plugin_state", sa.Column("migration_error", CleanText(), nullable=False, server_default=""))
    op.add_column("ticket_field", sa.Column("plugin", sa.String(length=60), nullable=True))
    op.create_table(
        "plugin_health",
        sa.Column("plugin", sa.String(length=60), nullable=False),
        sa.Column("hook", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("slow", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("error", CleanText(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("rests_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("plugin", "hook", "day", name=op.f("pk_plugin_health")),
    )
    op.create_index("ix_plugin_health_day", "plugin_health", ["day"])
    op.create_table(
        "schedule",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("plugin", sa.String(length=60), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("rule", Json(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("next_due_at", UtcDateTime(), nullable=False),
        sa.Column("last_due_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_schedule")),
    )
    op.create_index("ix_schedule_next_due_at", "schedule", ["next_due_at"])
    op.create_table(
        "corrected_string",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        # Of context and message: both may be longer than an index takes.
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("context", CleanText(), nullable=True),
        sa.Column("message", CleanText(), nullable=False),
        sa.Column("plural", CleanText(), nullable=True),
        sa.Column("texts", Json(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrected_string")),
        sa.UniqueConstraint("locale", "digest", name=op.f("uq_corrected_string_locale_digest")),
    )
    op.create_table(
        "label_text",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("text", CleanText(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "object_id", "locale", name=op.f("pk_label_text")),
    )


def downgrade() -> None:
    op.drop_table("label_text")
    op.drop_table("corrected_string")
    op.drop_index("ix_schedule_next_due_at", table_name="schedule")
    op.drop_table("schedule")
    op.drop_index("ix_plugin_health_day", table_name="plugin_health")
    op.drop_table("plugin_health")
    op.drop_column("ticket_field", "plugin")
    op.drop_column("plugin_state", "migration_error")
    op.drop_column("plugin_state", "paused_reason")
    op.drop_column("plugin_state", "paused_at")
    op.drop_column("plugin_state", "listens")
    op.drop_column("generation", "restart")
