"""Plugins come and go by command, in an environment of their own that sees ours: nothing is installed into ours.

A command in that environment takes more than a second, and starts others: what needs none is done in this process.
"""

import fcntl
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.core.extensions import Base
from helpdesk.plugins import packages
from helpdesk.testing.served import wait_for

Run = Callable[..., Any]

PROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "helpdesk-{name}"
version = "{version}"
description = "Orders beside tickets."
authors = [{{ name = "Mia Sorel" }}]
dependencies = ["helpdesk>=1,<2"{needs}]

[project.entry-points."helpdesk.plugins"]
{name} = "helpdesk_{name}"

[tool.setuptools.packages.find]
include = ["helpdesk_{name}*"]

[tool.setuptools.package-data]
helpdesk_{name} = ["migrations/**"]
"""
INIT = """
from flask import Blueprint
from helpdesk.api import NavItem, Permission, db, hookimpl, public_page
from helpdesk_NAME.models import Order

pages = Blueprint("NAME", __name__)

@pages.get("/")
@public_page
def index():
    return f"VERSION has {db.session.query(Order).count()} orders"

@hookimpl
def register_blueprints():
    return [pages]

@hookimpl
def register_permissions():
    return [Permission("NAME.read", "Read orders", roles=("agent",))]

@hookimpl
def nav_items(user):
    return [NavItem("Orders of NAME", "NAME.index")]
"""
MODELS = """
from helpdesk.api import db

class Order(db.Model):
    __tablename__ = "NAME_order"
    id = db.Column(db.Integer, primary_key=True)
"""
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "REVISION"
down_revision = BEFORE

def upgrade():
    UPGRADE

def downgrade():
    DOWNGRADE
"""
CREATE = 'op.create_table("NAME_order", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))'


def write(folder: Path, name: str = "orders", version: str = "1.0.0", needs: str = "", **files: str) -> Path:
    """The source of a plugin with a page, a permission and a table; ``files`` replace or add modules."""
    package = folder / f"helpdesk_{name}"
    (package / "migrations" / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name, version=version, needs=needs))
    texts = {"__init__": INIT, "models": MODELS, **files}
    for module, text in texts.items():
        (package / f"{module}.py").write_text(text.replace("NAME", name).replace("VERSION", version))
    migration(folder, name, "one", None, CREATE, 'op.drop_table("NAME_order")')
    return folder


def placed(folder: Path, name: str = "orders", version: str = "1.0.0", needs: str = "", **files: str) -> Path:
    """The same as it lies in an environment: package and metadata, without building it."""
    write(folder, name, version, needs, **files)
    (folder / "pyproject.toml").unlink()
    info = folder / f"helpdesk_{name}-{version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: helpdesk-{name}", f"Version: {version}", "Requires-Dist: helpdesk>=1,<2"]
    lines += [f"Requires-Dist: {needs}"] if needs else []
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (info / "entry_points.txt").write_text(f"[helpdesk.plugins]\n{name} = helpdesk_{name}\n")
    (info / "RECORD").write_text("")
    return folder


def wheel(folder: Path, name: str = "orders", version: str = "1.0.0", needs: str = "", **files: str) -> Path:
    """The same as a wheel."""
    return zipped(placed(folder, name, version, needs, **files))


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".whl")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def migration(folder: Path, name: str, revision: str, before: str | None, up: str, down: str) -> None:
    text = MIGRATION.replace("REVISION", revision).replace("BEFORE", repr(before))
    text = text.replace("UPGRADE", up).replace("DOWNGRADE", down).replace("NAME", name)
    (folder / f"helpdesk_{name}" / "migrations" / "versions" / f"{revision}.py").write_text(text)


class Environment:
    """A virtual environment of this test's own, and commands in it for one home.

    It sees what is installed in ours, but for the plugins that come along: to load them takes a third of each command.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.home = home
        # pip comes from ours: it installs into the environment whose Python runs it.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = folder / "bin" / "python"
        self.packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
        seen = folder.with_name("seen")
        seen.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if not re.match(r"(__editable__[._])?helpdesk_[a-z]", path.name):
                (seen / path.name).symlink_to(path)
        (self.packages / "ours.pth").write_text(f"import site; site.addsitedir({str(seen)!r})\n")
        self.environ = {name: text for name, text in os.environ.items() if not name.startswith(("HELPDESK_", "PIP_"))}
        self.environ |= {"HELPDESK_HOME": str(home), "PIP_NO_INDEX": "1", "LANG": "C.UTF-8"}

    def run(self, *words: object, feed: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), "-m", "helpdesk.cli", "plugin", *map(str, words)],
            env={**self.environ, **environ},
            input=feed,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def ok(self, *words: object, feed: str = "") -> str:
        done = self.run(*words, feed=feed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fails(self, *words: object, **environ: str) -> str:
        """The one sentence with which it fails."""
        done = self.run(*words, **environ)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stdout + done.stderr
        return done.stderr.strip().splitlines()[-1]

    def rows(self) -> dict[str, dict[str, Any]]:
        rows = [json.loads(line) for line in self.ok("list", "--json").splitlines()]
        return {row["name"]: row for row in rows}

    def installed(self) -> set[str]:
        return {path.name for path in self.packages.iterdir()} - {"ours.pth", "__pycache__"}


@pytest.fixture
def environment(tmp_path: Path, home: Path) -> Iterator[Environment]:
    ours = Path(sysconfig.get_path("purelib"))
    before = {path.name for path in ours.iterdir()}
    yield Environment(tmp_path / "environment", home)
    assert {path.name for path in ours.iterdir()} - before <= {"__pycache__"}


@pytest.mark.slow
def test_from_a_folder_to_nothing_left(environment: Environment, helpdesk: Run, tmp_path: Path) -> None:
    source = write(tmp_path / "source")
    out = environment.ok("install", source, feed="y\n")
    for words in (
        "orders 1.0.0 (helpdesk-orders) by Mia Sorel",
        "permissions: orders.read",
        "tables: orders_order",
        "Install it? [y/N]",
        "orders 1.0.0 is installed; a desk that runs starts anew",
    ):
        assert words in out
    info = json.loads(environment.ok("info", "orders", "--json"))
    assert (info["state"], info["tables"], info["revision"], info["error"]) == ("on", {"orders_order": 0}, "one", "")
    assert info["manifest"]["hooks"] == ["nav_items", "register_blueprints", "register_permissions"]

    # Its code goes and its data stays, comes back with it, and goes for good.
    assert "its data stays" in environment.ok("uninstall", "orders", feed="y\n")
    assert "plugin.uninstalled" in audited(environment.home)
    assert environment.installed() == set()
    wrong = helpdesk("plugin", "purge", "orders", feed="email\n")
    assert "the table orders_order: 0 rows" in wrong.out and "not the name" in wrong.err
    assert "The data of orders is gone." in helpdesk("plugin", "purge", "orders", feed="orders\n").out


@pytest.mark.slow
def test_an_upgrade_that_fails_leaves_the_old_one(environment: Environment, tmp_path: Path) -> None:
    environment.ok("install", wheel(tmp_path / "one"), "--yes")
    broken = placed(tmp_path / "broken", version="2.0.2")
    migration(broken, "orders", "two", "one", 'op.drop_table("no_such_table")', "pass")
    sentence = environment.fails("upgrade", "orders", zipped(broken), "--yes")
    assert "migration of the plugin orders failed and was undone" in sentence
    info = json.loads(environment.ok("info", "orders", "--json"))
    assert (info["version"], info["state"], info["revision"]) == ("1.0.0", "on", "one")

    # The good one goes in.
    two = placed(tmp_path / "two", version="2.0.0")
    migration(two, "orders", "two", "one", 'op.add_column("orders_order", sa.Column("note", sa.String()))', "pass")
    assert "orders 2.0.0 is installed (before: 1.0.0)" in environment.ok("upgrade", "orders", zipped(two), "--yes")
    assert environment.installed() == {"helpdesk_orders", "helpdesk_orders-2.0.0.dist-info"}
    assert revision(environment.home, "orders") == "two"


def revision(home: Path, name: str) -> str:
    with closing(sqlite3.connect(home / "helpdesk.sqlite3")) as connection:
        return str(connection.execute(f"select version_num from alembic_version_{name}").fetchone()[0])


@pytest.mark.slow
def test_from_an_index_with_what_it_needs(environment: Environment, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    fetched = links / "helpdesk_orders-1.0.0-py3-none-any.whl"
    wheel(tmp_path / "bad", needs="parcels-of-tests>=1", __init__="raise SystemError('no luck')\n").rename(fetched)
    command = ("install", "helpdesk-orders", "--find-links", links, "--yes")
    # A program with a name of its own is an ordinary library's.
    needed = library(tmp_path / "library", "[console_scripts]\nparcels = parcels_of_tests:main\n")
    needed.rename(links / "parcels_of_tests-1.0-py3-none-any.whl")
    # What came along with one that cannot be loaded goes with it.
    assert "no luck" in environment.fails(*command)
    assert environment.installed() == set()
    fetched.unlink()
    wheel(tmp_path / "good", needs="parcels-of-tests>=1", more="import parcels_of_tests\n").rename(fetched)
    out = environment.ok(*command)
    assert "It also installs: parcels-of-tests>=1" in out and "The hash covers the plugin alone" in out
    assert {"helpdesk_orders", "parcels_of_tests.py"} <= environment.installed()


def library(folder: Path, entry_points: str) -> Path:
    """The wheel of a library that plugins of these tests need."""
    info = folder / "parcels_of_tests-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: parcels-of-tests\nVersion: 1.0\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (info / "RECORD").write_text("")
    (info / "entry_points.txt").write_text(entry_points)
    (folder / "parcels_of_tests.py").write_text("")
    return zipped(folder)


@pytest.mark.slow
def test_nothing_comes_along_that_was_not_shown(environment: Environment, tmp_path: Path) -> None:
    needy = wheel(tmp_path / "needy", needs="parcels-of-tests>=1", more="import parcels_of_tests\n")
    command = ("install", needy, "--find-links", tmp_path, "--yes")
    along = tmp_path / "parcels_of_tests-1.0-py3-none-any.whl"
    ours = environment.python.with_name("helpdesk")
    ours.write_text("#!/bin/sh\necho ours\n")
    library(tmp_path / "plugin", "[helpdesk.plugins]\nparcels = parcels_of_tests\n").rename(along)
    assert "parcels-of-tests, which is a plugin itself; install that first" in environment.fails(*command)
    library(tmp_path / "program", "[console_scripts]\nhelpdesk = parcels_of_tests:main\n").rename(along)
    assert "would replace the program “helpdesk”" in environment.fails(*command)
    assert environment.installed() == set() and ours.read_text() == "#!/bin/sh\necho ours\n"


@pytest.mark.slow
@pytest.mark.faults
def test_one_that_is_killed_in_the_middle(environment: Environment, tmp_path: Path) -> None:
    # What is installed is loaded on trial: it tells that it is, and lasts.
    loaded = tmp_path / "loaded"
    code = f"import pathlib, time\npathlib.Path({str(loaded)!r}).touch()\ntime.sleep(600)\n"
    slow = wheel(tmp_path / "slow", __init__=code)
    words = [str(environment.python), "-m", "helpdesk.cli", "plugin", "install", str(slow), "--yes"]
    first = subprocess.Popen(words, env=environment.environ, stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(loaded.exists, 240)
    assert any(name.startswith("helpdesk_orders-") for name in environment.installed())
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    note = environment.home / "cache" / "packages.pending"
    assert json.loads(note.read_text())["version"] == "1.0.0"
    # The next one replaces what was left half done.
    environment.ok("install", wheel(tmp_path / "good", version="1.0.1"), "--yes")
    assert not note.exists() and audited(environment.home) == ["plugin.installed", "plugin.upgraded"]
    info = json.loads(environment.ok("info", "orders", "--json"))
    assert (info["version"], info["state"], info["revision"]) == ("1.0.1", "on", "one")


# ---- in this process, as far as nothing is installed


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "run", lambda words: pytest.fail(f"{words} was run"))


def forget(*names: str) -> None:
    """Have modules loaded anew when somebody asks for them."""
    for name in names:
        del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which plugins lie as if they were installed; each name once, for models are known for good."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before, tables = set(sys.modules), set(Base.metadata.tables)
    yield folder
    forget(*(name for name in set(sys.modules) - before if name.startswith("helpdesk_")))
    for table in set(Base.metadata.tables) - tables:
        Base.metadata.remove(Base.metadata.tables[table])


def test_what_is_proved_loads_before_its_tables_are_touched(helpdesk: Run, site: Path, home: Path) -> None:
    placed(site, name="kites")
    assert helpdesk("db", "upgrade").status == 0
    code, drop = (site / "helpdesk_kites" / "__init__.py"), 'op.drop_table("NAME_order")'
    good = code.read_text()
    migration(site, "kites", "two", "one", drop, "pass")
    code.write_text(f"{good}\nraise SystemError('no luck')\n")
    forget("helpdesk_kites")
    said = helpdesk("plugin", "prove", "kites")
    assert said.status == 1 and "SystemError: no luck" in said.err
    assert revision(home, "kites") == "one"


def test_tables_of_a_newer_version_are_not_proved(helpdesk: Run, site: Path, home: Path) -> None:
    placed(site, name="drums")
    assert helpdesk("db", "upgrade").status == 0
    with closing(sqlite3.connect(home / "helpdesk.sqlite3")) as connection, connection:
        connection.execute("update alembic_version_drums set version_num = 'two'")
    said = helpdesk("plugin", "prove", "drums")
    assert said.status == 1 and "made by a newer one" in said.err
    assert revision(home, "drums") == "two"


def test_what_it_needs_and_cannot_be_had(helpdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "run", lambda words: subprocess.CompletedProcess(words, 1, "", "no luck"))
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "orders", needs="parcels-of-tests>=1")), "--yes")
    assert said.status == 1 and "What it needs could not be installed: no luck" in said.err


def test_without_a_yes_nothing_is_installed(helpdesk: Run, tmp_path: Path, nothing_runs: None) -> None:
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "orders")), feed="n\n")
    assert said.status == 1 and "It came without a manifest" in said.out and "hooks: nav_items" in said.out
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "again")), "--hash", "sha256:" + "0" * 64, "--yes")
    assert (said.status, said.out) == (1, "") and "none of those that you gave" in said.err


def test_a_name_whose_tables_would_be_the_desks(helpdesk: Run, tmp_path: Path, nothing_runs: None) -> None:
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "label", name="label")), "--yes")
    assert "“label” cannot be a plugin's name: the desk has a table label_text" in said.err


def test_one_at_a_time(helpdesk: Run, tmp_path: Path, home: Path, nothing_runs: None) -> None:
    (home / "cache").mkdir(exist_ok=True)
    with (home / "cache" / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = helpdesk("plugin", "install", str(wheel(tmp_path / "orders")), "--yes")
    assert said.status == 1 and "Another plugin is being installed" in said.err


def test_the_lock_lasts_as_long_as_the_installer(tmp_path: Path) -> None:
    """Whoever started it may be killed before it is done."""
    child = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'w'), flush=True); time.sleep(600)"
    code = f"""
import fcntl, sys
from helpdesk.plugins import packages
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
with packages.held_by(lock.fileno()):
    packages.run([sys.executable, "-c", {child!r}, sys.argv[2]])
"""
    file, pid = tmp_path / "lock", tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", code, str(file), str(pid)])
    wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"), 120)
    parent.kill()
    parent.wait()
    with file.open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(int(pid.read_text()), signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.mark.parametrize(("version", "act"), [("1.0.0", "plugin.installed"), ("2.0.0", "plugin.install_failed")])
def test_one_that_was_cut_short_is_written_down(
    helpdesk: Run, site: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, act: str
) -> None:
    """Killed after its code was in: the next command about packages finishes it, or says that it is not there."""
    placed(site, name="late", models="", __init__="")
    note = {"name": "late", "version": version, "before": "", "sha256": "0" * 64, "by": None, "restart": True}
    (home / "cache").mkdir(exist_ok=True)
    (home / "cache" / "packages.pending").write_text(json.dumps(note))
    monkeypatch.setattr(packages, "run", lambda words: subprocess.CompletedProcess(words, 1, "", "no luck"))
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "orders")), "--yes")
    assert said.status == 1 and "It could not be installed: no luck" in said.err
    assert audited(home) == [act, "plugin.install_failed"]
    assert not (home / "cache" / "packages.pending").exists()


def test_a_note_that_cannot_be_read_holds_up_nothing(
    helpdesk: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "cache").mkdir(exist_ok=True)
    (home / "cache" / "packages.pending").write_text("{")
    monkeypatch.setattr(packages, "run", lambda words: subprocess.CompletedProcess(words, 1, "", "no luck"))
    assert "no luck" in helpdesk("plugin", "install", str(wheel(tmp_path / "orders")), "--yes").err
    assert audited(home) == ["plugin.install_failed"]


def audited(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "helpdesk.sqlite3")) as connection:
        query = "select action from audit_entry where action like 'plugin.%' order by id"
        return [action for (action,) in connection.execute(query)]


def test_what_cannot_be_uninstalled_says_what_to_do(helpdesk: Run, home: Path, nothing_runs: None) -> None:
    (home / "plugins" / "ten_lines.py").write_text("")
    assert "is the file ten_lines.py" in helpdesk("plugin", "uninstall", "ten_lines", "--yes").err
    assert "put the new one in its place" in helpdesk("plugin", "upgrade", "ten_lines", "x.whl", "--yes").err
    assert "is worked on in " in helpdesk("plugin", "uninstall", "email", "--yes").err
    assert "There is no plugin “ghost”" in helpdesk("plugin", "uninstall", "ghost", "--yes").err
    assert "There is no data of a plugin “ghost”" in helpdesk("plugin", "purge", "ghost", "--yes").err
    assert "cannot be a plugin's name" in helpdesk("plugin", "purge", "../ghost", "--yes").err


def test_one_that_builds_on_another(helpdesk: Run, site: Path, nothing_runs: None) -> None:
    placed(site)
    placed(site, name="loyalty", needs="helpdesk-orders>=1", models="", __init__="")
    assert helpdesk("db", "upgrade").status == 0
    assert "“loyalty” needs “orders”" in helpdesk("plugin", "uninstall", "orders", "--yes").err
    assert "“orders” is on; switch it off first" in helpdesk("plugin", "purge", "orders", "--yes").err
    helpdesk("plugin", "off", "orders")
    rows = {row["name"]: row for row in helpdesk("plugin", "list", "--json").json}
    assert (rows["orders"]["state"], rows["loyalty"]["state"], rows["loyalty"]["reason"]) == ("off", "waits", "orders")
    assert "waits for orders" in helpdesk("plugin", "list").out
    assert "“loyalty” builds on “orders”" in helpdesk("plugin", "purge", "orders", "--yes").err


def test_what_is_off_and_purged_is_as_on_its_first_day(helpdesk: Run, site: Path, home: Path) -> None:
    placed(site, name="sledges")
    assert helpdesk("db", "upgrade").status == 0
    with closing(sqlite3.connect(home / "helpdesk.sqlite3")) as connection, connection:
        connection.execute("insert into sledges_order (id) values (7)")
        connection.execute("insert into setting values ('sledges', 'key', '1'), ('sledges_and_more', 'key', '1')")
    helpdesk("plugin", "off", "sledges")
    said = helpdesk("plugin", "purge", "sledges", feed="sledges\n")
    assert "the table sledges_order: 1 rows" in said.out and "saved settings: 2" in said.out
    (info,) = helpdesk("plugin", "info", "sledges", "--json").json
    assert (info["state"], info["tables"], info["revision"]) == ("off", {"sledges_order": 0}, "one")


def test_a_way_down_that_fails_keeps_no_data(helpdesk: Run, site: Path) -> None:
    placed(site, name="stamps")
    migration(site, "stamps", "one", None, CREATE, "raise SystemError('no way')")
    assert helpdesk("db", "upgrade").status == 0
    helpdesk("plugin", "off", "stamps")
    assert helpdesk("plugin", "purge", "stamps", "--yes").status == 0
    (info,) = helpdesk("plugin", "info", "stamps", "--json").json
    assert info["tables"] == {"stamps_order": 0} and info["revision"] == "one"


def test_what_belongs_to_one_is_not_taken_from_another(helpdesk: Run, site: Path, home: Path) -> None:
    """“depot” has the table “depot_notes”, and somebody once had a plugin of that name."""
    placed(site, name="depot", models=MODELS.replace("NAME_order", "NAME_notes"))
    migration(site, "depot", "one", None, CREATE.replace("NAME_order", "NAME_notes"), "pass")
    assert helpdesk("db", "upgrade").status == 0
    with closing(sqlite3.connect(home / "helpdesk.sqlite3")) as connection, connection:
        connection.execute("insert into depot_notes (id) values (7)")
        columns = "name, enabled, cursor, error, paused_reason, migration_error"
        connection.execute(f"insert into plugin_state ({columns}) values ('depot_notes', 0, 0, '', '', '')")
    assert helpdesk("plugin", "purge", "depot_notes", "--yes").status == 0
    (info,) = helpdesk("plugin", "info", "depot", "--json").json
    assert (info["tables"], info["state"]) == ({"depot_notes": 1}, "on")


def test_names_that_would_mix_tables_are_refused(helpdesk: Run, site: Path, tmp_path: Path, nothing_runs: None) -> None:
    placed(site, name="crate", models=MODELS.replace("NAME_order", "NAME_notes"))
    migration(site, "crate", "one", None, CREATE.replace("NAME_order", "NAME_notes"), "pass")
    placed(site, name="crates")
    assert helpdesk("db", "upgrade").status == 0
    # By the name: “crate_notes” would own the table of “crate”.
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "a", name="crate_notes")), "--yes")
    assert "“crate_notes” cannot be a plugin's name: the plugin “crate” has a table crate_notes" in said.err
    # By a table: it would belong to “crate”, to which its name says nothing.
    models = MODELS.replace("NAME_order", "crate_order")
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "b", name="boxes", models=models)), "--yes")
    assert "Its table crate_order would belong to the plugin “crate”" in said.err
    # One that builds on a longer name is no trouble.
    said = helpdesk("plugin", "install", str(wheel(tmp_path / "c", name="crate_more")), feed="n\n")
    assert said.status == 1 and "Install it?" in said.out
    # Put there by hand, the one that would mix them up is left out.
    placed(site, name="crate_notes", models="", __init__="")
    rows = {row["name"]: row for row in helpdesk("plugin", "list", "--json").json}
    assert rows["crate"]["state"] == "on" and rows["crate_notes"]["state"] == "failed"
    assert "the plugin “crate” has a table crate_notes" in rows["crate_notes"]["error"]


def test_info_tells_its_health(helpdesk: Run, home: Path, travel: Callable[..., datetime]) -> None:
    # Midnight is far away.
    today = travel(to=datetime.now(UTC).replace(hour=12)).date()
    rows = [("email", "nav_items", str(today - timedelta(days=age)), 10, 1, 0, 0.5, f"{age} days") for age in (0, 1, 2)]
    rows.append(("email", "veto", str(today), 5, 0, 0, 5.0, ""))
    with closing(sqlite3.connect(home / "helpdesk.sqlite3")) as connection, connection:
        names = "plugin, hook, day, calls, errors, slow, seconds, error"
        connection.executemany(f"insert into plugin_health ({names}) values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        paused = "update plugin_state set paused_at = '2026-01-01 00:00:00.000000', paused_reason = 'It hung.'"
        connection.execute(f"{paused} where name = 'email'")
    (info,) = helpdesk("plugin", "info", "email", "--json").json
    assert info["health"] == {"calls": 25, "errors": 2, "slow": 0, "mean_ms": 240.0, "error": "0 days"}
    assert list(info["health_by_hook"]) == ["veto", "nav_items"]
    assert (info["state"], info["reason"]) == ("paused", "It hung.")
    assert "slowest hooks: veto 1000.0 ms, nav_items 50.0 ms" in helpdesk("plugin", "info", "email").out
