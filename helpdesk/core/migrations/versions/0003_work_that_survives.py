"""Work that survives: priorities, progress, workers, taken due times, facts that are held back, a quarantine.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from helpdesk.core.models.columns import CleanText, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IS_WAITING, _IS_RUNNING, _HAS_ENDED = (
    sa.text("state = 'waiting'"),
    sa.text("state = 'running'"),
    sa.text("finished_at IS NOT NULL"),
)


def upgrade() -> None:
    with op.batch_alter_table("job") as job:
        job.add_column(sa.Column("priority", sa.SmallInteger(), nullable=False, server_default=sa.text("1")))
        job.add_column(sa.Column("deaths", sa.SmallInteger(), nullable=False, server_default=sa.text("0")))
        job.add_column(sa.Column("asked_by_id", sa.Integer(), nullable=True))
        job.add_column(sa.Column("checkpoint", Json(), nullable=True))
        job.add_column(sa.Column("progress_done", sa.Integer(), nullable=False, server_default=sa.text("0")))
        job.add_column(sa.Column("progress_total", sa.Integer(), nullable=True))
        job.add_column(sa.Column("cancel_asked", sa.Boolean(), nullable=False, server_default=sa.false()))
        job.add_column(sa.Column("result", Json(), nullable=True))
        job.add_column(sa.Column("started_at", UtcDateTime(), nullable=True))
        job.create_foreign_key(op.f("fk_job_asked_by_id"), "user", ["asked_by_id"], ["id"], ondelete="SET NULL")
        job.drop_index("ix_job_state_run_at")
        job.drop_index("ix_job_name")
    op.create_index("ix_job_asked_by_id", "job", ["asked_by_id"])
    for name, columns, where in (
        ("ix_job_waiting", ["priority", "run_at", "id"], _IS_WAITING),
        ("ix_job_running", ["lease_until"], _IS_RUNNING),
        ("ix_job_finished_at", ["finished_at"], _HAS_ENDED),
    ):
        op.create_index(name, "job", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_job_state_id", "job", ["state", "id"])
    op.create_index("ix_job_name_id", "job", ["name", "id"])
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_index("ix_worker_beat_at", "worker", ["beat_at"])
    op.create_table(
        "quarantined_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("data", CleanText(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_message")),
    )
    op.add_column(
        "schedule", sa.Column("catch_up", sa.String(length=8), nullable=False, server_default=sa.text("'once'"))
    )
    op.create_table(
        "schedule_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_key", sa.String(length=160), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_schedule_run_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_run")),
        sa.UniqueConstraint("schedule_key", "due_at", name=op.f("uq_schedule_run_schedule_key_due_at")),
    )
    op.create_index("ix_schedule_run_due_at", "schedule_run", ["due_at"])
    op.create_index("ix_schedule_run_job_id", "schedule_run", ["job_id"])
    op.create_index("ix_schedule_run_schedule_key_id", "schedule_run", ["schedule_key", "id"])
    op.create_table(
        "held_fact",
        sa.Column("plugin", sa.String(length=60), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("error", CleanText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("held_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_held_fact_event_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_held_fact_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plugin", "event_id", name=op.f("pk_held_fact")),
    )
    op.create_index("ix_held_fact_plugin_ticket_id", "held_fact", ["plugin", "ticket_id", "event_id"])
    op.create_index("ix_held_fact_ticket_id", "held_fact", ["ticket_id"])
    with op.batch_alter_table("delivery") as delivery:
        delivery.add_column(sa.Column("next_at", UtcDateTime(), nullable=True))
        delivery.add_column(sa.Column("job_id", sa.Integer(), nullable=True))
        delivery.create_foreign_key(op.f("fk_delivery_job_id"), "job", ["job_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_delivery_job_id", "delivery", ["job_id"])
    op.create_index("ix_delivery_channel_sent_at", "delivery", ["channel", "sent_at"])


def downgrade() -> None:
    op.drop_index("ix_delivery_channel_sent_at", table_name="delivery")
    op.drop_index("ix_delivery_job_id", table_name="delivery")
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_constraint(op.f("fk_delivery_job_id"), type_="foreignkey")
        delivery.drop_column("job_id")
        delivery.drop_column("next_at")
    op.drop_table("held_fact")
    op.drop_table("schedule_run")
    op.drop_column("schedule", "catch_up")
    op.drop_table("quarantined_message")
    op.drop_table("worker")
    for name in ("waiting", "running", "finished_at", "state_id", "name_id", "asked_by_id"):
        op.drop_index(f"ix_job_{name}", table_name="job")
    with op.batch_alter_table("job") as job:
        job.drop_constraint(op.f("fk_job_asked_by_id"), type_="foreignkey")
        for name in ("started_at", "result", "cancel_asked", "progress_total", "progress_done", "checkpoint"):
            job.drop_column(name)
        job.drop_column("asked_by_id")
        job.drop_column("deaths")
        job.drop_column("priority")
    op.create_index("ix_job_name", "job", ["name"])
    op.create_index("ix_job_state_run_at", "job", ["state", "run_at", "id"])
