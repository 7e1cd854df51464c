"""The ladder, people, measures, history, proposals, goals, reviews, recognition, rules."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "career_competence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("norm", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_career_competence"),
        sa.UniqueConstraint("norm", name="uq_career_competence_norm"),
    )
    op.create_table(
        "career_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_career_template"),
        sa.UniqueConstraint("name", name="uq_career_template_name"),
    )
    op.create_table(
        "career_goal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_goal_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_goal_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_goal"),
    )
    op.create_index("ix_career_goal_by_id", "career_goal", ["by_id"], unique=False)
    op.create_index("ix_career_goal_user_id", "career_goal", ["user_id", "state", "id"], unique=False)
    op.create_table(
        "career_measure",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=60), nullable=False),
        sa.Column("choice", sa.String(length=100), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("measured_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_measure_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "criterion", "choice", "days", name="pk_career_measure"),
    )
    op.create_table(
        "career_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("shared_at", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_review_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["career_review.id"], name="fk_career_review_corrects_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["career_template.id"], name="fk_career_review_template_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_review_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_review"),
    )
    op.create_index("ix_career_review_by_id", "career_review", ["by_id"], unique=False)
    op.create_index("ix_career_review_template_id", "career_review", ["template_id"], unique=False)
    op.create_index("ix_career_review_user_id", "career_review", ["user_id", "id"], unique=False)
    op.create_index("uq_career_review_corrects_id", "career_review", ["corrects_id"], unique=True)
    op.create_table(
        "career_track",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("from_level_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_career_track_team_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_career_track"),
    )
    op.create_index("ix_career_track_team_id", "career_track", ["team_id"], unique=False)
    op.create_table(
        "career_assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("competence_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_assessment_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["competence_id"], ["career_competence.id"], name="fk_career_assessment_competence_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["career_review.id"], name="fk_career_assessment_review_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_assessment_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_assessment"),
    )
    op.create_index("ix_career_assessment_by_id", "career_assessment", ["by_id"], unique=False)
    op.create_index("ix_career_assessment_competence_id", "career_assessment", ["competence_id"], unique=False)
    op.create_index("ix_career_assessment_review_id", "career_assessment", ["review_id"], unique=False)
    op.create_index(
        "ix_career_assessment_user_id", "career_assessment", ["user_id", "competence_id", "id"], unique=False
    )
    op.create_table(
        "career_goal_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("goal_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_goal_entry_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["goal_id"], ["career_goal.id"], name="fk_career_goal_entry_goal_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_career_goal_entry"),
    )
    op.create_index("ix_career_goal_entry_by_id", "career_goal_entry", ["by_id"], unique=False)
    op.create_index("ix_career_goal_entry_goal_id", "career_goal_entry", ["goal_id"], unique=False)
    op.create_table(
        "career_level",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["track_id"], ["career_track.id"], name="fk_career_level_track_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_level"),
    )
    op.create_index("ix_career_level_track_id", "career_level", ["track_id", "position", "id"], unique=False)
    op.create_table(
        "career_recognition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("worth", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_recognition_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["career_recognition.id"], name="fk_career_recognition_corrects_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_career_recognition_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_recognition_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_recognition"),
    )
    op.create_index("ix_career_recognition_by_id", "career_recognition", ["by_id"], unique=False)
    op.create_index("ix_career_recognition_ticket_id", "career_recognition", ["ticket_id"], unique=False)
    op.create_index("ix_career_recognition_user_id", "career_recognition", ["user_id", "id"], unique=False)
    op.create_index("uq_career_recognition_corrects_id", "career_recognition", ["corrects_id"], unique=True)
    op.create_table(
        "career_person",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("measured_at", UtcDateTime(), nullable=True),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["level_id"], ["career_level.id"], name="fk_career_person_level_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_person_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_career_person"),
    )
    op.create_index("ix_career_person_left_at", "career_person", ["left_at"], unique=False)
    op.create_index("ix_career_person_level_id", "career_person", ["level_id"], unique=False)
    op.create_index(
        "ix_career_person_stale",
        "career_person",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("stale"),
        postgresql_where=sa.text("stale"),
    )
    op.create_table(
        "career_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=False),
        sa.Column("from_level_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_proposal_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name="fk_career_proposal_decided_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["from_level_id"], ["career_level.id"], name="fk_career_proposal_from_level_id"),
        sa.ForeignKeyConstraint(["level_id"], ["career_level.id"], name="fk_career_proposal_level_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_proposal_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_proposal"),
    )
    op.create_index("ix_career_proposal_by_id", "career_proposal", ["by_id"], unique=False)
    op.create_index("ix_career_proposal_decided_by_id", "career_proposal", ["decided_by_id"], unique=False)
    op.create_index("ix_career_proposal_from_level_id", "career_proposal", ["from_level_id"], unique=False)
    op.create_index("ix_career_proposal_level_id", "career_proposal", ["level_id"], unique=False)
    op.create_index("ix_career_proposal_state", "career_proposal", ["state", "id"], unique=False)
    op.create_index("ix_career_proposal_user_id", "career_proposal", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_career_proposal_open",
        "career_proposal",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "career_requirement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=60), nullable=False),
        sa.Column("choice", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("least_count", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["level_id"], ["career_level.id"], name="fk_career_requirement_level_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_career_requirement"),
    )
    op.create_index(
        "uq_career_requirement_level_id", "career_requirement", ["level_id", "criterion", "choice", "days"], unique=True
    )
    op.create_table(
        "career_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=True),
        sa.Column("certificate", sa.String(length=100), nullable=False),
        sa.Column("certificate_label", sa.String(length=200), nullable=False),
        sa.Column("permission", sa.String(length=80), nullable=False),
        sa.Column("type_id", sa.Integer(), nullable=True),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("priority", sa.String(length=10), nullable=False),
        sa.Column("gives", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["level_id"], ["career_level.id"], name="fk_career_rule_level_id"),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name="fk_career_rule_topic_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["type_id"], ["ticket_type.id"], name="fk_career_rule_type_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_rule"),
    )
    op.create_index("ix_career_rule_act", "career_rule", ["act", "id"], unique=False)
    op.create_index("ix_career_rule_level_id", "career_rule", ["level_id"], unique=False)
    op.create_index("ix_career_rule_topic_id", "career_rule", ["topic_id"], unique=False)
    op.create_index("ix_career_rule_type_id", "career_rule", ["type_id"], unique=False)
    op.create_table(
        "career_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=True),
        sa.Column("from_level_id", sa.Integer(), nullable=True),
        sa.Column("level_name", sa.String(length=250), nullable=False),
        sa.Column("from_name", sa.String(length=250), nullable=False),
        sa.Column("held_from", UtcDateTime(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name="fk_career_step_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["career_step.id"], name="fk_career_step_corrects_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["from_level_id"], ["career_level.id"], name="fk_career_step_from_level_id"),
        sa.ForeignKeyConstraint(["level_id"], ["career_level.id"], name="fk_career_step_level_id"),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["career_proposal.id"], name="fk_career_step_proposal_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_career_step_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_career_step"),
    )
    op.create_index("ix_career_step_by_id", "career_step", ["by_id"], unique=False)
    op.create_index("ix_career_step_from_level_id", "career_step", ["from_level_id"], unique=False)
    op.create_index("ix_career_step_level_id", "career_step", ["level_id"], unique=False)
    op.create_index("ix_career_step_proposal_id", "career_step", ["proposal_id"], unique=False)
    op.create_index("ix_career_step_user_id", "career_step", ["user_id", "id"], unique=False)
    op.create_index("uq_career_step_corrects_id", "career_step", ["corrects_id"], unique=True)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("career_step")
    op.drop_table("career_rule")
    op.drop_table("career_requirement")
    op.drop_table("career_proposal")
    op.drop_table("career_person")
    op.drop_table("career_recognition")
    op.drop_table("career_level")
    op.drop_table("career_goal_entry")
    op.drop_table("career_assessment")
    op.drop_table("career_track")
    op.drop_table("career_review")
    op.drop_table("career_measure")
    op.drop_table("career_goal")
    op.drop_table("career_template")
    op.drop_table("career_competence")
