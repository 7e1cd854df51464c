"""Desk basics: working time, topics, due and promised answers, canned responses, drafts, merges, bulk acts, notices.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from helpdesk.core.models.columns import CleanText, Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "business_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("week", Json(), nullable=False),
        sa.Column("country", sa.String(length=8), nullable=False),
        sa.Column("subdivision", sa.String(length=16), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_hours")),
        sa.UniqueConstraint("name", name=op.f("uq_business_hours_name")),
    )
    op.create_table(
        "ticket_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_type")),
        sa.UniqueConstraint("key", name=op.f("uq_ticket_type_key")),
    )
    op.create_table(
        "topic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["topic.id"], name=op.f("fk_topic_parent_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
    )
    op.create_index(op.f("ix_topic_parent_id"), "topic", ["parent_id"], unique=False)
    op.create_index(op.f("ix_topic_path"), "topic", ["path"], unique=False)
    op.create_table(
        "special_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_hours_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("times", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_hours_id"],
            ["business_hours.id"],
            name=op.f("fk_special_day_business_hours_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_day")),
        sa.UniqueConstraint("business_hours_id", "day", name="uq_special_day_business_hours_id_day"),
    )
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("note", CleanText(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_absence_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_absence_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_created_by_id"), "absence", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_absence_ends_at"), "absence", ["ends_at"], unique=False)
    op.create_index("ix_absence_user_id_ends_at", "absence", ["user_id", "ends_at"], unique=False)
    op.create_table(
        "bulk_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("actions", Json(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_bulk_act_actor_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_act")),
    )
    op.create_index(op.f("ix_bulk_act_actor_id"), "bulk_act", ["actor_id"], unique=False)
    op.create_index(op.f("ix_bulk_act_created_at"), "bulk_act", ["created_at"], unique=False)
    op.create_table(
        "canned_response",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("folder", CleanText(), nullable=False),
        sa.Column("shared_with", sa.String(length=10), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user.id"], name=op.f("fk_canned_response_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_canned_response_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_response")),
    )
    op.create_index("ix_canned_response_folder_name", "canned_response", ["folder", "name"], unique=False)
    op.create_index(op.f("ix_canned_response_owner_id"), "canned_response", ["owner_id"], unique=False)
    op.create_index(op.f("ix_canned_response_team_id"), "canned_response", ["team_id"], unique=False)
    op.create_table(
        "macro",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("shared_with", sa.String(length=10), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("actions", Json(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_macro_owner_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_macro_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_macro")),
    )
    op.create_index(op.f("ix_macro_owner_id"), "macro", ["owner_id"], unique=False)
    op.create_index(op.f("ix_macro_team_id"), "macro", ["team_id"], unique=False)
    op.create_table(
        "notification_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("page", sa.Boolean(), nullable=False),
        sa.Column("browser", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notification_choice_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_choice")),
    )
    op.create_table(
        "notification_cursor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_cursor")),
    )
    # Of what happened before there were notices nobody is told.
    op.execute("INSERT INTO notification_cursor (id, event_id) SELECT 1, COALESCE(MAX(id), 0) FROM event")
    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("weekday", sa.SmallInteger(), nullable=True),
        sa.Column("begins", sa.String(length=5), nullable=False),
        sa.Column("ends", sa.String(length=5), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_shift_team_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_shift_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_index(op.f("ix_shift_team_id"), "shift", ["team_id"], unique=False)
    op.create_index("ix_shift_user_id_first_day", "shift", ["user_id", "first_day"], unique=False)
    op.create_table(
        "bulk_item",
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("before", Json(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["act_id"], ["bulk_act.id"], name=op.f("fk_bulk_item_act_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("act_id", "ticket_id", name=op.f("pk_bulk_item")),
    )
    op.create_index(op.f("ix_bulk_item_ticket_id"), "bulk_item", ["ticket_id"], unique=False)
    op.create_table(
        "canned_text",
        sa.Column("response_id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("text", CleanText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"], ["canned_response.id"], name=op.f("fk_canned_text_response_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("response_id", "locale", name=op.f("pk_canned_text")),
    )
    op.create_table(
        "presence",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("writing", sa.String(length=6), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_presence_ticket_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_presence_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_presence")),
    )
    op.create_index("ix_presence_seen_at", "presence", ["seen_at"], unique=False)
    op.create_index(op.f("ix_presence_user_id"), "presence", ["user_id"], unique=False)
    op.create_table(
        "promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("words", CleanText(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_promise_owner_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_promise_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    op.create_index("ix_promise_outcome_due_at", "promise", ["outcome", "due_at"], unique=False)
    op.create_index(op.f("ix_promise_owner_id"), "promise", ["owner_id"], unique=False)
    op.create_index("ix_promise_ticket_id_id", "promise", ["ticket_id", "id"], unique=False)
    op.create_table(
        "reply_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("text", CleanText(), nullable=False),
        sa.Column("html", CleanText(), nullable=False),
        sa.Column("files", Json(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("send_at", UtcDateTime(), nullable=True),
        sa.Column("problem", CleanText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_reply_draft_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_reply_draft_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_draft")),
    )
    op.create_index(
        "ix_reply_draft_send_at",
        "reply_draft",
        ["send_at"],
        unique=False,
        sqlite_where=sa.text("send_at IS NOT NULL"),
        postgresql_where=sa.text("send_at IS NOT NULL"),
    )
    op.create_index(
        "ix_reply_draft_ticket_id_user_id", "reply_draft", ["ticket_id", "user_id", "visibility"], unique=False
    )
    op.create_index(op.f("ix_reply_draft_user_id"), "reply_draft", ["user_id"], unique=False)
    op.create_table(
        "ticket_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_ticket_link_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name=op.f("fk_ticket_link_other_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_link_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_link")),
        sa.UniqueConstraint("ticket_id", "other_id", name="uq_ticket_link_ticket_id_other_id"),
    )
    op.create_index(op.f("ix_ticket_link_created_by_id"), "ticket_link", ["created_by_id"], unique=False)
    op.create_index(op.f("ix_ticket_link_other_id"), "ticket_link", ["other_id"], unique=False)
    op.create_table(
        "ticket_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survivor_id", sa.Integer(), nullable=False),
        sa.Column("merged_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("data", Json(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_ticket_merge_actor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["ticket.id"], name=op.f("fk_ticket_merge_merged_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["survivor_id"], ["ticket.id"], name=op.f("fk_ticket_merge_survivor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_merge")),
    )
    op.create_index(op.f("ix_ticket_merge_actor_id"), "ticket_merge", ["actor_id"], unique=False)
    op.create_index(op.f("ix_ticket_merge_merged_id"), "ticket_merge", ["merged_id"], unique=False)
    op.create_index(op.f("ix_ticket_merge_survivor_id"), "ticket_merge", ["survivor_id"], unique=False)
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("on_page", sa.Boolean(), nullable=False),
        sa.Column("in_browser", sa.Boolean(), nullable=False),
        sa.Column("mail_at", UtcDateTime(), nullable=True),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_notification_event_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_notification_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notification_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("user_id", "event_id", name="uq_notification_user_id_event_id"),
    )
    op.create_index(op.f("ix_notification_created_at"), "notification", ["created_at"], unique=False)
    op.create_index(op.f("ix_notification_event_id"), "notification", ["event_id"], unique=False)
    op.create_index(
        "ix_notification_mail_at",
        "notification",
        ["mail_at", "user_id"],
        unique=False,
        sqlite_where=sa.text("mail_at IS NOT NULL"),
        postgresql_where=sa.text("mail_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_notification_ticket_id"), "notification", ["ticket_id"], unique=False)
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["user_id", "id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL"),
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index("ix_notification_user_id_id", "notification", ["user_id", "id"], unique=False)
    with op.batch_alter_table("message") as message:
        message.add_column(sa.Column("call_seconds", sa.Integer(), nullable=True))
        message.add_column(sa.Column("merge_id", sa.Integer(), nullable=True))
        message.create_foreign_key(
            op.f("fk_message_merge_id"), "ticket_merge", ["merge_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index(op.f("ix_message_merge_id"), "message", ["merge_id"], unique=False)
    with op.batch_alter_table("team") as team:
        team.add_column(sa.Column("business_hours_id", sa.Integer(), nullable=True))
        team.add_column(sa.Column("assignment", sa.String(length=12), nullable=False, server_default="hand"))
        team.create_foreign_key(
            op.f("fk_team_business_hours_id"), "business_hours", ["business_hours_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index(op.f("ix_team_business_hours_id"), "team", ["business_hours_id"], unique=False)
    op.add_column("team_member", sa.Column("given_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("ticket", table_kwargs={"sqlite_autoincrement": True}) as ticket:
        ticket.add_column(sa.Column("type_id", sa.Integer(), nullable=True))
        ticket.add_column(sa.Column("topic_id", sa.Integer(), nullable=True))
        ticket.add_column(sa.Column("due_at", UtcDateTime(), nullable=True))
        ticket.add_column(sa.Column("promised_at", UtcDateTime(), nullable=True))
        ticket.add_column(sa.Column("snoozed_until", UtcDateTime(), nullable=True))
        ticket.add_column(sa.Column("snoozed_by_id", sa.Integer(), nullable=True))
        ticket.add_column(sa.Column("alarm_at", UtcDateTime(), nullable=True))
        ticket.add_column(sa.Column("response_minutes", sa.Integer(), nullable=True))
        ticket.add_column(sa.Column("solve_minutes", sa.Integer(), nullable=True))
        ticket.add_column(sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"))
        ticket.add_column(sa.Column("confirmed_at", UtcDateTime(), nullable=True))
        ticket.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        ticket.create_foreign_key(op.f("fk_ticket_type_id"), "ticket_type", ["type_id"], ["id"], ondelete="SET NULL")
        ticket.create_foreign_key(op.f("fk_ticket_topic_id"), "topic", ["topic_id"], ["id"], ondelete="SET NULL")
        ticket.create_foreign_key(
            op.f("fk_ticket_snoozed_by_id"), "user", ["snoozed_by_id"], ["id"], ondelete="SET NULL"
        )
        ticket.create_foreign_key(
            op.f("fk_ticket_merged_into_id"), "ticket", ["merged_into_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index(
        "ix_ticket_alarm",
        "ticket",
        ["alarm_at", "id"],
        unique=False,
        sqlite_where=sa.text("alarm_at IS NOT NULL"),
        postgresql_where=sa.text("alarm_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_due",
        "ticket",
        ["due_at", "id", "category"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_merged_into_id",
        "ticket",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_promised",
        "ticket",
        ["promised_at", "id"],
        unique=False,
        sqlite_where=sa.text("promised_at IS NOT NULL"),
        postgresql_where=sa.text("promised_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_answered",
        "ticket",
        ["first_response_at", "id"],
        unique=False,
        sqlite_where=sa.text("first_response_at IS NOT NULL"),
        postgresql_where=sa.text("first_response_at IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_snoozed",
        "ticket",
        ["snoozed_until", "id"],
        unique=False,
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.create_index(op.f("ix_ticket_snoozed_by_id"), "ticket", ["snoozed_by_id"], unique=False)
    op.create_index(
        "ix_ticket_solved",
        "ticket",
        ["solved_at", "id"],
        unique=False,
        sqlite_where=sa.text("solved_at IS NOT NULL"),
        postgresql_where=sa.text("solved_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_ticket_topic_id"), "ticket", ["topic_id"], unique=False)
    op.create_index(op.f("ix_ticket_type_id"), "ticket", ["type_id"], unique=False)
    op.add_column("user", sa.Column("capacity", sa.Integer(), nullable=True))
    op.add_column("user", sa.Column("quiet_from", sa.String(length=5), nullable=True))
    op.add_column("user", sa.Column("quiet_until", sa.String(length=5), nullable=True))
    op.add_column("user", sa.Column("digest_at", sa.String(length=5), nullable=False, server_default="08:00"))
    op.add_column("user", sa.Column("phone_key", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_user_phone_key"), "user", ["phone_key"], unique=False)
    _fill_phone_keys()
    op.add_column("view", sa.Column("columns", Json(), nullable=False, server_default="[]"))


def _fill_phone_keys() -> None:
    """As core/phones.py makes them: the digits from the last to the first, without zeros before the number."""
    user = sa.table(
        "user", sa.column("id", sa.Integer()), sa.column("phone", sa.String()), sa.column("phone_key", sa.String())
    )
    connection = op.get_bind()
    for number, phone in connection.execute(sa.select(user.c.id, user.c.phone).where(user.c.phone.is_not(None))).all():
        digits = "".join(sign for sign in phone if sign in "0123456789").lstrip("0")
        connection.execute(sa.update(user).where(user.c.id == number).values(phone_key=digits[::-1] or None))


def downgrade() -> None:
    op.drop_column("view", "columns")
    op.drop_index(op.f("ix_user_phone_key"), table_name="user")
    op.drop_column("user", "phone_key")
    op.drop_column("user", "digest_at")
    op.drop_column("user", "quiet_until")
    op.drop_column("user", "quiet_from")
    op.drop_column("user", "capacity")
    op.drop_index(op.f("ix_ticket_type_id"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_topic_id"), table_name="ticket")
    op.drop_index(
        "ix_ticket_solved",
        table_name="ticket",
        sqlite_where=sa.text("solved_at IS NOT NULL"),
        postgresql_where=sa.text("solved_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_ticket_snoozed_by_id"), table_name="ticket")
    op.drop_index(
        "ix_ticket_snoozed",
        table_name="ticket",
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.drop_index(
        "ix_ticket_answered",
        table_name="ticket",
        sqlite_where=sa.text("first_response_at IS NOT NULL"),
        postgresql_where=sa.text("first_response_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_ticket_promised",
        table_name="ticket",
        sqlite_where=sa.text("promised_at IS NOT NULL"),
        postgresql_where=sa.text("promised_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_ticket_merged_into_id",
        table_name="ticket",
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_ticket_due",
        table_name="ticket",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_ticket_alarm",
        table_name="ticket",
        sqlite_where=sa.text("alarm_at IS NOT NULL"),
        postgresql_where=sa.text("alarm_at IS NOT NULL"),
    )
    with op.batch_alter_table("ticket", table_kwargs={"sqlite_autoincrement": True}) as ticket:
        ticket.drop_constraint(op.f("fk_ticket_type_id"), type_="foreignkey")
        ticket.drop_constraint(op.f("fk_ticket_topic_id"), type_="foreignkey")
        ticket.drop_constraint(op.f("fk_ticket_snoozed_by_id"), type_="foreignkey")
        ticket.drop_constraint(op.f("fk_ticket_merged_into_id"), type_="foreignkey")
        for column in (
            "merged_into_id",
            "confirmed_at",
            "reopened",
            "solve_minutes",
            "response_minutes",
            "alarm_at",
            "snoozed_by_id",
            "snoozed_until",
            "promised_at",
            "due_at",
            "topic_id",
            "type_id",
        ):
            ticket.drop_column(column)
    op.drop_column("team_member", "given_at")
    op.drop_index(op.f("ix_team_business_hours_id"), table_name="team")
    with op.batch_alter_table("team") as team:
        team.drop_constraint(op.f("fk_team_business_hours_id"), type_="foreignkey")
        for column in ("assignment", "business_hours_id"):
            team.drop_column(column)
    op.drop_index(op.f("ix_message_merge_id"), table_name="message")
    with op.batch_alter_table("message") as message:
        message.drop_constraint(op.f("fk_message_merge_id"), type_="foreignkey")
        for column in ("merge_id", "call_seconds"):
            message.drop_column(column)
    op.drop_index("ix_notification_user_id_id", table_name="notification")
    op.drop_index(
        "ix_notification_unread",
        table_name="notification",
        sqlite_where=sa.text("read_at IS NULL"),
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.drop_index(op.f("ix_notification_ticket_id"), table_name="notification")
    op.drop_index(
        "ix_notification_mail_at",
        table_name="notification",
        sqlite_where=sa.text("mail_at IS NOT NULL"),
        postgresql_where=sa.text("mail_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_notification_event_id"), table_name="notification")
    op.drop_index(op.f("ix_notification_created_at"), table_name="notification")
    op.drop_table("notification")
    op.drop_index(op.f("ix_ticket_merge_survivor_id"), table_name="ticket_merge")
    op.drop_index(op.f("ix_ticket_merge_merged_id"), table_name="ticket_merge")
    op.drop_index(op.f("ix_ticket_merge_actor_id"), table_name="ticket_merge")
    op.drop_table("ticket_merge")
    op.drop_index(op.f("ix_ticket_link_other_id"), table_name="ticket_link")
    op.drop_index(op.f("ix_ticket_link_created_by_id"), table_name="ticket_link")
    op.drop_table("ticket_link")
    op.drop_index(op.f("ix_reply_draft_user_id"), table_name="reply_draft")
    op.drop_index("ix_reply_draft_ticket_id_user_id", table_name="reply_draft")
    op.drop_index(
        "ix_reply_draft_send_at",
        table_name="reply_draft",
        sqlite_where=sa.text("send_at IS NOT NULL"),
        postgresql_where=sa.text("send_at IS NOT NULL"),
    )
    op.drop_table("reply_draft")
    op.drop_index("ix_promise_ticket_id_id", table_name="promise")
    op.drop_index(op.f("ix_promise_owner_id"), table_name="promise")
    op.drop_index("ix_promise_outcome_due_at", table_name="promise")
    op.drop_table("promise")
    op.drop_index(op.f("ix_presence_user_id"), table_name="presence")
    op.drop_index("ix_presence_seen_at", table_name="presence")
    op.drop_table("presence")
    op.drop_table("canned_text")
    op.drop_index(op.f("ix_bulk_item_ticket_id"), table_name="bulk_item")
    op.drop_table("bulk_item")
    op.drop_index("ix_shift_user_id_first_day", table_name="shift")
    op.drop_index(op.f("ix_shift_team_id"), table_name="shift")
    op.drop_table("shift")
    op.drop_table("notification_cursor")
    op.drop_table("notification_choice")
    op.drop_index(op.f("ix_macro_team_id"), table_name="macro")
    op.drop_index(op.f("ix_macro_owner_id"), table_name="macro")
    op.drop_table("macro")
    op.drop_index(op.f("ix_canned_response_team_id"), table_name="canned_response")
    op.drop_index(op.f("ix_canned_response_owner_id"), table_name="canned_response")
    op.drop_index("ix_canned_response_folder_name", table_name="canned_response")
    op.drop_table("canned_response")
    op.drop_index(op.f("ix_bulk_act_created_at"), table_name="bulk_act")
    op.drop_index(op.f("ix_bulk_act_actor_id"), table_name="bulk_act")
    op.drop_table("bulk_act")
    op.drop_index("ix_absence_user_id_ends_at", table_name="absence")
    op.drop_index(op.f("ix_absence_ends_at"), table_name="absence")
    op.drop_index(op.f("ix_absence_created_by_id"), table_name="absence")
    op.drop_table("absence")
    op.drop_table("special_day")
    op.drop_index(op.f("ix_topic_path"), table_name="topic")
    op.drop_index(op.f("ix_topic_parent_id"), table_name="topic")
    _drop_referred("topic")
    _drop_referred("ticket_type")
    op.drop_table("business_hours")


def _drop_referred(table: str) -> None:
    """Drop a table to which plugins may refer; what they refer with is empty then."""
    if op.get_bind().dialect.name != "postgresql":
        op.drop_table(table)
        return
    op.execute(f"DELETE FROM {table}")  # nosec B608 # our own names
    op.execute(f"DROP TABLE {table} CASCADE")
