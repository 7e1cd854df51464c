"""Mailboxes, servers and rules."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "email_server",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("rests_until", UtcDateTime()),
        sa.Column("failed_at", UtcDateTime()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *_access(),
    )
    op.create_table(
        "email_mailbox",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("address", sa.String(255), nullable=False, unique=True),
        sa.Column("sender_name", sa.String(200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("folder", sa.String(255), nullable=False),
        sa.Column("afterwards", sa.String(10), nullable=False),
        sa.Column("move_to", sa.String(255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("team.id", ondelete="SET NULL")),
        sa.Column("locale", sa.String(20)),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("server_id", sa.Integer(), sa.ForeignKey("email_server.id", ondelete="SET NULL")),
        sa.Column("since", UtcDateTime()),
        sa.Column("old_uid", sa.BigInteger(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger()),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("stuck_at", sa.String(300), nullable=False),
        sa.Column("stuck_polls", sa.Integer(), nullable=False),
        sa.Column("fetcher", sa.String(32), nullable=False),
        sa.Column("fetching_until", UtcDateTime()),
        sa.Column("backlog", sa.Integer(), nullable=False),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("polled_at", UtcDateTime()),
        sa.Column("failed_at", UtcDateTime()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *_access(),
    )
    op.create_index("ix_email_mailbox_team_id", "email_mailbox", ["team_id"])
    op.create_index("ix_email_mailbox_server_id", "email_mailbox", ["server_id"])
    op.create_table(
        "email_fetched",
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("email_mailbox.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
    )
    op.create_table(
        "email_rule",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("part", sa.String(10), nullable=False),
        sa.Column("header", sa.String(100), nullable=False),
        sa.Column("how", sa.String(10), nullable=False),
        sa.Column("pattern", sa.String(255), nullable=False),
        sa.Column("act", sa.String(10), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("hit_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_email_rule_part_pattern", "email_rule", ["part", "pattern"])


def _access() -> list[sa.Column]:
    return [
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(10), nullable=False),
        sa.Column("username", sa.String(320), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("oauth", sa.String(20), nullable=False),
        sa.Column("oauth_token_url", sa.String(500), nullable=False),
        sa.Column("oauth_client_id", sa.String(500), nullable=False),
        sa.Column("oauth_client_secret", sa.Text(), nullable=False),
        sa.Column("oauth_refresh_token", sa.Text(), nullable=False),
        sa.Column("oauth_access_token", sa.Text(), nullable=False),
        sa.Column("oauth_expires_at", UtcDateTime()),
    ]


def downgrade() -> None:
    """Take them away, with what is in them."""
    for table in ("email_rule", "email_fetched", "email_mailbox", "email_server"):
        op.drop_table(table)
