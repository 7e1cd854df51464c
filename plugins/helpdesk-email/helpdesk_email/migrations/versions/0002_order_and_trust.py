"""Rules in an order of their own, servers that each mailbox believes, how the server of the settings does."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Keep the order that rules had: the oldest first."""
    op.add_column("email_rule", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE email_rule SET position = id")
    op.create_index("ix_email_rule_position", "email_rule", ["position", "id"])
    op.add_column("email_mailbox", sa.Column("trusted_hosts", sa.Text(), nullable=False, server_default=""))
    op.add_column("email_mailbox", sa.Column("exchange", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "email_main_server",
        sa.Column("place", sa.String(300), primary_key=True),
        sa.Column("rests_until", UtcDateTime()),
        sa.Column("failed_at", UtcDateTime()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
    )


def downgrade() -> None:
    """As it was."""
    op.drop_table("email_main_server")
    op.drop_column("email_mailbox", "exchange")
    op.drop_column("email_mailbox", "trusted_hosts")
    op.drop_index("ix_email_rule_position", "email_rule")
    op.drop_column("email_rule", "position")
