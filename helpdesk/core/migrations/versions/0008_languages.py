"""Tickets by language, for lists.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_ticket_locale_updated", "ticket", ["locale", "updated_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_ticket_locale_updated", table_name="ticket")
