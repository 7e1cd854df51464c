"""Products, prices, relations, promotions, rules, pairs, profiles, suggestions and trials."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "upsell_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.Column("baskets", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_count"),
    )
    op.create_table(
        "upsell_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sku_a", sa.String(length=64), nullable=False),
        sa.Column("sku_b", sa.String(length=64), nullable=False),
        sa.Column("together", sa.Integer(), nullable=False),
        sa.Column("count_a", sa.Integer(), nullable=False),
        sa.Column("count_b", sa.Integer(), nullable=False),
        sa.Column("baskets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_pair"),
    )
    op.create_index("ix_upsell_pair_together", "upsell_pair", ["together", "id"], unique=False)
    op.create_index("uq_upsell_pair_sku_a", "upsell_pair", ["sku_a", "sku_b"], unique=True)
    op.create_table(
        "upsell_product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("margin", sa.SmallInteger(), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_product"),
        sa.UniqueConstraint("sku", name="uq_upsell_product_sku"),
    )
    op.create_index("ix_upsell_product_category", "upsell_product", ["category"], unique=False)
    op.create_table(
        "upsell_price",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["upsell_product.id"], name="fk_upsell_price_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_price"),
    )
    op.create_index("uq_upsell_price_product_id", "upsell_price", ["product_id", "currency", "period"], unique=True)
    op.create_table(
        "upsell_promotion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["upsell_product.id"], name="fk_upsell_promotion_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_promotion"),
    )
    op.create_index("ix_upsell_promotion_ends", "upsell_promotion", ["ends", "id"], unique=False)
    op.create_index("ix_upsell_promotion_product_id", "upsell_promotion", ["product_id"], unique=False)
    op.create_table(
        "upsell_relation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["other_id"], ["upsell_product.id"], name="fk_upsell_relation_other_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["upsell_product.id"], name="fk_upsell_relation_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_relation"),
    )
    op.create_index("ix_upsell_relation_other_id", "upsell_relation", ["other_id"], unique=False)
    op.create_index("uq_upsell_relation_product_id", "upsell_relation", ["product_id", "kind", "other_id"], unique=True)
    op.create_table(
        "upsell_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.Column("holdout", sa.SmallInteger(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("pitches", sa.JSON(), nullable=False),
        sa.Column("draw", sa.String(length=32), nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stop_reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["upsell_product.id"], name="fk_upsell_rule_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_rule"),
        sa.UniqueConstraint("name", name="uq_upsell_rule_name"),
    )
    op.create_index("ix_upsell_rule_product_id", "upsell_rule", ["product_id"], unique=False)
    op.create_table(
        "upsell_profile",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("known", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_upsell_profile_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_upsell_profile"),
    )
    op.create_index("ix_upsell_profile_made_at", "upsell_profile", ["made_at"], unique=False)
    op.create_table(
        "upsell_suggestion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("grounds", sa.JSON(), nullable=False),
        sa.Column("pitch", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("list_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("promotion_id", sa.Integer(), nullable=True),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.Column("shown_at", UtcDateTime(), nullable=False),
        sa.Column("shown_by_id", sa.Integer(), nullable=True),
        sa.Column("offered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("bought_at", UtcDateTime(), nullable=True),
        sa.Column("revenue", sa.BigInteger(), nullable=True),
        sa.Column("revenue_currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["upsell_product.id"], name="fk_upsell_suggestion_product_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["upsell_promotion.id"], name="fk_upsell_suggestion_promotion_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["upsell_rule.id"], name="fk_upsell_suggestion_rule_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["shown_by_id"], ["user.id"], name="fk_upsell_suggestion_shown_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_upsell_suggestion_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_upsell_suggestion_user_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_suggestion"),
    )
    op.create_index("ix_upsell_suggestion_key", "upsell_suggestion", ["key", "shown_at", "id"], unique=False)
    op.create_index("ix_upsell_suggestion_product_id", "upsell_suggestion", ["product_id"], unique=False)
    op.create_index("ix_upsell_suggestion_promotion_id", "upsell_suggestion", ["promotion_id"], unique=False)
    op.create_index("ix_upsell_suggestion_rule_id", "upsell_suggestion", ["rule_id"], unique=False)
    op.create_index("ix_upsell_suggestion_shown_by_id", "upsell_suggestion", ["shown_by_id"], unique=False)
    op.create_index("ix_upsell_suggestion_state", "upsell_suggestion", ["state", "id"], unique=False)
    op.create_index(
        "ix_upsell_suggestion_unbought",
        "upsell_suggestion",
        ["shown_at", "id"],
        unique=False,
        sqlite_where=sa.text("bought_at IS NULL"),
        postgresql_where=sa.text("bought_at IS NULL"),
    )
    op.create_index("ix_upsell_suggestion_user_id", "upsell_suggestion", ["user_id", "shown_at"], unique=False)
    op.create_index("uq_upsell_suggestion_ticket_id", "upsell_suggestion", ["ticket_id", "sku"], unique=True)
    op.create_table(
        "upsell_trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("bought_at", UtcDateTime(), nullable=True),
        sa.Column("revenue", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("satisfaction", sa.Double(), nullable=True),
        sa.Column("reopened", sa.Boolean(), nullable=False),
        sa.Column("reopened_before", sa.SmallInteger(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("home_user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["home_user_id"], ["user.id"], name="fk_upsell_trial_home_user_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["upsell_rule.id"], name="fk_upsell_trial_rule_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_upsell_trial_ticket_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_upsell_trial_user_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_upsell_trial"),
    )
    op.create_index("ix_upsell_trial_began_at", "upsell_trial", ["key", "began_at"], unique=False)
    op.create_index("ix_upsell_trial_home_user_id", "upsell_trial", ["home_user_id"], unique=False)
    op.create_index("ix_upsell_trial_rule_id", "upsell_trial", ["rule_id"], unique=False)
    op.create_index("ix_upsell_trial_ticket_id", "upsell_trial", ["ticket_id"], unique=False)
    op.create_index("ix_upsell_trial_user_id", "upsell_trial", ["user_id"], unique=False)
    op.create_index("uq_upsell_trial_key", "upsell_trial", ["key", "user_id"], unique=True)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("upsell_trial")
    op.drop_table("upsell_suggestion")
    op.drop_table("upsell_profile")
    op.drop_table("upsell_rule")
    op.drop_table("upsell_relation")
    op.drop_table("upsell_promotion")
    op.drop_table("upsell_price")
    op.drop_table("upsell_product")
    op.drop_table("upsell_pair")
    op.drop_table("upsell_count")
