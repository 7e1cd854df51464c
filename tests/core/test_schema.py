"""The database's shape: as the models say, all or nothing, on both databases, and never over a newer one."""

import importlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from helpdesk.api import hookimpl
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import PluginState, Status, Team
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager, migrations
from helpdesk.plugins.migrations import NewerDatabase

pytestmark = pytest.mark.plugins


@pytest.mark.db
def test_migrations_make_what_the_models_say(app: Any) -> None:
    owned = frozenset(Base.metadata.tables)
    with db.engine.connect() as connection:
        assert migrations.differences(connection, Base.metadata, owned, schema.CORE_VERSION) == []


@pytest.mark.db
def test_there_is_a_status_of_each_category(app: Any) -> None:
    found = set(db.session.scalars(select(Status.category)))
    assert found == {"new", "open", "pending", "on_hold", "solved", "closed"}


@pytest.mark.db
def test_down_and_up_again(app: Any) -> None:
    schema.downgrade("base")
    assert not schema.is_current()
    left = set(inspect(db.engine).get_table_names()) - {schema.CORE_VERSION}
    assert not left & {"ticket", "user", "message", "event"}
    (moved,) = [revision for revision in schema.upgrade() if revision.owner == "core"]
    assert (moved.database, moved.is_current) == (None, False)
    assert schema.is_current() and schema.upgrade() == []


@pytest.mark.db
def test_a_newer_database_is_left_alone(app: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for call in (schema.upgrade, schema.revisions, schema.is_current, lambda: schema.downgrade("base")):
        with pytest.raises(NewerDatabase, match="9999.*made by a newer one"):
            call()
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM ticket")).scalar() == 0


STEP = """
import sqlalchemy as sa
from alembic import op
revision = "{revision}"
down_revision = {down}
def upgrade():
    {up}
def downgrade():
    op.drop_table("parcels_parcel")
"""


@pytest.fixture
def parcels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Path]]:
    """A plugin with a history of its own; answers its module and the folder of its revisions."""
    name = f"probe_parcels_{time.monotonic_ns()}"
    folder = tmp_path / "src" / name
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    step = 'op.create_table("parcels_parcel", sa.Column("id", sa.Integer, primary_key=True))'
    (folder / "migrations" / "versions" / "1.py").write_text(STEP.format(revision="p1", down=None, up=step))
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    yield importlib.import_module(name), folder / "migrations" / "versions"
    del sys.modules[name]


@pytest.mark.db
def test_each_plugin_has_a_history_of_its_own(make_app: Any, parcels: Any) -> None:
    module, _folder = parcels
    app = make_app({"parcels": module})
    with app.app_context():
        assert "parcels_parcel" in inspect(db.engine).get_table_names()
        assert [revision.owner for revision in schema.revisions()] == ["core", "parcels"]
        assert db.session.get(PluginState, "parcels") is not None
        schema.downgrade("base", "parcels")
        assert "parcels_parcel" not in inspect(db.engine).get_table_names()
        assert [revision.owner for revision in schema.upgrade("parcels")] == ["parcels"]
    # Uninstalled, its tables stay and the core goes on.
    without = make_app({})
    with without.app_context():
        assert schema.is_current() and "parcels_parcel" in inspect(db.engine).get_table_names()


@pytest.mark.db
def test_a_migration_that_fails_leaves_the_old_schema(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    app = make_app({"parcels": module})
    bad = 'op.add_column("parcels_parcel", sa.Column("x", sa.Integer)); op.execute("SELECT * FROM nowhere")'
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=bad))
    with app.app_context():
        with pytest.raises(schema.MigrationFailed, match="parcels failed and was undone.*nowhere"):
            schema.upgrade("parcels")
        columns = [column["name"] for column in inspect(db.engine).get_columns("parcels_parcel")]
        assert columns == ["id"]
        assert [revision.database for revision in schema.revisions()][1] == "p1"
        (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=bad.split(";")[0]))
        assert [revision.owner for revision in schema.upgrade()] == ["parcels"]


@pytest.mark.db
def test_the_desk_goes_on_without_a_plugin_whose_migration_fails(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    make_app({"parcels": module})
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up='op.execute("SELECT * FROM nowhere")'))
    sound = SimpleNamespace(choose_team=hookimpl(lambda draft: "sound"))
    app = make_app({"parcels": module, "sound": sound})
    with app.app_context():
        plugins = manager.current()
        assert "parcels failed and was undone" in plugins.plugins["parcels"].error
        assert plugins.answer("choose_team", draft=None) == "sound"
    assert app.test_client().get("/auth/sign-in").status_code == 200
    # A process that does not migrate finds it out for itself.
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up="pass"))
    fresh = create_app(app.config["HELPDESK"], plugins={"parcels": module})
    with fresh.app_context():
        schema.leave_out_unready()
        error = manager.current().plugins["parcels"].error
        assert "parcels failed and was undone" in error and "nowhere" in error and "--plugin parcels" in error
        db.session.remove()
        db.engine.dispose()


@pytest.mark.sqlite
def test_a_migration_that_breaks_keys_is_undone_on_sqlite(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    app = make_app({"parcels": module})
    bad = 'op.execute("INSERT INTO team_member (team_id, user_id) VALUES (998, 999)")'
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=bad))
    with app.app_context():
        with pytest.raises(schema.MigrationFailed, match="point to nothing"):
            schema.upgrade("parcels")
        assert db.session.scalar(text("SELECT count(*) FROM team_member")) == 0
        assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.db
def test_two_that_start_at_once_migrate_once(make_app: Any, app: Any, at_once: Any) -> None:
    schema.downgrade("base")
    results = at_once(3, lambda _place: [revision.owner for revision in schema.upgrade()])
    assert [error for error in results if isinstance(error, Exception)] == []
    assert sum("core" in owners for owners in results) == 1
    assert schema.is_current()


REFERS = """
import sqlalchemy as sa
from alembic import op
revision = "p1"
down_revision = None
def upgrade():
    op.create_table(
        "parcels_parcel",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("team_id", sa.Integer, sa.ForeignKey("team.id", ondelete="CASCADE")),
    )
def downgrade():
    op.drop_table("parcels_parcel")
"""

REBUILDS = """
import sqlalchemy as sa
from alembic import op
revision = "9999_rebuild"
down_revision = "{head}"
def upgrade():
    with op.batch_alter_table("team", recreate="auto") as batch:
        batch.alter_column("name", type_=sa.String(200), existing_nullable=False)
def downgrade():
    pass
"""


@pytest.mark.db
def test_rows_of_plugins_outlive_the_rebuilding_of_a_core_table(
    make_app: Any, parcels: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a column is changed by making its table anew, which would empty what refers to it ON DELETE CASCADE."""
    module, folder = parcels
    (folder / "1.py").write_text(REFERS)
    app = make_app({"parcels": module})
    core = tmp_path / "core"
    shutil.copytree(schema.CORE, core, ignore=shutil.ignore_patterns("__pycache__"))
    head = migrations.heads(schema.CORE)
    (core / "versions" / "9999_rebuild.py").write_text(REBUILDS.format(head=head))
    with app.app_context():
        with transaction():
            db.session.add(Team(name="Workshop"))
            db.session.flush()
            db.session.execute(text("INSERT INTO parcels_parcel (id, team_id) SELECT 7, id FROM team"))
        monkeypatch.setattr(schema, "CORE", core)
        assert [revision.owner for revision in schema.upgrade()] == ["core"]
        query = text("SELECT parcels_parcel.id, team.name FROM parcels_parcel JOIN team ON team.id = team_id")
        assert [tuple(row) for row in db.session.execute(query)] == [(7, "Workshop")]
        # The key still works afterwards.
        with transaction():
            db.session.execute(text("DELETE FROM team"))
        assert db.session.scalar(text("SELECT count(*) FROM parcels_parcel")) == 0


@pytest.mark.db
def test_a_plugin_that_went_and_comes_back_finds_its_rows(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    with make_app({"parcels": module}).app_context():
        with transaction():
            db.session.execute(text("INSERT INTO parcels_parcel (id) VALUES (7)"))
    with make_app({}).app_context():
        assert schema.upgrade() == [] and schema.is_current()
    # It comes back as a newer version.
    step = 'op.add_column("parcels_parcel", sa.Column("weight", sa.Integer))'
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=step))
    with make_app({"parcels": module}).app_context():
        assert schema.is_current()
        assert db.session.execute(text("SELECT id, weight FROM parcels_parcel")).all() == [(7, None)]
    # An older version than the tables are is left out, and touches nothing.
    (folder / "2.py").unlink()
    with make_app({"parcels": module}).app_context():
        assert "made by a newer one" in manager.current().plugins["parcels"].error
        assert db.session.execute(text("SELECT id, weight FROM parcels_parcel")).all() == [(7, None)]


@pytest.mark.db
def test_several_that_start_at_once_migrate_a_plugin_once(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    app = make_app({"parcels": module})
    step = 'op.add_column("parcels_parcel", sa.Column("weight", sa.Integer))'
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=step))
    together = Barrier(3)

    def start(_place: int) -> list[str]:
        with app.app_context():
            together.wait(60)
            return [revision.owner for revision in schema.upgrade("parcels")]

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(start, range(3)), key=len) == [[], [], ["parcels"]]


KILLED = """
import os
import sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, {path!r})
import {name} as module
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.config import Config
app = create_app(Config(home=Path({home!r}), testing=True, database_url={url!r}), plugins=dict(parcels=module))
with app.app_context():
    schema.upgrade("parcels")
"""


@pytest.mark.db
def test_a_migration_that_is_killed_leaves_the_old_schema_and_is_done_later(
    make_app: Any, parcels: Any, home: Path, database_url: str
) -> None:
    module, folder = parcels
    app = make_app({"parcels": module})
    step = 'op.add_column("parcels_parcel", sa.Column("weight", sa.Integer))'
    killed = f"{step}; import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=killed))
    path, name = str(folder.parents[2]), module.__name__
    code = KILLED.format(path=path, name=name, home=str(home), url=database_url)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=step))
    with app.app_context():
        assert [column["name"] for column in inspect(db.engine).get_columns("parcels_parcel")] == ["id"]
        assert [revision.owner for revision in schema.upgrade()] == ["parcels"]
        assert len(inspect(db.engine).get_columns("parcels_parcel")) == 2


def test_why_a_migration_failed_is_told_by_every_process(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    (folder / "1.py").write_text(STEP.format(revision="p1", down=None, up='op.execute("SELECT * FROM nowhere")'))
    app = make_app({"parcels": module})
    with app.app_context():
        # Even if it never had a row in the table of states.
        assert "nowhere" in db.session.get_one(PluginState, "parcels").migration_error
        assert "nowhere" in manager.current().plugins["parcels"].error
