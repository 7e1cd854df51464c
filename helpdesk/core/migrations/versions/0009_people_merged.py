"""Two records of one person made one, with the way back.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from helpdesk.core.models.columns import Json, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_IS_MERGED = sa.text("merged_into_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "person_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survivor_id", sa.Integer(), nullable=False),
        sa.Column("merged_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("data", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user.id"], name=op.f("fk_person_merge_actor_id_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["user.id"], name=op.f("fk_person_merge_merged_id_user"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["survivor_id"], ["user.id"], name=op.f("fk_person_merge_survivor_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_merge")),
    )
    for column in ("survivor_id", "merged_id", "actor_id"):
        op.create_index(op.f(f"ix_person_merge_{column}"), "person_merge", [column])
    op.create_table(
        "person_merge_row",
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merge_id"],
            ["person_merge.id"],
            name=op.f("fk_person_merge_row_merge_id_person_merge"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("merge_id", "place", "row_id", name=op.f("pk_person_merge_row")),
    )
    with op.batch_alter_table("user") as table:
        table.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_user_merged_into_id_user"), "user", ["merged_into_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index(
        "ix_user_merged_into_id",
        "user",
        ["merged_into_id"],
        sqlite_where=_IS_MERGED,
        postgresql_where=_IS_MERGED,
    )


def downgrade() -> None:
    op.drop_index("ix_user_merged_into_id", table_name="user")
    with op.batch_alter_table("user") as table:
        table.drop_constraint(op.f("fk_user_merged_into_id_user"), type_="foreignkey")
        table.drop_column("merged_into_id")
    op.drop_table("person_merge_row")
    op.drop_table("person_merge")
