"""Surveys, invitations, answers, what followed, and kept counts."""

import sqlalchemy as sa
from alembic import op

from helpdesk.api import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "surveys_survey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("look", sa.String(length=8), nullable=False),
        sa.Column("occasion", sa.String(length=8), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("min_group", sa.Integer(), nullable=False),
        sa.Column("delay_hours", sa.Integer(), nullable=False),
        sa.Column("rhythm_days", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.SmallInteger(), nullable=False),
        sa.Column("quiet_until", sa.SmallInteger(), nullable=False),
        sa.Column("reminder_days", sa.Integer(), nullable=False),
        sa.Column("closes_days", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("skip_tags", sa.JSON(), nullable=False),
        sa.Column("skip_complaints", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("link_key", sa.String(length=32), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_surveys_survey_team_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_surveys_survey"),
        sa.UniqueConstraint("link_key", name="uq_surveys_survey_link_key"),
        sa.UniqueConstraint("name", name="uq_surveys_survey_name"),
    )
    op.create_index("ix_surveys_survey_team_id", "surveys_survey", ["team_id"], unique=False)
    op.create_table(
        "surveys_day",
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("cut", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("invitations", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("squares", sa.Integer(), nullable=False),
        sa.Column("n0", sa.Integer(), nullable=False),
        sa.Column("n1", sa.Integer(), nullable=False),
        sa.Column("n2", sa.Integer(), nullable=False),
        sa.Column("n3", sa.Integer(), nullable=False),
        sa.Column("n4", sa.Integer(), nullable=False),
        sa.Column("n5", sa.Integer(), nullable=False),
        sa.Column("n6", sa.Integer(), nullable=False),
        sa.Column("n7", sa.Integer(), nullable=False),
        sa.Column("n8", sa.Integer(), nullable=False),
        sa.Column("n9", sa.Integer(), nullable=False),
        sa.Column("n10", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys_survey.id"], name="fk_surveys_day_survey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "survey_id", "cut", "day", "agent_id", "team_id", "channel", "language", "tag", name="pk_surveys_day"
        ),
    )
    op.create_index("ix_surveys_day_agent", "surveys_day", ["survey_id", "cut", "agent_id", "day"], unique=False)
    op.create_index("ix_surveys_day_team", "surveys_day", ["survey_id", "cut", "team_id", "day"], unique=False)
    op.create_table(
        "surveys_suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name="fk_surveys_suppression_actor_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys_survey.id"], name="fk_surveys_suppression_survey_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_surveys_suppression_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_surveys_suppression_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_surveys_suppression"),
    )
    op.create_index("ix_surveys_suppression_actor_id", "surveys_suppression", ["actor_id"], unique=False)
    op.create_index("ix_surveys_suppression_at", "surveys_suppression", ["at", "id"], unique=False)
    op.create_index("ix_surveys_suppression_survey_id", "surveys_suppression", ["survey_id", "id"], unique=False)
    op.create_index("ix_surveys_suppression_ticket_id", "surveys_suppression", ["ticket_id"], unique=False)
    op.create_index("ix_surveys_suppression_user_id", "surveys_suppression", ["user_id"], unique=False)
    op.create_table(
        "surveys_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name="fk_surveys_version_made_by_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys_survey.id"], name="fk_surveys_version_survey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_surveys_version"),
    )
    op.create_index("ix_surveys_version_made_by_id", "surveys_version", ["made_by_id"], unique=False)
    op.create_index("uq_surveys_version_survey_id_number", "surveys_version", ["survey_id", "number"], unique=True)
    op.create_table(
        "surveys_invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("occurrence", sa.SmallInteger(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("closes_at", UtcDateTime(), nullable=True),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["user.id"], name="fk_surveys_invitation_agent_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user.id"], name="fk_surveys_invitation_asked_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys_survey.id"], name="fk_surveys_invitation_survey_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_surveys_invitation_team_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_surveys_invitation_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_surveys_invitation_user_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["surveys_version.id"], name="fk_surveys_invitation_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_surveys_invitation"),
    )
    op.create_index("ix_surveys_invitation_agent_id", "surveys_invitation", ["agent_id"], unique=False)
    op.create_index("ix_surveys_invitation_asked_by_id", "surveys_invitation", ["asked_by_id"], unique=False)
    op.create_index(
        "ix_surveys_invitation_due_at",
        "surveys_invitation",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_surveys_invitation_survey_id", "surveys_invitation", ["survey_id", "id"], unique=False)
    op.create_index(
        "ix_surveys_invitation_survey_person",
        "surveys_invitation",
        ["survey_id", "user_id", "created_at"],
        unique=False,
    )
    op.create_index("ix_surveys_invitation_team_id", "surveys_invitation", ["team_id"], unique=False)
    op.create_index("ix_surveys_invitation_ticket_id", "surveys_invitation", ["ticket_id"], unique=False)
    op.create_index("ix_surveys_invitation_user_id", "surveys_invitation", ["user_id", "sent_at"], unique=False)
    op.create_index("ix_surveys_invitation_version_id", "surveys_invitation", ["version_id"], unique=False)
    op.create_index(
        "uq_surveys_invitation_ticket_id", "surveys_invitation", ["survey_id", "ticket_id", "occurrence"], unique=True
    )
    op.create_table(
        "surveys_response",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=True),
        sa.Column("ballot", sa.String(length=64), nullable=True),
        sa.Column("ballot_until", UtcDateTime(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["user.id"], name="fk_surveys_response_agent_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["surveys_invitation.id"], name="fk_surveys_response_invitation_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys_survey.id"], name="fk_surveys_response_survey_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_surveys_response_team_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_surveys_response_ticket_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_surveys_response_user_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["surveys_version.id"], name="fk_surveys_response_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_surveys_response"),
    )
    op.create_index(
        "ix_surveys_response_agent_id", "surveys_response", ["agent_id", "survey_id", "answered_at", "id"], unique=False
    )
    op.create_index("ix_surveys_response_ballot_until", "surveys_response", ["ballot_until"], unique=False)
    op.create_index(
        "ix_surveys_response_score", "surveys_response", ["survey_id", "score", "answered_at", "id"], unique=False
    )
    op.create_index(
        "ix_surveys_response_survey_id", "surveys_response", ["survey_id", "answered_at", "id"], unique=False
    )
    op.create_index(
        "ix_surveys_response_team_id", "surveys_response", ["team_id", "survey_id", "answered_at", "id"], unique=False
    )
    op.create_index("ix_surveys_response_ticket_id", "surveys_response", ["ticket_id"], unique=False)
    op.create_index("ix_surveys_response_user_id", "surveys_response", ["user_id", "id"], unique=False)
    op.create_index("ix_surveys_response_version_id", "surveys_response", ["version_id"], unique=False)
    op.create_index(
        "uq_surveys_response_ballot",
        "surveys_response",
        ["ballot"],
        unique=True,
        sqlite_where=sa.text("ballot IS NOT NULL"),
        postgresql_where=sa.text("ballot IS NOT NULL"),
    )
    op.create_index("uq_surveys_response_invitation_id", "surveys_response", ["invitation_id"], unique=True)
    op.create_table(
        "surveys_follow_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("marked_by_id", sa.Integer(), nullable=True),
        sa.Column("marked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["marked_by_id"], ["user.id"], name="fk_surveys_follow_up_marked_by_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["response_id"], ["surveys_response.id"], name="fk_surveys_follow_up_response_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_surveys_follow_up_team_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_surveys_follow_up_ticket_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_surveys_follow_up"),
    )
    op.create_index("ix_surveys_follow_up_marked_by_id", "surveys_follow_up", ["marked_by_id"], unique=False)
    op.create_index("ix_surveys_follow_up_state", "surveys_follow_up", ["state", "id"], unique=False)
    op.create_index("ix_surveys_follow_up_team_id", "surveys_follow_up", ["team_id", "state", "id"], unique=False)
    op.create_index("ix_surveys_follow_up_ticket_id", "surveys_follow_up", ["ticket_id"], unique=False)
    op.create_index(
        "uq_surveys_follow_up_response_id_action", "surveys_follow_up", ["response_id", "action", "tag"], unique=True
    )
    op.create_table(
        "surveys_response_tag",
        sa.Column("response_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"], ["surveys_response.id"], name="fk_surveys_response_tag_response_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("response_id", "tag", name="pk_surveys_response_tag"),
    )
    op.create_index("ix_surveys_response_tag_tag", "surveys_response_tag", ["tag", "response_id"], unique=False)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("surveys_response_tag")
    op.drop_table("surveys_follow_up")
    op.drop_table("surveys_response")
    op.drop_table("surveys_invitation")
    op.drop_table("surveys_version")
    op.drop_table("surveys_suppression")
    op.drop_table("surveys_day")
    op.drop_table("surveys_survey")
