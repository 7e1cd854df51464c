"""Gates: sessions, second factors, remembered devices, tokens of programs, used keys, the chain of the audit log.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from helpdesk.core.models.columns import CleanText, Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXED = ("action", "actor_id", "at")
_REFUSED = "The record of administrative acts is append-only."
# What may happen to an entry once it is written. The first is done for entries of before there was a chain.
_ALLOWED = """
    NEW.id {same} OLD.id AND NEW.at {same} OLD.at AND NEW.actor_id {same} OLD.actor_id AND NEW.action {same} OLD.action
    AND (
        (OLD.digest IS NULL AND NEW.digest IS NOT NULL AND NEW.subject {same} OLD.subject AND NEW.data {same} OLD.data
            AND NEW.address {same} OLD.address AND NEW.erased_by {same} OLD.erased_by)
        OR (OLD.erased_by IS NULL AND NEW.erased_by IS NOT NULL AND NEW.salt IS NULL AND NEW.address IS NULL
            AND NEW.digest {same} OLD.digest)
    )
"""


def upgrade() -> None:
    op.add_column("user", sa.Column("is_service", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("audit_entry", sa.Column("salt", sa.String(length=32), nullable=True))
    op.add_column("audit_entry", sa.Column("digest", sa.String(length=64), nullable=True))
    op.add_column("audit_entry", sa.Column("erased_by", sa.Integer(), nullable=True))
    for column in _INDEXED:
        op.drop_index(f"ix_audit_entry_{column}", "audit_entry")
    for column in (*_INDEXED, "address"):
        op.create_index(f"ix_audit_entry_{column}_id", "audit_entry", [column, "id"])
    erased = sa.text("erased_by IS NOT NULL")
    op.create_index(
        "ix_audit_entry_erased_by", "audit_entry", ["erased_by", "id"], sqlite_where=erased, postgresql_where=erased
    )
    op.create_table(
        "audit_link",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("linked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_link_entry_id")),
    )
    _of_user(
        "sign_in_session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("proved_at", UtcDateTime(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", CleanText(), nullable=False),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_in_session_digest")),
    )
    op.create_index("ix_sign_in_session_user_id_seen_at", "sign_in_session", ["user_id", "seen_at"])
    op.create_index("ix_sign_in_session_expires_at", "sign_in_session", ["expires_at"])
    _of_user(
        "second_factor",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("secret", CleanText(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
    )
    op.create_index("ix_second_factor_user_id", "second_factor", ["user_id"])
    _of_user(
        "recovery_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("digest", name=op.f("uq_recovery_code_digest")),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    _of_user(
        "trusted_device",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", CleanText(), nullable=False),
        sa.UniqueConstraint("digest", name=op.f("uq_trusted_device_digest")),
    )
    op.create_index("ix_trusted_device_user_id", "trusted_device", ["user_id"])
    op.create_index("ix_trusted_device_expires_at", "trusted_device", ["expires_at"])
    _of_user(
        "api_token",
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("name", CleanText(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("used_from", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("warned_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_api_token_created_by_id_user"), ondelete="SET NULL"
        ),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_index("ix_api_token_user_id", "api_token", ["user_id"])
    op.create_index("ix_api_token_created_by_id", "api_token", ["created_by_id"])
    op.create_table(
        "idempotency_key",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idempotency_key")),
    )
    op.create_index("ix_idempotency_key_created_at", "idempotency_key", ["created_at"])
    _protect()


def _of_user(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A table of rows that go with their user."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f(f"fk_{name}_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def _protect() -> None:
    """Let nobody change the record but to erase a person, and to give entries of before their first digest."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
        )
        allowed = _ALLOWED.format(same="IS NOT DISTINCT FROM")
        refuse = "EXECUTE FUNCTION audit_refuse()"
        for table in ("audit_entry", "audit_link"):
            when = f" WHEN (NOT ({allowed}))" if table == "audit_entry" else ""
            op.execute(f"CREATE TRIGGER {table}_kept BEFORE UPDATE ON {table} FOR EACH ROW{when} {refuse}")
            op.execute(f"CREATE TRIGGER {table}_there BEFORE DELETE ON {table} FOR EACH ROW {refuse}")
            op.execute(f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}")
        return
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    for table in ("audit_entry", "audit_link"):
        when = f" WHEN NOT ({_ALLOWED.format(same='IS')})" if table == "audit_entry" else ""
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE UPDATE ON {table} FOR EACH ROW{when} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_there BEFORE DELETE ON {table} FOR EACH ROW {refuse}")


def _unprotect() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in ("audit_entry", "audit_link"):
        for name in ("kept", "there", *(["whole"] if on_postgresql else [])):
            op.execute(f"DROP TRIGGER {table}_{name}" + (f" ON {table}" if on_postgresql else ""))
    if on_postgresql:
        op.execute("DROP FUNCTION audit_refuse()")


def downgrade() -> None:
    _unprotect()
    op.drop_index("ix_audit_entry_erased_by", "audit_entry")
    for column in (*_INDEXED, "address"):
        op.drop_index(f"ix_audit_entry_{column}_id", "audit_entry")
    for column in _INDEXED:
        op.create_index(f"ix_audit_entry_{column}", "audit_entry", [column])
    op.drop_table("idempotency_key")
    for table in ("api_token", "trusted_device", "recovery_code", "second_factor", "sign_in_session", "audit_link"):
        op.drop_table(table)
    for column in ("erased_by", "digest", "salt"):
        op.drop_column("audit_entry", column)
    op.drop_column("user", "is_service")
