"""Courses, versions, paths, rules, assignments, progress, certificates, outside training, assessments."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "training_path",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_training_path"),
        sa.UniqueConstraint("name", name="uq_training_path_name"),
    )
    op.create_table(
        "training_assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_training_assessment_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_training_assessment_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_training_assessment"),
    )
    op.create_index("ix_training_assessment_by_id", "training_assessment", ["by_id"], unique=False)
    op.create_index("ix_training_assessment_key", "training_assessment", ["key"], unique=False)
    op.create_index("ix_training_assessment_user_id", "training_assessment", ["user_id", "key", "id"], unique=False)
    op.create_table(
        "training_course",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("pass_mark", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=True),
        sa.Column("refresher_days", sa.Integer(), nullable=False),
        sa.Column("self_service", sa.Boolean(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["user.id"], name="fk_training_course_updated_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_course"),
        sa.UniqueConstraint("name", name="uq_training_course_name"),
    )
    op.create_index("ix_training_course_state", "training_course", ["state", "name", "id"], unique=False)
    op.create_index("ix_training_course_updated_by_id", "training_course", ["updated_by_id"], unique=False)
    op.create_table(
        "training_outside",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_type", sa.String(length=127), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["training_outside.id"], name="fk_training_outside_corrects_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name="fk_training_outside_decided_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user.id"], name="fk_training_outside_recorded_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_training_outside_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_training_outside"),
        sa.UniqueConstraint("corrects_id", name="uq_training_outside_corrects_id"),
    )
    op.create_index("ix_training_outside_decided_by_id", "training_outside", ["decided_by_id"], unique=False)
    op.create_index("ix_training_outside_recorded_by_id", "training_outside", ["recorded_by_id"], unique=False)
    op.create_index("ix_training_outside_sha256", "training_outside", ["sha256"], unique=False)
    op.create_index("ix_training_outside_state", "training_outside", ["state", "id"], unique=False)
    op.create_index("ix_training_outside_user_id", "training_outside", ["user_id", "id"], unique=False)
    op.create_table(
        "training_course_skill",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_course_skill_course_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", "key", name="pk_training_course_skill"),
    )
    op.create_index("ix_training_course_skill_key", "training_course_skill", ["key", "course_id"], unique=False)
    op.create_table(
        "training_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_file_course_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_file"),
    )
    op.create_index("ix_training_file_sha256", "training_file", ["sha256"], unique=False)
    op.create_index("uq_training_file_course_id_name", "training_file", ["course_id", "name"], unique=True)
    op.create_table(
        "training_lesson_skill",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_lesson_skill_course_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", "lesson_id", "key", name="pk_training_lesson_skill"),
    )
    op.create_index("ix_training_lesson_skill_key", "training_lesson_skill", ["key", "course_id"], unique=False)
    op.create_table(
        "training_need",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("needs_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_need_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["needs_id"], ["training_course.id"], name="fk_training_need_needs_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", "needs_id", name="pk_training_need"),
    )
    op.create_index("ix_training_need_needs_id", "training_need", ["needs_id"], unique=False)
    op.create_table(
        "training_path_item",
        sa.Column("path_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("due_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_path_item_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["path_id"], ["training_path.id"], name="fk_training_path_item_path_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("path_id", "course_id", name="pk_training_path_item"),
    )
    op.create_index("ix_training_path_item_course_id", "training_path_item", ["course_id"], unique=False)
    op.create_table(
        "training_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("occasion", sa.String(length=8), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("group_key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("most", sa.SmallInteger(), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("times", sa.SmallInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=True),
        sa.Column("path_id", sa.Integer(), nullable=True),
        sa.Column("due_days", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_rule_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["path_id"], ["training_path.id"], name="fk_training_rule_path_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_training_rule_team_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_training_rule"),
        sa.UniqueConstraint("name", name="uq_training_rule_name"),
    )
    op.create_index("ix_training_rule_course_id", "training_rule", ["course_id"], unique=False)
    op.create_index("ix_training_rule_path_id", "training_rule", ["path_id"], unique=False)
    op.create_index("ix_training_rule_team_id", "training_rule", ["team_id"], unique=False)
    op.create_table(
        "training_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("pass_mark", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_version_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name="fk_training_version_made_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_version"),
    )
    op.create_index("ix_training_version_made_by_id", "training_version", ["made_by_id"], unique=False)
    op.create_index("uq_training_version_course_id_number", "training_version", ["course_id", "number"], unique=True)
    op.create_table(
        "training_assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("path_id", sa.Integer(), nullable=True),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("assigned_by_id", sa.Integer(), nullable=True),
        sa.Column("assigned_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("late_at", UtcDateTime(), nullable=True),
        sa.Column("escalated_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("withdrawn_why", sa.Text(), nullable=False),
        sa.Column("extra_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assigned_by_id"], ["user.id"], name="fk_training_assignment_assigned_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_assignment_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["path_id"], ["training_path.id"], name="fk_training_assignment_path_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["training_rule.id"], name="fk_training_assignment_rule_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_training_assignment_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_training_assignment_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["training_version.id"], name="fk_training_assignment_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_assignment"),
    )
    op.create_index("ix_training_assignment_assigned_by_id", "training_assignment", ["assigned_by_id"], unique=False)
    op.create_index(
        "ix_training_assignment_course_id", "training_assignment", ["course_id", "state", "user_id"], unique=False
    )
    op.create_index(
        "ix_training_assignment_next_at",
        "training_assignment",
        ["next_at", "id"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_training_assignment_path_id", "training_assignment", ["path_id"], unique=False)
    op.create_index(
        "ix_training_assignment_rule_id", "training_assignment", ["rule_id", "user_id", "course_id"], unique=False
    )
    op.create_index("ix_training_assignment_state", "training_assignment", ["state", "due_at", "id"], unique=False)
    op.create_index("ix_training_assignment_ticket_id", "training_assignment", ["ticket_id"], unique=False)
    op.create_index("ix_training_assignment_user_id", "training_assignment", ["user_id", "id"], unique=False)
    op.create_index("ix_training_assignment_version_id", "training_assignment", ["version_id"], unique=False)
    op.create_index(
        "uq_training_assignment_open",
        "training_assignment",
        ["user_id", "course_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('assigned', 'begun', 'waiting')"),
        postgresql_where=sa.text("state IN ('assigned', 'begun', 'waiting')"),
    )
    op.create_table(
        "training_low_answer",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["training_rule.id"], name="fk_training_low_answer_rule_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_training_low_answer_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("rule_id", "response_id", name="pk_training_low_answer"),
    )
    op.create_index("ix_training_low_answer_at", "training_low_answer", ["at"], unique=False)
    op.create_index("ix_training_low_answer_user_id", "training_low_answer", ["user_id", "rule_id", "at"], unique=False)
    op.create_table(
        "training_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["training_assignment.id"], name="fk_training_attempt_assignment_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["training_version.id"], name="fk_training_attempt_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_attempt"),
    )
    op.create_index("ix_training_attempt_version_id", "training_attempt", ["version_id"], unique=False)
    op.create_index(
        "uq_training_attempt_assignment_id_number", "training_attempt", ["assignment_id", "number"], unique=True
    )
    op.create_index(
        "uq_training_attempt_open",
        "training_attempt",
        ["assignment_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "training_certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("assignment_id", sa.Integer(), nullable=True),
        sa.Column("serial", sa.String(length=32), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("earned_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("expired_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by_id", sa.Integer(), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["training_assignment.id"],
            name="fk_training_certificate_assignment_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_certificate_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["user.id"], name="fk_training_certificate_revoked_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_training_certificate_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["training_version.id"], name="fk_training_certificate_version_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_certificate"),
        sa.UniqueConstraint("assignment_id", name="uq_training_certificate_assignment_id"),
        sa.UniqueConstraint("serial", name="uq_training_certificate_serial"),
    )
    op.create_index(
        "ix_training_certificate_course_id",
        "training_certificate",
        ["course_id", "expires_at", "user_id"],
        unique=False,
    )
    op.create_index(
        "ix_training_certificate_next_at",
        "training_certificate",
        ["next_at", "id"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_training_certificate_revoked_by_id", "training_certificate", ["revoked_by_id"], unique=False)
    op.create_index(
        "ix_training_certificate_user_id", "training_certificate", ["user_id", "course_id", "earned_at"], unique=False
    )
    op.create_index("ix_training_certificate_version_id", "training_certificate", ["version_id"], unique=False)
    op.create_table(
        "training_lesson_done",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.String(length=40), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["training_assignment.id"],
            name="fk_training_lesson_done_assignment_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assignment_id", "lesson_id", name="pk_training_lesson_done"),
    )
    op.create_table(
        "training_task_work",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("handed_in_at", UtcDateTime(), nullable=True),
        sa.Column("graded_by_id", sa.Integer(), nullable=True),
        sa.Column("graded_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["training_assignment.id"],
            name="fk_training_task_work_assignment_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["graded_by_id"], ["user.id"], name="fk_training_task_work_graded_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["training_version.id"], name="fk_training_task_work_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_task_work"),
    )
    op.create_index("ix_training_task_work_graded_by_id", "training_task_work", ["graded_by_id"], unique=False)
    op.create_index("ix_training_task_work_state", "training_task_work", ["state", "id"], unique=False)
    op.create_index("ix_training_task_work_version_id", "training_task_work", ["version_id"], unique=False)
    op.create_index(
        "uq_training_task_work_assignment_id", "training_task_work", ["assignment_id", "task_id", "number"], unique=True
    )
    op.create_table(
        "training_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(length=40), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("points", sa.SmallInteger(), nullable=False),
        sa.Column("most", sa.SmallInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("graded_by_id", sa.Integer(), nullable=True),
        sa.Column("graded_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["training_attempt.id"], name="fk_training_answer_attempt_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["training_course.id"], name="fk_training_answer_course_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["graded_by_id"], ["user.id"], name="fk_training_answer_graded_by_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_answer"),
    )
    op.create_index("ix_training_answer_graded_by_id", "training_answer", ["graded_by_id"], unique=False)
    op.create_index(
        "ix_training_answer_question", "training_answer", ["course_id", "question_id", "right"], unique=False
    )
    op.create_index(
        "ix_training_answer_waits",
        "training_answer",
        ["id"],
        unique=False,
        sqlite_where=sa.text("waits"),
        postgresql_where=sa.text("waits"),
    )
    op.create_index("uq_training_answer_attempt_id", "training_answer", ["attempt_id", "question_id"], unique=True)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("training_answer")
    op.drop_table("training_task_work")
    op.drop_table("training_lesson_done")
    op.drop_table("training_certificate")
    op.drop_table("training_attempt")
    op.drop_table("training_low_answer")
    op.drop_table("training_assignment")
    op.drop_table("training_version")
    op.drop_table("training_rule")
    op.drop_table("training_path_item")
    op.drop_table("training_need")
    op.drop_table("training_lesson_skill")
    op.drop_table("training_file")
    op.drop_table("training_course_skill")
    op.drop_table("training_outside")
    op.drop_table("training_course")
    op.drop_table("training_assessment")
    op.drop_table("training_path")
