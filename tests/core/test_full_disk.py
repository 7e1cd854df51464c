"""A disk that is full, or can only be read: nothing is half kept, people are told, and it heals by itself.

The home lies on a small disk in memory of the test's own.
"""

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from helpdesk.core import accounts, files
from helpdesk.core.backups import making
from helpdesk.core.backups.errors import NoRoom
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket
from helpdesk.core.transaction import CannotWrite, transaction

SIZE = 96 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this account may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def app(small_disk: Path, home: Path, make_app: Callable[..., Any]) -> Iterator[Any]:
    """A desk whose home lies on the small disk."""
    shutil.copytree(home, small_disk / "home")
    app = make_app({}, home=small_disk / "home")
    app.config["SHOW_ERROR_PAGES"] = True
    with app.app_context():
        with transaction():
            accounts.create_user("ada@desk.example", "Ada", "admin", None)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def running(app: Any) -> Iterator[None]:
    """A desk that runs has its database open."""
    with db.engine.connect() as kept:
        kept.execute(text("SELECT 1 FROM ticket"))
        kept.rollback()
        yield


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill the disk to its last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        # Large blocks first, then whatever still fits.
        for block in (b"\0" * (1 << 20), b"\0" * 4096):
            try:
                while file.write(block):
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


def ask(app: Any, subject: str, **more: Any) -> Any:
    form = {"name": "Tom", "email": "tom@post.example", "subject": subject, "text": "x" * 50_000, **more}
    return app.test_client().post("/ask", data=form, content_type="multipart/form-data")


def tickets() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Ticket)) or 0


@pytest.mark.sqlite
def test_a_full_disk_is_said_and_heals(app: Any, running: None, small_disk: Path) -> None:
    assert ask(app, "Before").status_code == 303 and tickets() == 1
    with full(small_disk):
        answer = ask(app, "While it is full")
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert "disk of this desk is full" in answer.get_data(as_text=True)
        assert app.test_client().get("/").status_code == 200
        assert tickets() == 1
    assert ask(app, "Afterwards").status_code == 303 and tickets() == 2
    assert db.session.scalar(text("PRAGMA integrity_check")) == "ok"


def test_a_file_that_does_not_fit_is_said_and_leaves_nothing(app: Any, running: None, small_disk: Path) -> None:
    with full(small_disk):
        answer = ask(app, "With a file", files=(io.BytesIO(os.urandom(200_000)), "photo.png"))
        assert answer.status_code == 503 and "disk of this desk is full" in answer.get_data(as_text=True)
        with pytest.raises(OSError, match="No space"):
            files.store_bytes(os.urandom(200_000), "a", "text/plain")
        assert [path for path in (small_disk / "home" / "files").rglob("*") if path.is_file()] == []
    assert files.store_bytes(os.urandom(200_000), "a", "text/plain").size == 200_000


@pytest.mark.sqlite
def test_a_transaction_says_what_is_wrong_with_the_disk(
    app: Any, running: None, small_disk: Path, make_ticket: Any
) -> None:
    with full(small_disk):
        with pytest.raises(CannotWrite, match="full"):
            with transaction():
                make_ticket("Full", "x" * 50_000)
    make_ticket("Afterwards")
    assert tickets() == 1


def test_a_backup_that_does_not_fit_leaves_nothing(app: Any, running: None, small_disk: Path) -> None:
    made = making.make()
    with full(small_disk):
        with pytest.raises(NoRoom):
            making.make()
        assert made.path.exists()
    assert [path.name for path in (small_disk / "home" / "backups").glob(".*")] == []


@pytest.mark.sqlite
def test_a_disk_that_can_only_be_read_is_said_and_heals(app: Any, small_disk: Path) -> None:
    assert ask(app, "Before").status_code == 303
    db.session.remove()
    # The system does not take the disk away from under an open file; a desk that opens one finds it so.
    db.engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        answer = ask(app, "While it can only be read")
        assert answer.status_code == 503 and "Traceback" not in answer.get_data(as_text=True)
    finally:
        db.engine.dispose()
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert ask(app, "Afterwards").status_code == 303 and tickets() == 2


def test_a_postgresql_that_can_only_be_read_is_said_and_heals(
    make_app: Callable[..., Any], postgresql_migrated_url: str
) -> None:
    desk = make_app({}, database_url=postgresql_migrated_url)
    desk.config["SHOW_ERROR_PAGES"] = True
    with desk.app_context():
        with transaction():
            accounts.create_user("ada@desk.example", "Ada", "admin", None)
        name = db.engine.url.database
        for on, status in (("on", 503), ("off", 303)):
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
                admin.execute(text("SET default_transaction_read_only = off"))
                admin.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {on}"))
            db.engine.dispose()
            answer = ask(desk, "Rear brake rubs")
            assert answer.status_code == status
            assert ("can only be read" in answer.get_data(as_text=True)) is (status == 503)
