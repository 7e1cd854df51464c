"""Rules that say what a ticket gets which a mail opens."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Rules sort nothing yet."""
    with op.batch_alter_table("email_rule") as rule:
        for name, length in (("priority", 10), ("topic_name", 80), ("tags", 255)):
            rule.add_column(sa.Column(name, sa.String(length), nullable=False, server_default=""))
        for name, table in (("type_id", "ticket_type"), ("topic_id", "topic")):
            rule.add_column(sa.Column(name, sa.Integer()))
            rule.create_index(f"ix_email_rule_{name}", [name])
            rule.create_foreign_key(f"fk_email_rule_{name}", table, [name], ["id"], ondelete="SET NULL")


def downgrade() -> None:
    """As it was; a rule that sorts would ignore mail by the older code, so it goes."""
    op.execute("DELETE FROM email_rule WHERE act = 'sort'")
    with op.batch_alter_table("email_rule") as rule:
        for name in ("type_id", "topic_id"):
            rule.drop_constraint(f"fk_email_rule_{name}", type_="foreignkey")
            rule.drop_index(f"ix_email_rule_{name}")
            rule.drop_column(name)
        for name in ("priority", "topic_name", "tags"):
            rule.drop_column(name)
