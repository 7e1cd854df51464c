"""Records, fields, segments, orders, products owned, consents, value, and merges."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "customers_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("hint", sa.String(length=200), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers_field"),
    )
    op.create_index("uq_customers_field_subject_key", "customers_field", ["subject", "key"], unique=True)
    op.create_table(
        "customers_worth_bound",
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("most", sa.JSON(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "currency", "part", name="pk_customers_worth_bound"),
    )
    op.create_table(
        "customers_moved",
        sa.Column("merge_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("survivor_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["user.id"], name="fk_customers_moved_other_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["survivor_id"], ["user.id"], name="fk_customers_moved_survivor_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("merge_id", name="pk_customers_moved"),
    )
    op.create_index("ix_customers_moved_other_id", "customers_moved", ["other_id"], unique=False)
    op.create_index("ix_customers_moved_survivor_id", "customers_moved", ["survivor_id"], unique=False)
    op.create_table(
        "customers_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount >= 0", name="ck_customers_order_amount"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_customers_order_organization_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_customers_order_user_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_customers_order"),
    )
    op.create_index(
        "ix_customers_order_organization_id", "customers_order", ["organization_id", "placed_at", "id"], unique=False
    )
    op.create_index("ix_customers_order_placed_at", "customers_order", ["placed_at", "id"], unique=False)
    op.create_index("ix_customers_order_user_id", "customers_order", ["user_id", "placed_at", "id"], unique=False)
    op.create_index("uq_customers_order_source_number", "customers_order", ["source", "number"], unique=True)
    op.create_table(
        "customers_ownership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (organization_id IS NULL)",
            name="ck_customers_ownership_subject",
        ),
        sa.CheckConstraint("quantity > 0", name="ck_customers_ownership_quantity"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_customers_ownership_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_customers_ownership_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customers_ownership"),
    )
    op.create_index("ix_customers_ownership_sku", "customers_ownership", ["sku", "id"], unique=False)
    op.create_index("ix_customers_ownership_until", "customers_ownership", ["until", "id"], unique=False)
    op.create_index(
        "uq_customers_ownership_organization_id",
        "customers_ownership",
        ["organization_id", "sku", "serial"],
        unique=True,
    )
    op.create_index("uq_customers_ownership_user_id", "customers_ownership", ["user_id", "sku", "serial"], unique=True)
    op.create_table(
        "customers_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("birthday", sa.SmallInteger(), nullable=True),
        sa.Column("birth_year", sa.SmallInteger(), nullable=True),
        sa.Column("salutation", sa.String(length=100), nullable=False),
        sa.Column("contact_by", sa.String(length=10), nullable=False),
        sa.Column("contact_at", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (organization_id IS NULL)", name="ck_customers_record_subject"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_customers_record_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_customers_record_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customers_record"),
    )
    op.create_index("ix_customers_record_birthday", "customers_record", ["birthday", "id"], unique=False)
    op.create_index("uq_customers_record_organization_id", "customers_record", ["organization_id"], unique=True)
    op.create_index("uq_customers_record_user_id", "customers_record", ["user_id"], unique=True)
    op.create_table(
        "customers_segment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("match", sa.String(length=4), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=True),
        sa.Column("counted_at", UtcDateTime(), nullable=True),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name="fk_customers_segment_made_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customers_segment"),
        sa.UniqueConstraint("name", name="uq_customers_segment_name"),
    )
    op.create_index("ix_customers_segment_made_by_id", "customers_segment", ["made_by_id"], unique=False)
    op.create_table(
        "customers_consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name="fk_customers_consent_actor_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_customers_consent_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_customers_consent_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_customers_consent"),
    )
    op.create_index("ix_customers_consent_actor_id", "customers_consent", ["actor_id"], unique=False)
    op.create_index(
        "ix_customers_consent_purpose",
        "customers_consent",
        ["purpose", "state", "user_id"],
        unique=False,
        sqlite_where=sa.text("newest"),
        postgresql_where=sa.text("newest"),
    )
    op.create_index("ix_customers_consent_ticket_id", "customers_consent", ["ticket_id"], unique=False)
    op.create_index("ix_customers_consent_user_id", "customers_consent", ["user_id", "at", "id"], unique=False)
    op.create_index(
        "uq_customers_consent_newest",
        "customers_consent",
        ["user_id", "purpose"],
        unique=True,
        sqlite_where=sa.text("newest"),
        postgresql_where=sa.text("newest"),
    )
    op.create_table(
        "customers_field_value",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["field_id"], ["customers_field.id"], name="fk_customers_field_value_field_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["customers_record.id"], name="fk_customers_field_value_record_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "field_id", name="pk_customers_field_value"),
    )
    op.create_index("ix_customers_field_value_field_day", "customers_field_value", ["field_id", "day"], unique=False)
    op.create_index(
        "ix_customers_field_value_field_number", "customers_field_value", ["field_id", "number"], unique=False
    )
    op.create_index("ix_customers_field_value_field_text", "customers_field_value", ["field_id", "text"], unique=False)
    op.create_table(
        "customers_order_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0 AND quantity > 0", name="ck_customers_order_line_amount"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customers_order.id"], name="fk_customers_order_line_order_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customers_order_line"),
    )
    op.create_index("ix_customers_order_line_sku", "customers_order_line", ["sku", "order_id"], unique=False)
    op.create_index("uq_customers_order_line_order_id", "customers_order_line", ["order_id", "position"], unique=True)
    op.create_table(
        "customers_record_tag",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["customers_record.id"], name="fk_customers_record_tag_record_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "tag", name="pk_customers_record_tag"),
    )
    op.create_index("ix_customers_record_tag_tag", "customers_record_tag", ["tag", "record_id"], unique=False)
    op.create_table(
        "customers_worth",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("revenue", sa.BigInteger(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("oldest_at", UtcDateTime(), nullable=True),
        sa.Column("revenue_ever", sa.BigInteger(), nullable=False),
        sa.Column("orders_ever", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("recency", sa.SmallInteger(), nullable=False),
        sa.Column("frequency", sa.SmallInteger(), nullable=False),
        sa.Column("monetary", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["customers_record.id"], name="fk_customers_worth_record_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "currency", name="pk_customers_worth"),
    )
    op.create_index("ix_customers_worth_last_at", "customers_worth", ["last_at", "record_id"], unique=False)
    op.create_index("ix_customers_worth_oldest_at", "customers_worth", ["oldest_at", "record_id"], unique=False)
    op.create_index("ix_customers_worth_revenue", "customers_worth", ["currency", "revenue", "record_id"], unique=False)
    op.create_index("ix_customers_worth_score", "customers_worth", ["currency", "score", "record_id"], unique=False)
    _duplicates()
    _imports()


def _duplicates() -> None:
    op.create_table(
        "customers_duplicate_key",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_customers_duplicate_key_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name="pk_customers_duplicate_key"),
    )
    op.create_index("ix_customers_duplicate_key_kind_key", "customers_duplicate_key", ["kind", "key", "user_id"])
    op.create_table(
        "customers_duplicate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("dismissed_at", UtcDateTime(), nullable=True),
        sa.Column("dismissed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["one_id"], ["user.id"], name="fk_customers_duplicate_one_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["user.id"], name="fk_customers_duplicate_other_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["dismissed_by_id"], ["user.id"], name="fk_customers_duplicate_dismissed_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customers_duplicate"),
    )
    op.create_index("uq_customers_duplicate_one_id", "customers_duplicate", ["one_id", "other_id"], unique=True)
    op.create_index("ix_customers_duplicate_other_id", "customers_duplicate", ["other_id"])
    op.create_index("ix_customers_duplicate_dismissed_at", "customers_duplicate", ["dismissed_at", "id"])
    op.create_index("ix_customers_duplicate_dismissed_by_id", "customers_duplicate", ["dismissed_by_id"])


def _imports() -> None:
    op.create_table(
        "customers_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("overwrite", sa.Boolean(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name="fk_customers_import_made_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customers_import"),
    )
    op.create_index("ix_customers_import_made_by_id", "customers_import", ["made_by_id"])
    op.create_index("ix_customers_import_state", "customers_import", ["state", "id"])
    op.create_table(
        "customers_import_error",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["customers_import.id"], name="fk_customers_import_error_import_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_customers_import_error"),
    )
    op.create_index("ix_customers_import_error_import_id", "customers_import_error", ["import_id", "row"])
    op.create_table(
        "customers_import_key",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["customers_import.id"], name="fk_customers_import_key_import_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "key", name="pk_customers_import_key"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("customers_import_key")
    op.drop_table("customers_import_error")
    op.drop_table("customers_import")
    op.drop_table("customers_duplicate")
    op.drop_table("customers_duplicate_key")
    op.drop_table("customers_worth")
    op.drop_table("customers_record_tag")
    op.drop_table("customers_order_line")
    op.drop_table("customers_field_value")
    op.drop_table("customers_consent")
    op.drop_table("customers_segment")
    op.drop_table("customers_record")
    op.drop_table("customers_ownership")
    op.drop_table("customers_order")
    op.drop_table("customers_moved")
    op.drop_table("customers_worth_bound")
    op.drop_table("customers_field")
