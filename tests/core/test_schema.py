"""The database's shape: as the models say, all or nothing, on both databases, and never over a newer one."""

import importlib
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from helpdesk.core import schema
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import PluginState, Status
from helpdesk.plugins import migrations
from helpdesk.plugins.migrations import NewerDatabase


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
def parcels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Path]:
    """A plugin with a history of its own; answers its module and the folder of its revisions."""
    name = f"probe_parcels_{time.monotonic_ns()}"
    folder = tmp_path / "src" / name
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    step = 'op.create_table("parcels_parcel", sa.Column("id", sa.Integer, primary_key=True))'
    (folder / "migrations" / "versions" / "1.py").write_text(STEP.format(revision="p1", down=None, up=step))
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    return importlib.import_module(name), folder / "migrations" / "versions"


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
        with pytest.raises(Exception, match="nowhere"):
            schema.upgrade()
        columns = [column["name"] for column in inspect(db.engine).get_columns("parcels_parcel")]
        assert columns == ["id"]
        assert [revision.database for revision in schema.revisions()][1] == "p1"
        (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=bad.split(";")[0]))
        assert [revision.owner for revision in schema.upgrade()] == ["parcels"]


def test_a_migration_that_breaks_keys_is_undone_on_sqlite(make_app: Any, parcels: Any) -> None:
    module, folder = parcels
    app = make_app({"parcels": module})
    bad = 'op.execute("INSERT INTO team_member (team_id, user_id) VALUES (998, 999)")'
    (folder / "2.py").write_text(STEP.format(revision="p2", down='"p1"', up=bad))
    with app.app_context():
        with pytest.raises(RuntimeError, match="point to nothing"):
            schema.upgrade()
        assert db.session.scalar(text("SELECT count(*) FROM team_member")) == 0
        assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.db
def test_two_that_start_at_once_migrate_once(make_app: Any, app: Any, at_once: Any) -> None:
    schema.downgrade("base")
    results = at_once(3, lambda _place: [revision.owner for revision in schema.upgrade()])
    assert [error for error in results if isinstance(error, Exception)] == []
    assert sum("core" in owners for owners in results) == 1
    assert schema.is_current()
