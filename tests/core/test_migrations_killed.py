"""A migration is killed before each of its statements: the old schema is there with all rows, the next start goes on.

Real processes die by SIGKILL, one for each statement of the core's newer revisions; in the short form for each tenth.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from helpdesk.core import schema
from helpdesk.core.extensions import db
from helpdesk.core.transaction import transaction
from helpdesk.plugins import migrations
from tests.faults.form import amount

BEFORE = "0002"

KILLED = """
import json, os, signal, sys
from pathlib import Path
from sqlalchemy import create_engine, event, inspect, text
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import db

home, url = Path(sys.argv[1]), sys.argv[2]
config = Config(home=home, testing=True, database_url=url)


def migrate(last):
    app = create_app(config, plugins={})
    with app.app_context():
        met = 0

        def die(_connection, _cursor, statement, *_rest):
            nonlocal met
            met += 1
            if met == last:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(db.engine, "before_cursor_execute", die)
        schema.upgrade("core")
    os._exit(0)


def look():
    engine = create_engine(config.sqlalchemy_url)
    with engine.connect() as connection:
        found = {
            "revision": connection.execute(text("SELECT version_num FROM alembic_version")).scalar(),
            "new": "priority" in {one["name"] for one in inspect(connection).get_columns("job")},
            "tables": sorted(name for name in inspect(connection).get_table_names() if "_alembic_tmp" in name),
            "jobs": connection.execute(text("SELECT count(*) FROM job")).scalar(),
        }
        if engine.dialect.name == "sqlite":
            found["whole"] = connection.execute(text("PRAGMA integrity_check")).scalar()
    engine.dispose()
    return found


number, step = 1, int(sys.argv[3])
while True:
    child = os.fork()
    if child == 0:
        migrate(number)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({"statement": number, "status": status, **look()}), flush=True)
    if status != -signal.SIGKILL:
        break
    number += step
"""


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.db
def test_killed_before_each_statement_it_is_old_or_new(app: Any, home: Path, database_url: str) -> None:
    schema.downgrade(BEFORE)
    with transaction():
        for number in range(3):
            db.session.execute(
                text(
                    "INSERT INTO job (name, args, state, attempts, max_attempts, error, run_at, created_at) VALUES "
                    f"('x.{number}', '{{}}', 'waiting', 0, 8, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
                )
            )
    db.session.remove()
    db.engine.dispose()
    command = [sys.executable, "-c", KILLED, str(home), database_url, str(amount(10, 1))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *killed, last = [json.loads(line) for line in done.stdout.splitlines()]
    # Enough statements for the test to mean something.
    assert len(killed) > 20 and last["status"] == 0
    code = migrations.heads(schema.CORE)
    for found in killed:
        assert (found["revision"], found["new"]) in ((BEFORE, False), (code, True)), found
        assert found["jobs"] == 3 and found["tables"] == [] and found.get("whole", "ok") == "ok", found
    assert (last["revision"], last["new"], last["jobs"]) == (code, True, 3)


@pytest.mark.db
def test_rows_of_plugins_outlive_the_rebuilding_of_the_jobs(app: Any) -> None:
    """The revision itself, not an invented one: on SQLite it makes the table of jobs anew."""
    schema.downgrade(BEFORE)
    with transaction():
        db.session.execute(
            text(
                "CREATE TABLE parcels_parcel (id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL "
                "REFERENCES job (id) ON DELETE CASCADE)"
            )
        )
        db.session.execute(
            text(
                "INSERT INTO job (id, name, args, state, attempts, max_attempts, error, run_at, created_at) VALUES "
                "(41, 'x.y', '{}', 'waiting', 0, 8, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            )
        )
        db.session.execute(text("INSERT INTO parcels_parcel (id, job_id) VALUES (7, 41)"))
    schema.upgrade("core")
    query = text("SELECT parcels_parcel.id, job.name FROM parcels_parcel JOIN job ON job.id = job_id")
    assert [tuple(row) for row in db.session.execute(query)] == [(7, "x.y")]
    assert inspect(db.engine).get_foreign_keys("parcels_parcel")[0]["referred_table"] == "job"
    with transaction():
        db.session.execute(text("DELETE FROM job WHERE id = 41"))
        assert db.session.scalar(text("SELECT count(*) FROM parcels_parcel")) == 0
        db.session.execute(text("DROP TABLE parcels_parcel"))
