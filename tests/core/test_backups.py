"""A backup holds all of the desk, comes back whole or not at all, and is made while others go on writing."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.core import accounts, files, generation, holding, locks, sign_in_sessions, trusted_devices, unused_files
from helpdesk.core.backups import making, notes, restoring, rotation, sealing, verifying
from helpdesk.core.backups.errors import BackupError, NoRoom, Refused, Unusable, WrongPassphrase
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Attachment, Delivery, Job, SignInSession, Ticket, Token, TrustedDevice, User
from helpdesk.core.settings import BackupSettings
from helpdesk.core.transaction import transaction

SECRET = "a long passphrase"
# To lock and to open a key with a passphrase is slow on purpose: two seconds each.
ENCRYPTED = pytest.param(SECRET, marks=pytest.mark.slow)
fresh_key, opened = cache(sealing._fresh_key), cache(sealing._opened)


@pytest.fixture
def one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """All backups have the same key, which each passphrase locks and opens once for all tests of this process."""
    monkeypatch.setattr(sealing, "_fresh_key", fresh_key)
    monkeypatch.setattr(sealing, "_opened", opened)


@pytest.fixture
def full(app: Any, home: Path, make_ticket: Any) -> Path:
    """A desk with a ticket, a file, a plugin, a theme of its own and a configuration; answers its home."""
    stored = files.store_bytes(os.urandom(200_000), "photo.png", "image/png")
    make_ticket("Rear brake rubs", files=(stored,))
    (home / "plugins" / "greeter.py").write_text("# nothing\n")
    (home / "themes" / "mine").mkdir()
    (home / "themes" / "mine" / "theme.toml").write_text('title = "Mein Thema ü"\n')
    (home / "helpdesk.toml").write_text("port = 8123\n")
    return home


@pytest.fixture
def elsewhere(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """A home that is not there yet, with an empty database of the same kind."""
    url = "" if not database_url else str(request.getfixturevalue("postgresql_url"))
    yield Config(home=tmp_path / "elsewhere", database_url=url)


@contextmanager
def started(config: Config, make_app: Callable[..., Any]) -> Iterator[None]:
    """The desk of a home that was restored; it has let go of its database before that is dropped."""
    with make_app({}, home=config.home, database_url=config.database_url).app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def counted(config: Config, make_app: Callable[..., Any]) -> dict[str, int]:
    with started(config, make_app):
        return {
            "tickets": db.session.scalar(select(func.count()).select_from(Ticket)) or 0,
            "attachments": db.session.scalar(select(func.count()).select_from(Attachment)) or 0,
            "held": int(holding.held_since() is not None),
        }


def ways_in(config: Config, make_app: Callable[..., Any]) -> list[int]:
    with started(config, make_app):
        models = (SignInSession, TrustedDevice, Token)
        return [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


@pytest.mark.db
@pytest.mark.parametrize("passphrase", ["", ENCRYPTED])
def test_a_desk_comes_back_as_it_was_and_is_held(
    full: Path, elsewhere: Config, make_app: Any, one_key: None, passphrase: str
) -> None:
    person = db.session.scalars(select(User).order_by(User.id).limit(1)).one()
    sign_in_sessions.begin(person)
    trusted_devices.remember(person, "192.0.2.7", "Firefox")
    accounts.issue_token(accounts.RESET, person)
    made = making.make(passphrase=passphrase)
    assert made.path.parent == full / "backups" and made.path.stat().st_mode & 0o777 == 0o600
    assert (SECRET.encode() in made.path.read_bytes()) is False
    assert (b"Rear brake rubs" in made.path.read_bytes()) is (not passphrase and made.manifest.database == "sqlite")
    done = restoring.restore(made.path, elsewhere, passphrase=passphrase)
    assert done.kept is None and done.remarks == []
    assert done.waiting == holding.waiting(db.session.connection())
    assert counted(elsewhere, make_app) == {"tickets": 1, "attachments": 1, "held": 1}
    assert ways_in(elsewhere, make_app) == [0, 0, 0], "what has been ended since then stays so"
    toml = (elsewhere.home / "helpdesk.toml").read_text()
    assert toml.endswith("port = 8123\n") and tomllib.loads(toml).get("database_url", "") == elsewhere.database_url
    for name in ("secret.key", "plugins/greeter.py", "themes/mine/theme.toml"):
        assert (elsewhere.home / name).read_bytes() == (full / name).read_bytes()
    (file,) = (path for path in (elsewhere.home / "files").rglob("*") if len(path.name) == 64)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name


@pytest.mark.db
def test_the_manifest_says_what_is_in_it(full: Path) -> None:
    manifest = making.make().manifest
    assert manifest.rows["ticket"].count == 1 and manifest.rows["ticket"].newest == 1
    assert manifest.revisions["alembic_version"] and manifest.kind == "whole"
    assert (manifest.files.named, manifest.files.missing) == (1, 0)
    for path in (full / "files").glob("??/*"):
        path.unlink()
    manifest = making.make().manifest
    assert (manifest.files.named, manifest.files.missing) == (1, 1)
    assert notes.listed(full / "backups")[0].missing_files == 1


def test_it_is_an_ordinary_tar_that_can_be_opened_by_hand(full: Path, tmp_path: Path) -> None:
    made = making.make(tmp_path / "by-hand.tar")
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xf", made.path, "-C", out], check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out, check=True)
    assert json.loads((out / "manifest.json").read_text())["kind"] == "whole"


@pytest.fixture
def not_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drill does all but for starting a process that migrates the database."""
    monkeypatch.setattr(verifying, "_migrate", lambda _folder, _url: None)


@pytest.mark.db
def test_a_drill_is_noted_beside_the_backup(full: Path, app: Any) -> None:
    made = making.make()
    assert notes.listed(full / "backups")[0].verified is None
    verifying.verify(made.path, app.config["HELPDESK"])
    found = notes.last_good(full / "backups")
    assert found is not None and found.verified is True and found.problem == ""
    assert sorted(path.name for path in (full / "backups").iterdir()) == [made.path.name, f"{made.path.name}.json"]


def test_a_drill_finds_what_is_wrong(full: Path, app: Any) -> None:
    made = making.make()
    data = bytearray(made.path.read_bytes())
    with tarfile.open(made.path) as tar:
        biggest = max(tar, key=lambda member: member.size)
    # In the head of a member it would be no backup at all, or one that is cut short.
    data[biggest.offset_data + biggest.size // 2] ^= 1
    made.path.write_bytes(data)
    with pytest.raises(Unusable):
        verifying.verify(made.path, app.config["HELPDESK"])
    (found,) = notes.listed(full / "backups")
    assert found.verified is False and "damaged" in found.problem and notes.last_good(full / "backups") is None


def test_a_drill_with_what_is_not_of_this_desk_leaves_no_note(
    full: Path, app: Any, make_app: Any, tmp_path: Path, not_migrated: None
) -> None:
    config = app.config["HELPDESK"]
    theirs, short, text = tmp_path / "theirs.tar", tmp_path / "short.tar", tmp_path / "text.tar"
    made = making.make(tmp_path / "ours.tar")
    short.write_bytes(made.path.read_bytes()[:5000])
    text.write_text("no backup")
    (tmp_path / "other").mkdir()
    with make_app({}, home=tmp_path / "other").app_context():
        making.make(theirs)
    verifying.verify(theirs, config)
    for path in (short, text):
        with pytest.raises(Unusable):
            verifying.verify(path, config)
    assert [backup.path for backup in notes.listed(full / "backups")] == [made.path]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["ours.tar.json", "theirs.tar.json"]
    assert notes.read(theirs).verified is None
    # In the desk's own folder it is shown, and is none of its backups.
    theirs.rename(full / "backups" / "theirs.tar")
    verifying.verify(full / "backups" / "theirs.tar", config)
    (found,) = (backup for backup in notes.listed(full / "backups") if backup.name == "theirs.tar")
    assert found.verified and not found.own and not found.is_good
    made.path.unlink()
    assert notes.last_good(full / "backups") is None


def test_a_copy_of_a_backup_of_this_desk_is_known_by_its_manifest(
    full: Path, app: Any, tmp_path: Path, not_migrated: None
) -> None:
    made = making.make(tmp_path / "ours.tar")
    copy = full / "backups" / "copy.tar"
    for note in (made.path.with_name("ours.tar.json"), full / "backups" / "ours.tar.json"):
        note.unlink()
    copy.write_bytes(made.path.read_bytes())
    os.utime(copy, (0, 0))
    assert notes.last_good(full / "backups") is None
    verifying.verify(copy, app.config["HELPDESK"])
    found = notes.last_good(full / "backups")
    assert found is not None and found.made_at.isoformat() == made.manifest.made_at


# ---- what is not taken


def members(path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(path) as tar:
        return [(one, tar.extractfile(one).read()) for one in tar]  # type: ignore[union-attr]


def written(path: Path, parts: list[tuple[tarfile.TarInfo, bytes]], **options: Any) -> Path:
    with tarfile.open(path, "w", **options) as tar:
        for member, data in parts:
            member.size = len(data) if member.isreg() else member.size
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return path


def named(name: str, data: bytes = b"x", **values: Any) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(member, key, value)
    return member, data


FORGED: dict[str, Callable[[Any], Any]] = {
    "a path upwards": lambda parts: [named("../outside"), *parts],
    "a path upwards inside": lambda parts: [named("files/../../outside"), *parts],
    "an absolute path": lambda parts: [named("/tmp/outside"), *parts],
    "a link": lambda parts: [named("themes/x", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), *parts],
    "a hard link": lambda parts: [named("themes/x", b"", type=tarfile.LNKTYPE, linkname="secret.key"), *parts],
    "a device": lambda parts: [named("themes/x", b"", type=tarfile.CHRTYPE), *parts],
    "a folder": lambda parts: [named("themes", b"", type=tarfile.DIRTYPE), *parts],
    "a file of another kind": lambda parts: [named("run.sh"), *parts],
    "a control character": lambda parts: [named("themes/\x1b[2J"), *parts],
    "one more file": lambda parts: [named("plugins/evil.py", b"import os"), *parts],
    "one file less": lambda parts: [part for part in parts if part[0].name != "plugins/greeter.py"],
    "a changed file": lambda parts: [(one, b"# evil!!\n" if "greeter" in one.name else data) for one, data in parts],
    "a file twice": lambda parts: [parts[0], *parts],
    "no manifest": lambda parts: parts[:-1],
    "no list": lambda parts: [part for part in parts if part[0].name != "SHA256SUMS"],
    "something after the end": lambda parts: [*parts, named("themes/late")],
    "a manifest that is none": lambda parts: [*parts[:-1], named("manifest.json", b"[1, 2]")],
    "nothing": lambda parts: [],
}


GOOD: list[list[tuple[tarfile.TarInfo, bytes]]] = []


@pytest.fixture
def good(request: pytest.FixtureRequest, tmp_path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    """The members of a backup, which is made once: to refuse a forged one takes no desk."""
    if not GOOD:
        request.getfixturevalue("full")
        GOOD.append(members(making.make(tmp_path / "good.tar").path))
    return [(copy(member), data) for member, data in GOOD[0]]


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_backup_changes_nothing(good: Any, tmp_path: Path, kind: str) -> None:
    refused(written(tmp_path / "forged.tar", FORGED[kind](good), format=tarfile.GNU_FORMAT), tmp_path)


def refused(path: Path, tmp_path: Path, error: type[BackupError] = Unusable, passphrase: str = "") -> str:
    """Check that a backup is not restored, over an old desk that stays as it is; answers the sentence."""
    config = Config(home=tmp_path / "old")
    (config.home / "files").mkdir(parents=True, exist_ok=True)
    (config.home / "secret.key").write_text("old")
    with pytest.raises(error) as caught:
        restoring.restore(path, config, swap=True, passphrase=passphrase)
    left = {path.name for path in config.home.rglob("*") if path.is_file()}
    assert left <= {"secret.key", "serving.lock"} and (config.home / "secret.key").read_text() == "old"
    assert not (tmp_path / "outside").exists()
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said
    return said


def test_huge_headers_are_not_read_into_memory(full: Path, tmp_path: Path) -> None:
    made = making.make(tmp_path / "good.tar")
    long = named("themes/" + "x/" * 40_000 + "x")
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        refused(written(tmp_path / "forged.tar", [long, *members(made.path)], format=form), tmp_path)


@pytest.mark.parametrize("passphrase", ["", ENCRYPTED])
def test_a_truncated_backup_changes_nothing(full: Path, tmp_path: Path, one_key: None, passphrase: str) -> None:
    made = making.make(tmp_path / "good.tar", passphrase=passphrase)
    data = made.path.read_bytes()
    short = tmp_path / "short.tar"
    # A tar ends with empty blocks, without which it is still whole.
    end = len(data) if passphrase else len(data.rstrip(b"\0"))
    for part in (0.0, 0.1, 0.5, 0.97):
        short.write_bytes(data[: int(end * part)])
        refused(short, tmp_path, passphrase=passphrase)


@pytest.mark.slow
def test_an_encrypted_backup_that_was_changed_is_not_restored(full: Path, tmp_path: Path, one_key: None) -> None:
    made = making.make(tmp_path / "good.tar", passphrase=SECRET)
    good = made.path.read_bytes()
    for part in (0.05, 0.5, 0.9):
        place = int(len(good) * part)
        made.path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        refused(made.path, tmp_path, passphrase=SECRET)


@pytest.mark.slow
def test_a_wrong_passphrase_is_said(full: Path, tmp_path: Path, one_key: None) -> None:
    made = making.make(tmp_path / "good.tar", passphrase=SECRET)
    assert "passphrase does not open" in refused(made.path, tmp_path, WrongPassphrase, "another one")
    assert "encrypted" in refused(made.path, tmp_path, WrongPassphrase)


@pytest.mark.sqlite
@pytest.mark.parametrize("change", [{"format": 99}, {"revisions": {"alembic_version": "9999"}}])
def test_a_newer_backup_is_left_alone(full: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    *parts, (member, data) = members(making.make(tmp_path / "good.tar").path)
    parts.append((member, json.dumps({**json.loads(data), **change}).encode()))
    said = refused(written(tmp_path / "newer.tar", parts, format=tarfile.GNU_FORMAT), tmp_path)
    assert "made by a newer version" in said


def test_a_backup_that_does_not_fit_the_disk_changes_nothing(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making.make(tmp_path / "good.tar")
    real = os.statvfs(tmp_path)
    short = type("Short", (), {"f_bavail": 1, "f_frsize": real.f_frsize})
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _path: short)
        assert f"not enough room in {tmp_path / 'old'}: " in refused(made.path, tmp_path, NoRoom)
        with pytest.raises(NoRoom, match="not enough room"):
            making.make()
    assert [path.name for path in (full / "backups").iterdir()] == ["good.tar.json"]


# ---- where it goes


@pytest.mark.sqlite
def test_a_home_in_use_is_kept_beside(full: Path, app: Any, make_app: Any, make_ticket: Any) -> None:
    made = making.make()
    make_ticket("Came after the backup")
    (full / "helpdesk.toml").write_text("port = 9000\n")
    config = Config(home=full)
    with pytest.raises(Refused, match="--swap"):
        restoring.restore(made.path, config)
    db.session.remove()
    db.engine.dispose()
    done = restoring.restore(made.path, config, swap=True)
    assert done.kept is not None and (done.kept / "helpdesk.sqlite3").exists() and (done.kept / "files").is_dir()
    assert counted(config, make_app)["tickets"] == 1
    assert counted(Config(home=done.kept), make_app)["tickets"] == 2
    # The configuration of this machine stays.
    assert (full / "helpdesk.toml").read_text() == "port = 9000\n"
    assert (full / "helpdesk.toml.from-backup").read_text() == "port = 8123\n" and len(done.remarks) == 1
    assert made.path.exists()


def test_a_running_desk_is_not_restored_over(full: Path) -> None:
    made = making.make()
    with locks.held(full / "cache" / "serving.lock", shared=True):
        with pytest.raises(Refused, match="stop it first"):
            restoring.restore(made.path, Config(home=full), swap=True)


def test_a_folder_that_cannot_be_moved_is_named_before_anything_is(full: Path, tmp_path: Path) -> None:
    made = making.make()
    (full / "files").rename(tmp_path / "shared")
    (full / "files").symlink_to(tmp_path / "shared")
    with pytest.raises(Refused, match="files is a link"):
        restoring.restore(made.path, Config(home=full), swap=True)
    assert (full / "helpdesk.sqlite3").exists()


@pytest.mark.db
def test_a_database_alone_leaves_the_files_where_they_are(
    full: Path, app: Any, database_url: str, make_app: Any, make_ticket: Any
) -> None:
    made = making.make(kind="database", why=notes.UPGRADE)
    assert made.path.name.startswith("upgrade-") and not notes.listed(full / "backups")[0].is_good
    if database_url:
        with pytest.raises(Refused, match="not empty"):
            restoring.restore(made.path, app.config["HELPDESK"], swap=True)
        return
    make_ticket("Came after the backup")
    db.session.remove()
    db.engine.dispose()
    done = restoring.restore(made.path, Config(home=full), swap=True)
    assert counted(Config(home=full), make_app) == {"tickets": 1, "attachments": 1, "held": 1}
    # What the old database names outlives a sweep by the new one.
    (file,) = (full / "files").glob("??/*")
    file.unlink()
    assert done.kept is not None and (done.kept / "helpdesk.sqlite3").exists()
    assert [path.name for path in (done.kept / "files").glob("??/*")] == [file.name]


@pytest.mark.sqlite
def test_the_other_database_is_refused(full: Path, tmp_path: Path, postgresql_url: str) -> None:
    made = making.make(tmp_path / "good.tar")
    with pytest.raises(Refused, match="a desk on SQLite"):
        restoring.restore(made.path, Config(home=tmp_path / "new", database_url=postgresql_url))


# ---- while the desk runs


@pytest.mark.db
def test_it_is_one_moment_of_a_desk_that_is_written_to(
    full: Path, app: Any, elsewhere: Config, make_app: Any, make_ticket: Any
) -> None:
    """Each writer opens two tickets in one transaction: a backup never has half of one."""
    stop, written = threading.Event(), threading.Semaphore(0)
    errors: list[BaseException] = []

    def make() -> making.Made:
        # Each finds something that was written after the one before it.
        for _writer in threads:
            assert written.acquire(timeout=60), errors
        return making.make()

    def write() -> None:
        with app.app_context():
            try:
                while not stop.is_set():
                    with transaction():
                        make_ticket("One")
                        make_ticket("Two")
                    written.release()
            except BaseException as error:  # noqa: BLE001 - the test tells of it
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        made = [make() for _ in range(3)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    assert all(one.manifest.rows["ticket"].count % 2 == 1 for one in made)
    assert made[0].manifest.rows["ticket"].count < made[-1].manifest.rows["ticket"].count
    restoring.restore(made[-1].path, elsewhere)
    assert counted(elsewhere, make_app)["tickets"] == made[-1].manifest.rows["ticket"].count


def test_files_that_nothing_names_stay_while_a_backup_is_made(
    app: Any, home: Path, run_jobs: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_WAIT_SECONDS", 0.0)
    stored = files.store_bytes(b"abc", "a.txt", "text/plain")
    travel(minutes=1)
    unused_files.remove_later([stored.sha256])
    with locks.held(home / "files" / ".backup-lock"):
        run_jobs()
        assert files.path_of(stored.sha256).exists()
        with pytest.raises(BackupError, match="Another backup"):
            making.make()
    travel(minutes=3)
    run_jobs()
    assert not files.path_of(stored.sha256).exists()


def test_what_a_killed_backup_has_left_goes_with_the_next(full: Path) -> None:
    left = full / "backups" / ".making-killed"
    left.mkdir(parents=True)
    (left / "database.sqlite3").write_bytes(b"x" * 1000)
    assert notes.listed(full / "backups") == []
    making.make()
    assert not left.exists() and len(notes.listed(full / "backups")) == 1


# ---- by itself


def noted(folder: Path, age: timedelta, why: str = notes.SCHEDULED, **values: Any) -> notes.Backup:
    folder.mkdir(exist_ok=True)
    made = now() - age
    path = folder / f"helpdesk-{made:%Y%m%d-%H%M%S}.tar"
    path.write_bytes(b"")
    backup = notes.Backup(path, made, 0, why=why, **values)
    notes.write(backup, folder)
    return backup


@pytest.fixture
def noon(travel: Any) -> None:
    """No day ends while the test looks at days."""
    travel(to=now().replace(hour=12))


def test_so_many_days_weeks_and_months_are_kept(tmp_path: Path, noon: None) -> None:
    folder = tmp_path / "backups"
    for day in range(100):
        noted(folder, timedelta(days=day))
    asked = noted(folder, timedelta(days=300), notes.ASKED)
    rotation.remove_old(folder, BackupSettings(keep_daily=7, keep_weekly=4, keep_monthly=2))
    left = notes.listed(folder)
    assert asked in left
    scheduled = [backup for backup in left if backup != asked]
    days = {backup.made_at.date() for backup in scheduled}
    assert {(now() - timedelta(days=day)).date() for day in range(7)} <= days
    assert len({backup.made_at.isocalendar()[:2] for backup in scheduled}) >= 4
    assert 7 <= len(scheduled) <= 7 + 4 + 2
    assert len(list(folder.iterdir())) == 2 * len(left)


def test_the_last_good_one_is_never_taken_away(tmp_path: Path, noon: None) -> None:
    folder = tmp_path / "backups"
    good = noted(folder, timedelta(days=50), verified=True)
    for day in range(3):
        noted(folder, timedelta(days=day), verified=False, problem="It is damaged.")
    rotation.remove_old(folder, BackupSettings(keep_daily=1, keep_weekly=0, keep_monthly=0))
    assert notes.last_good(folder) == good and good.path.exists()


def test_the_newest_tried_one_and_those_that_nothing_good_replaces_stay(tmp_path: Path, noon: None) -> None:
    folder = tmp_path / "backups"
    short = BackupSettings(keep_daily=2, keep_weekly=0, keep_monthly=0)
    tried = noted(folder, timedelta(days=50), verified=True)
    noted(folder, timedelta(days=40))
    morning = noted(folder, timedelta(hours=2))
    evening = noted(folder, timedelta(0))
    yesterday = noted(folder, timedelta(days=1))
    rotation.remove_old(folder, short)
    assert notes.listed(folder) == [evening, morning, yesterday, tried]
    notes.remember(evening.path, folder, "")
    rotation.remove_old(folder, short)
    assert [one.path for one in notes.listed(folder)] == [evening.path, yesterday.path]


def test_one_that_somebody_asked_for_is_never_taken_away(
    full: Path, app: Any, run_jobs: Any, travel: Any, configure: Any
) -> None:
    from helpdesk.core import schedules

    configure(BackupSettings, verify=False, keep_daily=1, keep_weekly=0)
    schedules.sync()
    generation.forget()
    for _day in range(2):
        for _time in range(2):
            schedules.run_now("core.backup", None)
            run_jobs()
        travel(days=1)
        run_jobs()
    whys = [backup.why for backup in notes.listed(full / "backups")]
    assert whys.count(notes.ASKED) == 4 and whys.count(notes.SCHEDULED) == 1


@pytest.mark.slow
@pytest.mark.db
def test_the_desk_backs_itself_up_every_night(full: Path, app: Any, run_jobs: Any, travel: Any, configure: Any) -> None:
    from helpdesk.core import schedules

    configure(BackupSettings, verify=True)
    schedules.sync()
    generation.forget()
    assert schedules.find("core.backup").enabled
    travel(days=1)
    run_jobs()
    first = notes.listed(full / "backups")
    assert [(backup.why, backup.verified) for backup in first] == [(notes.SCHEDULED, True)]
    travel(days=2)
    run_jobs()
    second = notes.listed(full / "backups")
    # Tried once a week.
    assert [backup.verified for backup in second] == [None, True]


def test_a_backup_that_fails_says_so_and_keeps_the_old_ones(
    full: Path, app: Any, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = noted(full / "backups", timedelta(days=40))
    job = ledger.schedule("core.backup")
    monkeypatch.setattr(os, "statvfs", lambda _path: type("Short", (), {"f_bavail": 1, "f_frsize": 4096}))
    run_jobs()
    assert "not enough room" in db.session.get_one(Job, job.id).error
    assert old.path.exists()


# ---- after a restore


@pytest.mark.db
def test_counts_of_what_is_held_back(full: Path, app: Any, make_user: Any) -> None:
    with transaction():
        db.session.add(Delivery(channel="email", address="a@b.example", identity="x1", kind="reply"))
    ledger.schedule("core.tidy", at=now() + timedelta(hours=1))
    waiting = holding.waiting(db.session.connection())
    assert waiting.messages >= 1 and waiting.jobs >= 1


# ---- programs of PostgreSQL


@pytest.fixture
def on_postgresql(postgresql_migrated_url: str, make_app: Any) -> Iterator[None]:
    with make_app({}, database_url=postgresql_migrated_url).app_context():
        yield
        db.session.remove()


@pytest.mark.parametrize(("says", "sentence"), [(None, "not installed"), ("pg_dump (PostgreSQL) 9.6", "too old")])
def test_a_program_that_is_missing_or_too_old_is_named(
    on_postgresql: None, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str | None, sentence: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if says:
        (programs / "pg_dump").write_text(f"#!/bin/sh\necho '{says}'\n")
        (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}")
    with pytest.raises(BackupError, match=f"pg_dump is {sentence}.*client programs"):
        making.make()
    assert list((home / "backups").iterdir()) == []


def test_a_password_is_not_in_the_list_of_processes(
    on_postgresql: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_migrated_url: str
) -> None:
    from sqlalchemy import make_url

    from helpdesk.core.backups import databases

    seen = tmp_path / "seen"
    program = tmp_path / "pg_restore"
    program.write_text(f'#!/bin/sh\necho "$@" >> {seen}\necho "pg_restore (PostgreSQL) 99"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    url = make_url(postgresql_migrated_url).set(password="canary-secret").render_as_string(hide_password=False)
    databases.load_postgresql(tmp_path / "dump", url)
    assert "--single-transaction" in seen.read_text() and "canary-secret" not in seen.read_text()
