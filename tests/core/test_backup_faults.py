"""Backups that are made at once, into and out of odd places; restores that fail or are cut off in the middle."""

import errno
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy import make_url, select

from helpdesk.core import files, holding, locks, schema
from helpdesk.core.backups import archive, databases, making, notes, restoring, scheduled, sealing
from helpdesk.core.backups.errors import BackupError, NoRoom, Refused, Unusable
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Job, Ticket
from helpdesk.core.paths import HomeError
from helpdesk.core.transaction import Busy


class Killed(BaseException):
    """Stands for the end of the process at this place."""


@pytest.fixture
def desk(app: Any, home: Path, make_ticket: Any) -> Path:
    """The home of a desk with a ticket, a file and a theme of its own."""
    stored = files.store_bytes(b"a photo", "photo.png", "image/png")
    make_ticket("Rear brake rubs", files=(stored,))
    (home / "themes" / "mine").mkdir()
    (home / "themes" / "mine" / "theme.toml").write_text('title = "Mine"\n')
    return home


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Let the next move of one thing, out of a folder or into it, raise an error."""

    @contextmanager
    def stop(name: str, error: BaseException, *, of: Path | None = None, to: Path | None = None) -> Iterator[None]:
        real, errors = Path.rename, [error]

        def rename(self: Path, target: Path) -> Path:
            if errors and self.name == name and (of == self.parent or to == Path(target).parent):
                raise errors.pop()
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", rename)
            yield

    return stop


def closed() -> None:
    db.session.remove()
    db.engine.dispose()


def subjects(make_app: Any, config: Config) -> list[str]:
    with make_app({}, home=config.home, database_url=config.database_url).app_context():
        assert holding.held_since() is not None
        found = sorted(db.session.scalars(select(Ticket.subject)))
        closed()
        return found


# ---- at once


@pytest.mark.db
def test_two_that_are_asked_for_at_once_are_two(desk: Path, at_once: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are asked for before either has a name."""
    monkeypatch.setattr(making, "_WAIT_SECONDS", 60.0)
    made = at_once(2, lambda _place: making.make().path)
    assert all(isinstance(path, Path) for path in made) and made[0] != made[1], made
    assert len(notes.listed(desk / "backups")) == 2


def test_what_another_has_written_meanwhile_stays(desk: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "mine.tar"

    def write(_done: int, _total: int) -> None:
        wanted.write_text("of another desk")

    with pytest.raises(Refused, match="there already"):
        making.make(wanted, progress=write)
    assert wanted.read_text() == "of another desk" and not list(tmp_path.glob(".making-*"))


def test_a_medium_that_knows_no_second_names_is_written_to(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    made = making.make(tmp_path / "mine.tar")
    assert made.path.stat().st_size == made.size and not list(tmp_path.glob(".making-*"))


@pytest.mark.db
def test_a_database_that_another_has_migrated_meanwhile_is_not_backed_up(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked before the lock is taken and again once it is had."""
    lock, due = desk / "files" / ".backup-lock", iter([True, False])

    def changes(_history: Any) -> bool:
        answer = next(due, False)
        if not answer:
            with pytest.raises(locks.Taken):
                locks.take(lock)
        return answer

    monkeypatch.setattr(schema, "_changes", changes)
    assert schema.back_up_first("core") is None
    assert notes.listed(desk / "backups") == []


def test_progress_that_cannot_be_shown_does_not_end_a_backup(
    desk: Path, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Work.step

    @contextmanager
    def step(self: Work, **values: Any) -> Iterator[None]:
        if "done" in values:
            raise Busy("The desk is busy.")
        with real(self, **values):
            yield

    monkeypatch.setattr(Work, "step", step)
    monkeypatch.setattr(scheduled, "_STEP_SECONDS", 0)
    job = ledger.schedule("core.backup")
    run_jobs()
    assert db.session.get_one(Job, job.id).state == "done"


# ---- into and out of odd places


def test_folders_that_are_links_are_in_it(desk: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "greeter"
    elsewhere.mkdir()
    (elsewhere / "__init__.py").write_text("# nothing\n")
    (elsewhere / "again").symlink_to(desk / "plugins")
    (desk / "plugins" / "greeter").symlink_to(elsewhere)
    made = making.make(tmp_path / "mine.tar")
    with tarfile.open(made.path) as tar:
        names = [name for name in tar.getnames() if name.startswith("plugins/")]
    assert names == ["plugins/greeter/__init__.py"]


def test_a_folder_of_backups_that_is_a_link_has_each_once(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (desk / "backups").symlink_to(tmp_path / "disk")
    made = making.make(why=notes.SCHEDULED)
    (found,) = notes.listed(desk / "backups")
    assert (found.path, found.why) == (desk / "backups" / made.path.name, notes.SCHEDULED)


class FullDisk:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        if self._file.tell() > 2000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_disk_that_is_full_while_it_encrypts_is_named(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyrage

    real = sealing.sealing
    # Nobody opens it: the passphrase need not be slow.
    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda data, _passphrase: data)
    monkeypatch.setattr(sealing, "sealing", lambda file, passphrase: real(FullDisk(file), passphrase))  # type: ignore[arg-type]
    with pytest.raises(NoRoom, match="The disk became full"):
        making.make(tmp_path / "mine.tar", passphrase="a long passphrase")
    assert not (tmp_path / "mine.tar").exists()


# What the tool age writes before a file that a passphrase opens; the number says how much work that is.
LOCKED = b"age-encryption.org/v1\n-> scrypt 8h4jwksumFOzyWziCvThYw 60\n" + b"A" * 43 + b"\n--- " + b"A" * 43 + b"\n"


def test_a_machine_that_is_busy_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library believes that it would take the machine too long: no fault of the passphrase or of the backup."""
    import pyrage

    monkeypatch.setattr(sealing, "_PAUSE", 0.0)
    with pytest.raises(BackupError, match="too busy now") as refused:
        sealing._opened(LOCKED + bytes(40), "a long passphrase")
    assert not isinstance(refused.value, Unusable)
    answers: list[Any] = [pyrage.DecryptError("Excessive work parameter for passphrase."), b"a key"]

    def decrypt(*_given: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
    assert sealing._opened(LOCKED, "a long passphrase") == b"a key"


def test_long_names_without_end_are_no_backup(tmp_path: Path) -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 5
    forged(tmp_path, 3000 * (name.tobuf(tarfile.GNU_FORMAT) + b"abcd".ljust(512, b"\0")))


def test_a_time_beyond_all_clocks_is_no_backup(tmp_path: Path) -> None:
    member = tarfile.TarInfo("files/aa/x")
    member.mtime = 2**70
    forged(tmp_path, member.tobuf(tarfile.GNU_FORMAT))


def forged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "forged.tar").write_bytes(data + bytes(1024))
    (tmp_path / "out").mkdir()
    with pytest.raises(Unusable, match="no backup of a help desk"):
        archive.unpack(tmp_path / "forged.tar", tmp_path / "out")


# ---- restores that fail or are cut off


@pytest.mark.sqlite
def test_an_error_between_the_moves_puts_all_back(desk: Path, make_app: Any, make_ticket: Any, stop_at: Any) -> None:
    made = making.make()
    make_ticket("Came after the backup")
    closed()
    before = sorted(path.name for path in desk.iterdir())
    refused = PermissionError(errno.EACCES, "Permission denied", "themes")
    for place in ({"of": desk}, {"to": desk}):
        with stop_at("themes", refused, **place):
            with pytest.raises(BackupError, match=r"Permission denied.*everything is where it was\.$"):
                restoring.restore(made.path, Config(home=desk), swap=True)
        assert sorted(path.name for path in desk.iterdir()) == before
    with make_app({}).app_context():
        assert holding.held_since() is None
        assert len(db.session.scalars(select(Ticket)).all()) == 2
    assert (desk / "themes" / "mine" / "theme.toml").exists()


@pytest.mark.sqlite
def test_what_cannot_be_put_back_is_named(desk: Path, stop_at: Any) -> None:
    made = making.make()
    closed()
    with stop_at("themes", OSError(errno.EIO, "Input/output error"), of=desk):
        with stop_at("secret.key", OSError(errno.EIO, "Input/output error"), to=desk):
            with pytest.raises(BackupError, match="Input/output error") as caught:
                restoring.restore(made.path, Config(home=desk), swap=True)
    (kept,) = desk.glob("before-restore-*")
    assert f"What was there before is in {kept}." in str(caught.value)
    assert (kept / "secret.key").exists()


@pytest.mark.sqlite
@pytest.mark.parametrize("place", ["aside", "in"])
def test_a_restore_that_is_cut_off_is_said_and_done_again(
    desk: Path, make_app: Any, make_ticket: Any, travel: Any, stop_at: Any, place: str
) -> None:
    made = making.make()
    make_ticket("Came after the backup")
    closed()
    config = Config(home=desk)
    with stop_at("themes", Killed(), **({"of": desk} if place == "aside" else {"to": desk})):
        with pytest.raises(Killed):
            restoring.restore(made.path, config, swap=True)
    (kept,) = desk.glob("before-restore-*")
    with pytest.raises(HomeError, match=f"cut short; nothing is lost: .* is in {kept}"):
        make_app({})
    travel(seconds=5)
    assert restoring.restore(made.path, config, swap=True).kept == kept
    assert list(desk.glob("before-restore-*")) == [kept]
    assert subjects(make_app, config) == ["Rear brake rubs"]
    # The old desk is whole, and starts where it is.
    assert (kept / "themes" / "mine" / "theme.toml").exists()
    with make_app({}, home=kept).app_context():
        assert "Came after the backup" in db.session.scalars(select(Ticket.subject)).all()


@pytest.mark.sqlite
def test_a_database_alone_does_not_end_the_restore_of_a_whole_desk(desk: Path, tmp_path: Path, stop_at: Any) -> None:
    whole, alone = making.make(tmp_path / "whole.tar"), making.make(tmp_path / "alone.tar", kind="database")
    closed()
    with stop_at("themes", Killed(), of=desk), pytest.raises(Killed):
        restoring.restore(whole.path, Config(home=desk), swap=True)
    with pytest.raises(Refused, match="cut short.*the database alone"):
        restoring.restore(alone.path, Config(home=desk), swap=True)
    restoring.restore(whole.path, Config(home=desk), swap=True)


@pytest.mark.db
def test_the_job_that_made_it_is_done_in_it(
    desk: Path, database_url: str, request: Any, tmp_path: Path, make_app: Any
) -> None:
    job = ledger.schedule("core.backup")
    job.state, number = "running", job.id
    db.session.commit()
    made = making.make()
    closed()
    url = str(request.getfixturevalue("postgresql_url")) if database_url else ""
    new = Config(home=tmp_path / "new", database_url=url)
    assert restoring.restore(made.path, new).waiting.jobs == made.manifest.rows["job"].count - 1
    with make_app({}, home=new.home, database_url=url).app_context():
        found = db.session.get_one(Job, number)
        assert found.state == "done" and found.finished_at is not None
        closed()


# ---- on PostgreSQL


@pytest.fixture
def on_postgresql(postgresql_migrated_url: str, make_app: Any, home: Path) -> Iterator[Path]:
    """The home of a desk on PostgreSQL with a file."""
    with make_app({}, database_url=postgresql_migrated_url).app_context():
        files.store_bytes(b"a photo", "photo.png", "image/png")
        yield home
        db.session.remove()


def test_killed_after_the_database_is_full_no_desk_starts(
    postgresql_url: str, on_postgresql: Path, tmp_path: Path, make_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making.make(tmp_path / "mine.tar")
    new = Config(home=tmp_path / "new", database_url=postgresql_url)

    def killed(*_arguments: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_take_over", killed)
        with pytest.raises(Killed):
            restoring.restore(made.path, new)
    with pytest.raises(HomeError, match="was cut short"):
        make_app({}, home=new.home, database_url=postgresql_url)
    with pytest.raises(Refused, match="Make another one"):
        restoring.restore(made.path, new, swap=True)
    with databases.throw_away_postgresql(postgresql_url) as url:
        again = Config(home=new.home, database_url=url)
        restoring.restore(made.path, again, swap=True)
        assert subjects(make_app, again) == []


def test_a_database_that_cannot_be_filled_leaves_all_as_it_was(
    on_postgresql: Path, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making.make(tmp_path / "mine.tar")
    (tmp_path / "pg_restore").write_text("#!/bin/sh\necho 'pg_restore (PostgreSQL) 99'\ntest \"$1\" = --version\n")
    (tmp_path / "pg_restore").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    new = Config(home=tmp_path / "new", database_url=postgresql_url)
    with pytest.raises(BackupError, match="pg_restore could not"):
        restoring.restore(made.path, new)
    assert new.paths.cut_restore() == ""


def test_files_that_the_old_database_names_are_kept(on_postgresql: Path, postgresql_url: str, tmp_path: Path) -> None:
    """Nothing of the home itself is moved: the database is elsewhere, and perhaps the queue too."""
    made = making.make(tmp_path / "mine.tar", kind="database")
    (on_postgresql / "queue.sqlite3").unlink(missing_ok=True)
    done = restoring.restore(made.path, Config(home=on_postgresql, database_url=postgresql_url), swap=True)
    assert done.kept is not None
    assert [path.read_bytes() for path in (done.kept / "files").glob("??/*")] == [b"a photo"]


@pytest.mark.parametrize("query", ["password=canary-secret", "password=canary-secret&sslpassword=canary-key"])
def test_a_password_in_the_query_is_not_in_the_list_of_processes(
    on_postgresql: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_url: str, query: str
) -> None:
    seen, program = tmp_path / "seen", tmp_path / "pg_restore"
    program.write_text(
        f'#!/bin/sh\necho "pg_restore (PostgreSQL) 99"\ntest "$1" = --version && exit\n'
        f'echo "$@" > {seen}\necho "$PGPASSWORD" > {seen}.password\ncat "$PGSERVICEFILE" > {seen}.service\n exit 0\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    url = make_url(postgresql_url).update_query_string(query).render_as_string(hide_password=False)
    databases.load_postgresql(tmp_path / "dump", url)
    assert "--single-transaction" in seen.read_text() and "canary" not in seen.read_text()
    assert (tmp_path / "seen.password").read_text() == "canary-secret\n"
    assert ("sslpassword=canary-key\n" in (tmp_path / "seen.service").read_text()) is ("sslpassword" in query)
