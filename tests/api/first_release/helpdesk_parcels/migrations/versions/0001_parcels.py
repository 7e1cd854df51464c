import sqlalchemy as sa
from alembic import op

revision = "parcels_0001"
down_revision = None


def upgrade():
    op.create_table(
        "parcels_parcel",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("ticket_id", sa.Integer(), sa.ForeignKey("ticket.id", ondelete="CASCADE"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked", sa.Integer(), nullable=False),
    )
    op.create_index("ix_parcels_parcel_number", "parcels_parcel", ["number"])
    op.create_index("ix_parcels_parcel_ticket_id", "parcels_parcel", ["ticket_id"])


def downgrade():
    op.drop_table("parcels_parcel")
