"""Promised calls, tries, the time they take, reasons and rules."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "callbacks_reason",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("questions", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "callbacks_feed",
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime()),
    )
    op.create_table(
        "callbacks_rule",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("team.id", ondelete="CASCADE")),
        sa.Column("type_id", sa.Integer(), sa.ForeignKey("ticket_type.id", ondelete="CASCADE")),
        sa.Column("tag", sa.String(100), nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("reason_id", sa.Integer(), sa.ForeignKey("callbacks_reason.id", ondelete="SET NULL")),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_callbacks_rule_reason_id", "callbacks_rule", ["reason_id"])
    op.create_index("ix_callbacks_rule_team_id", "callbacks_rule", ["team_id"])
    op.create_index("ix_callbacks_rule_type_id", "callbacks_rule", ["type_id"])
    op.create_table(
        "callbacks_team",
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("team.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("most", sa.Integer(), nullable=False),
    )
    op.create_table(
        "callbacks_call",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ticket_id", sa.Integer(), sa.ForeignKey("ticket.id", ondelete="CASCADE"), nullable=False),
        sa.Column("home_id", sa.Integer(), sa.ForeignKey("ticket.id", ondelete="SET NULL")),
        sa.Column("person_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("team.id", ondelete="SET NULL")),
        sa.Column("phone", sa.String(64), nullable=False),
        sa.Column("reason_id", sa.Integer(), sa.ForeignKey("callbacks_reason.id", ondelete="SET NULL")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("priority_rank", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("rule_id", sa.Integer(), sa.ForeignKey("callbacks_rule.id", ondelete="SET NULL")),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("promised_from", UtcDateTime(), nullable=False),
        sa.Column("promised_until", UtcDateTime(), nullable=False),
        sa.Column("anyway", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("problem", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("kept", sa.Boolean()),
        sa.Column("first_due_at", UtcDateTime()),
        sa.Column("reminded_at", UtcDateTime()),
        sa.Column("told_at", UtcDateTime()),
        sa.Column("escalated_at", UtcDateTime()),
        sa.Column("alarm_at", UtcDateTime()),
        sa.Column("done_at", UtcDateTime()),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
    )
    op.create_index("ix_callbacks_call_agent_id", "callbacks_call", ["agent_id", "starts_at", "id"])
    op.create_index(
        "ix_callbacks_call_alarm_at",
        "callbacks_call",
        ["alarm_at", "id"],
        sqlite_where=sa.text("alarm_at IS NOT NULL"),
        postgresql_where=sa.text("alarm_at IS NOT NULL"),
    )
    op.create_index("ix_callbacks_call_created_by_id", "callbacks_call", ["created_by_id"])
    op.create_index(
        "ix_callbacks_call_home_id",
        "callbacks_call",
        ["home_id"],
        sqlite_where=sa.text("home_id IS NOT NULL"),
        postgresql_where=sa.text("home_id IS NOT NULL"),
    )
    op.create_index("ix_callbacks_call_person_id", "callbacks_call", ["person_id", "starts_at", "id"])
    op.create_index("ix_callbacks_call_promised_from", "callbacks_call", ["promised_from", "id"])
    op.create_index("ix_callbacks_call_reason_id", "callbacks_call", ["reason_id"])
    op.create_index("ix_callbacks_call_rule_id", "callbacks_call", ["rule_id"])
    op.create_index("ix_callbacks_call_starts_at", "callbacks_call", ["starts_at", "id"])
    op.create_index("ix_callbacks_call_state", "callbacks_call", ["state", "starts_at", "id"])
    op.create_index("ix_callbacks_call_team_id", "callbacks_call", ["team_id", "starts_at", "id"])
    op.create_index("ix_callbacks_call_ticket_id", "callbacks_call", ["ticket_id"])
    op.create_table(
        "callbacks_attempt",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("call_id", sa.Integer(), sa.ForeignKey("callbacks_call.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("next_at", UtcDateTime()),
    )
    op.create_index("ix_callbacks_attempt_agent_id", "callbacks_attempt", ["agent_id", "at"])
    op.create_index("ix_callbacks_attempt_at", "callbacks_attempt", ["at", "id"])
    op.create_index("uq_callbacks_attempt_call_id_number", "callbacks_attempt", ["call_id", "number"], unique=True)
    op.create_table(
        "callbacks_cell",
        sa.Column("owner", sa.String(24), primary_key=True),
        sa.Column("at", UtcDateTime(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("call_id", sa.Integer(), sa.ForeignKey("callbacks_call.id", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("ix_callbacks_cell_call_id", "callbacks_cell", ["call_id"])
    op.create_table(
        "callbacks_followed",
        sa.Column("rule_id", sa.Integer(), sa.ForeignKey("callbacks_rule.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("ticket_id", sa.Integer(), sa.ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call_id", sa.Integer(), sa.ForeignKey("callbacks_call.id", ondelete="SET NULL")),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_callbacks_followed_call_id", "callbacks_followed", ["call_id"])
    op.create_index("ix_callbacks_followed_ticket_id", "callbacks_followed", ["ticket_id"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("callbacks_followed")
    op.drop_table("callbacks_cell")
    op.drop_table("callbacks_attempt")
    op.drop_table("callbacks_call")
    op.drop_table("callbacks_team")
    op.drop_table("callbacks_rule")
    op.drop_table("callbacks_feed")
    op.drop_table("callbacks_reason")
