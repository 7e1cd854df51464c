"""Whether the triggers of the database that keep the record are there. Reads only."""

from collections.abc import Sequence

from sqlalchemy import text

from helpdesk.core.extensions import db

# What migration 0005 makes for each table: against changes, deletion and (PostgreSQL) emptying at one go.
_TABLES, _GUARDS = ("audit_entry", "audit_link"), ("kept", "there")
_POSTGRESQL_GUARDS = (*_GUARDS, "whole")
# A trigger that is switched off, or that does something else, keeps nothing.
_ON_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT,%'"
_ON_POSTGRESQL = """
    SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid IN ('audit_entry'::regclass, 'audit_link'::regclass)
    AND t.tgenabled IN ('O', 'A') AND p.proname = 'audit_refuse' AND p.prosrc LIKE '%RAISE EXCEPTION%'
"""


def missing() -> Sequence[str]:
    """The names of the triggers that are gone or switched off; none when all is well. One query."""
    on_postgresql = db.engine.dialect.name == "postgresql"
    guards = _POSTGRESQL_GUARDS if on_postgresql else _GUARDS
    there = set(db.session.scalars(text(_ON_POSTGRESQL if on_postgresql else _ON_SQLITE)))
    return [name for table in _TABLES for guard in guards if (name := f"{table}_{guard}") not in there]
