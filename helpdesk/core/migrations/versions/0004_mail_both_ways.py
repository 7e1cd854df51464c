"""Mail both ways: accounts of channels, copies of one message, proved senders, addresses that mail came back from.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from helpdesk.core.models.columns import CleanText, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("account", sa.String(length=255), nullable=True))
    with op.batch_alter_table("intake") as intake:
        intake.add_column(sa.Column("account", sa.String(length=255), nullable=False, server_default=""))
        intake.add_column(sa.Column("fingerprint", sa.String(length=64), nullable=True))
        intake.add_column(sa.Column("verified", sa.Boolean(), nullable=True))
        intake.create_unique_constraint(op.f("uq_intake_channel_fingerprint"), ["channel", "fingerprint"])
    op.create_index("ix_intake_account", "intake", ["account", "id"])
    op.create_index("ix_intake_sender_received_at", "intake", ["sender", "received_at"])
    op.create_index("ix_delivery_address_created_at", "delivery", ["address", "created_at"])
    op.add_column("user", sa.Column("bounced_at", UtcDateTime(), nullable=True))
    op.add_column("user", sa.Column("bounce_reason", CleanText(), nullable=False, server_default=""))
    op.add_column("user", sa.Column("care_mail", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "service_lease",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("worker_id", sa.String(length=32), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_lease")),
    )


def downgrade() -> None:
    op.drop_table("service_lease")
    for column in ("care_mail", "bounce_reason", "bounced_at"):
        op.drop_column("user", column)
    op.drop_index("ix_delivery_address_created_at", "delivery")
    op.drop_index("ix_intake_sender_received_at", "intake")
    op.drop_index("ix_intake_account", "intake")
    with op.batch_alter_table("intake") as intake:
        intake.drop_constraint(op.f("uq_intake_channel_fingerprint"), type_="unique")
        for column in ("verified", "fingerprint", "account"):
            intake.drop_column(column)
    op.drop_column("ticket", "account")
