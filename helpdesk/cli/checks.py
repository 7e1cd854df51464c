"""What `helpdesk doctor` looks at. Each check answers findings; a finding that is not ok says what to do."""

import os
import platform
import shutil
import socket
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from flask import current_app
from sqlalchemy import and_, func, select, text

from helpdesk.core import accounts, deliveries, files, holding, hours_editing, schema, settings
from helpdesk.core.backups import lateness, notes
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Delivery, Event, Intake, Job, PluginState
from helpdesk.core.models.delivery import FAILED as UNSENT
from helpdesk.core.models.delivery import WAITING as DELAYED
from helpdesk.core.models.intake import QUARANTINED
from helpdesk.core.models.job import FAILED, WAITING
from helpdesk.core.search import rebuilding
from helpdesk.core.settings import DeskSettings
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel
from helpdesk.plugins.migrations import NewerDatabase

OK, WARN, FAIL = "ok", "warn", "fail"
MB = 1024 * 1024
# Below this SQLite can lose a write-ahead log in rare cases (its release notes of 3.51.3).
GOOD_SQLITE = (3, 51, 3)
PYTHON = (3, 11)
# A worker looks every minute; this long without one is too long.
LATE = timedelta(minutes=3)
LARGEST_QUICK_CHECK = 1024 * MB
RECENT_FILES = 200


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: what was looked at, how it is, and what to do when it is not right."""

    check: str
    state: str
    found: str
    advice: str = ""


def machine(config: Config) -> Iterator[Finding]:
    """What can be said without a database: Python, SQLite, the home, its key, the disk."""
    version = platform.python_version()
    if sys.version_info >= PYTHON:
        yield Finding("python", OK, version)
    else:
        yield Finding("python", FAIL, version, "Install Python 3.11 or newer.")
    if config.is_sqlite:
        yield _sqlite_version()
    yield _home(config)
    yield _key(config)
    yield _disk(config)


def database(config: Config) -> Iterator[Finding]:
    """Whether the database answers and fits; nothing else can be asked where it does not."""
    if not config.is_sqlite:
        version = db.session.scalar(text("SHOW server_version"))
        yield Finding("postgresql", OK, str(version))
    try:
        revisions = schema.revisions()
    except NewerDatabase as error:
        yield Finding("database", FAIL, str(error))
        return
    if revisions[0].database is None:
        yield Finding("database", FAIL, "there is none yet", "Run 'helpdesk init' or 'helpdesk serve'.")
        return
    old = [revision.owner for revision in revisions if not revision.is_current]
    if old:
        yield Finding("database", FAIL, f"does not fit this version: {', '.join(old)}", "Run 'helpdesk db upgrade'.")
        return
    yield Finding("database", OK, ", ".join(f"{revision.owner} {revision.database}" for revision in revisions))
    if config.is_sqlite and config.paths.database.exists():
        yield from _integrity(config)


def running(config: Config) -> Iterator[Finding]:
    """What the desk itself knows: people, work, mail, plugins, time."""
    checks: tuple[Callable[[Config], Iterator[Finding]], ...] = (
        _administrator,
        _address,
        _worker,
        _jobs,
        _mail,
        _plugins,
        _theme,
        _files,
        _search,
        _backups,
        _held,
        _time,
        _holidays,
    )
    for check in checks:
        yield from check(config)


def _sqlite_version() -> Finding:
    if sqlite3.sqlite_version_info >= GOOD_SQLITE:
        return Finding("sqlite", OK, sqlite3.sqlite_version)
    good = ".".join(map(str, GOOD_SQLITE))
    advice = f"Use a Python with SQLite {good} or newer, or PostgreSQL; until then keep backups."
    return Finding("sqlite", WARN, f"{sqlite3.sqlite_version}, which can rarely damage its write-ahead log", advice)


def _home(config: Config) -> Finding:
    mode = stat.S_IMODE(config.home.stat().st_mode)
    if mode & stat.S_IRWXO:
        said = f"every account of this machine can look into {config.home} (mode {mode:o})"
        return Finding("home", WARN, said, f"Run 'chmod o= {config.home}'.")
    return Finding("home", OK, str(config.home))


def _key(config: Config) -> Finding:
    path = config.paths.secret_file
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("secret.key", WARN, f"others can read it (mode {mode:o})", f"Run 'chmod 600 {path}'.")
    return Finding("secret.key", OK, f"mode {mode:o}")


def _disk(config: Config) -> Finding:
    free = shutil.disk_usage(config.home).free // MB
    if free < 200:
        return Finding("disk", FAIL, f"{free} MB free", "Make room now: mail and attachments cannot be kept soon.")
    if free < 2000:
        return Finding("disk", WARN, f"{free} MB free", "Make room soon.")
    return Finding("disk", OK, f"{free // 1000} GB free")


def _integrity(config: Config) -> Iterator[Finding]:
    if config.paths.database.stat().st_size > LARGEST_QUICK_CHECK:
        return
    answer = db.session.scalar(text("PRAGMA quick_check(1)"))
    if answer == "ok":
        yield Finding("integrity", OK, "the database is whole")
    else:
        yield Finding("integrity", FAIL, str(answer)[:200], "Stop the desk and restore the last good backup.")


def _holidays(_config: Config) -> Iterator[Finding]:
    for hours, year in hours_editing.without_holidays():
        advice = "Write those days at /admin/hours, or upgrade when they have been announced."
        yield Finding("holidays", WARN, f"those of {year} are not known for {hours.name}", advice)


def _administrator(_config: Config) -> Iterator[Finding]:
    if accounts.has_admin():
        yield Finding("administrator", OK, "there is one")
    else:
        yield Finding("administrator", WARN, "there is none", "Run 'helpdesk init' and open the link that it prints.")


def _address(config: Config) -> Iterator[Finding]:
    if not config.public_url:
        advice = "Set public_url in helpdesk.toml to the address that customers use; links in mails carry it."
        yield Finding("address", WARN, f"{_listening(config) or config.address} (no public_url)", advice)
    elif config.public_url.startswith("http://"):
        yield Finding("address", WARN, config.address, "Put it behind https; passwords travel readable otherwise.")
    else:
        yield Finding("address", OK, config.address)


def _listening(config: Config) -> str:
    """Where the desk listens now, whatever port its command was given; "" when nothing answers there."""
    try:
        address = config.paths.listening.read_text("utf-8").strip()
        there = urlsplit(address)
        socket.create_connection((there.hostname or "", there.port or 0), timeout=2).close()
    except (OSError, ValueError):
        return ""
    return address


def _worker(config: Config) -> Iterator[Finding]:
    try:
        age = timedelta(seconds=max(0.0, time.time() - config.paths.worker_sign.stat().st_mtime))
    except FileNotFoundError:
        advice = "Start 'helpdesk serve' (or 'helpdesk worker'); no mail is sent without one."
        yield Finding("worker", WARN, "none has run in this home", advice)
        return
    if age > LATE:
        advice = "Start 'helpdesk serve' (or 'helpdesk worker'); no mail is sent meanwhile."
        yield Finding("worker", WARN, f"none has looked for work for {_span(age)}", advice)
    else:
        yield Finding("worker", OK, f"looked for work {_span(age)} ago")


def _jobs(_config: Config) -> Iterator[Finding]:
    oldest = db.session.scalar(select(func.min(Job.run_at)).where(Job.state == WAITING))
    waiting, failed = _count(Job, Job.state == WAITING), _count(Job, Job.state == FAILED)
    if oldest is not None and now() - oldest > LATE:
        advice = "Start a worker ('helpdesk serve' or 'helpdesk worker'), or run 'helpdesk job run-due'."
        yield Finding("jobs", FAIL, f"{waiting} wait, the oldest is late by {_span(now() - oldest)}", advice)
    else:
        yield Finding("jobs", OK, f"{waiting} wait, none is late")
    if failed:
        advice = "See 'helpdesk job list --state failed'; 'helpdesk job retry NUMBER' runs one again."
        yield Finding("failed jobs", WARN, str(failed), advice)


def _mail(_config: Config) -> Iterator[Finding]:
    channel: Channel | None = manager.current().find("register_channels", deliveries.DEFAULT_CHANNEL)
    if channel is None or channel.send is None:
        yield Finding("mail", WARN, "no channel sends mail", "Switch it on: 'helpdesk plugin on email'.")
    elif (group := settings.group(deliveries.DEFAULT_CHANNEL)) is not None:
        values: object = settings.get(group.model)
        # Which servers it leaves by is the channel's own affair; when it finds none, mail waits below.
        if getattr(values, "address", None) == "":
            advice = "Enter the mailbox in Settings, E-mail; replies wait until then."
            yield Finding("mail", WARN, "not set: address", advice)
        else:
            yield Finding("mail", OK, f"leaves as {getattr(values, 'address', '')}")
    yield from _waiting_mail()
    if unsent := _count(Delivery, Delivery.state == UNSENT):
        advice = "See 'helpdesk mail outbox --state failed'; 'helpdesk mail retry --outgoing NUMBER' sends one again."
        yield Finding("outgoing mail", WARN, f"{unsent} could not be sent", advice)
    if parked := _count(Intake, Intake.state == QUARANTINED):
        yield Finding("incoming mail", WARN, f"{parked} in quarantine", "See 'helpdesk mail quarantine'.")


def _waiting_mail() -> Iterator[Finding]:
    """What was tried and is tried again: why, in the channel's words."""
    tried = (Delivery.state == DELAYED, Delivery.error != "")
    if error := db.session.scalar(select(Delivery.error).where(*tried).order_by(Delivery.id.desc()).limit(1)):
        advice = "It is tried again by itself. See 'helpdesk mail outbox --state waiting', and Settings, E-mail."
        yield Finding("waiting mail", WARN, f"{_count(Delivery, and_(*tried))} could not be sent yet: {error}", advice)


def _plugins(_config: Config) -> Iterator[Finding]:
    plugins = manager.current().plugins.values()
    broken = [plugin for plugin in plugins if plugin.error]
    for plugin in broken:
        advice = "Update or uninstall it; the desk runs without it."
        yield Finding(f"plugin {plugin.name}", FAIL, plugin.error, advice)
    recently = now() - timedelta(days=1)
    query = select(PluginState).where(PluginState.failed_at > recently, PluginState.error != "")
    for state in db.session.scalars(query):
        advice = "It is tried again by itself; see 'helpdesk job list --state failed' for what was given up."
        yield Finding(f"plugin {state.name}", WARN, state.error, advice)
    if not broken:
        names = sorted(plugin.name for plugin in plugins if manager.current().is_on(plugin.name))
        yield Finding("plugins", OK, ", ".join(names) or "none is on")


def _theme(_config: Config) -> Iterator[Finding]:
    name, known = settings.get(DeskSettings).theme, current_app.extensions["helpdesk.themes"]
    if name in known:
        yield Finding("theme", OK, name)
    else:
        advice = f"Run 'helpdesk theme use default', or put it into {_config.paths.themes}."
        yield Finding("theme", WARN, f"{name} is not there; the default is shown", advice)


def _files(_config: Config) -> Iterator[Finding]:
    hashes = [
        *db.session.scalars(select(Attachment.sha256).order_by(Attachment.id.desc()).limit(RECENT_FILES)),
        *db.session.scalars(select(Intake.sha256).order_by(Intake.id.desc()).limit(RECENT_FILES)),
    ]
    missing = [sha256 for sha256 in hashes if not os.path.exists(files.path_of(sha256))]
    if missing:
        advice = f"Restore the folder {_config.paths.files} from the last backup."
        yield Finding("files", FAIL, f"{len(missing)} of the newest {len(hashes)} are gone", advice)
    else:
        yield Finding("files", OK, f"the newest {len(hashes)} are there")


def _search(_config: Config) -> Iterator[Finding]:
    if wrong := rebuilding.problems():
        yield Finding("search", WARN, " ".join(wrong), "Make its index anew: 'helpdesk search rebuild'.")
        return
    waiting = rebuilding.count_due()
    yield Finding("search", OK, f"{waiting} things wait to be read" if waiting else "all is read")


def _backups(config: Config) -> Iterator[Finding]:
    newest = notes.last_good(config.paths.backups)
    late = lateness.is_late(newest)
    if newest is None:
        advice = "Run 'helpdesk backup'; a running desk makes one every night ('helpdesk schedule list')."
        yield Finding("backup", WARN if late else OK, "there is none", advice)
        return
    age = timedelta(seconds=newest.age_seconds)
    found = f"{newest.name}, {_span(age)} old, {'tried and good' if newest.verified else 'not tried yet'}"
    if late:
        advice = "Run 'helpdesk backup', and see why the nightly one did not come: 'helpdesk job list'."
        yield Finding("backup", WARN, found, advice)
    else:
        yield Finding("backup", OK, found)
    for backup in notes.listed(config.paths.backups)[:1]:
        if backup.verified is False:
            yield Finding("newest backup", WARN, backup.problem, "Run 'helpdesk backup' and try that one.")


def _held(_config: Config) -> Iterator[Finding]:
    if since := holding.held_since():
        advice = "Look around first, then run 'helpdesk release'."
        yield Finding("held", WARN, f"nothing is sent since the restore of {since[:16].replace('T', ' ')} UTC", advice)


def _time(_config: Config) -> Iterator[Finding]:
    zone = settings.get(DeskSettings).time_zone
    if len(available_timezones()) < 100:
        yield Finding("time zones", FAIL, "no time zone data", "Install the package tzdata.")
    else:
        yield Finding("time zones", OK, f"{zone}, {now().astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}")
    newest = db.session.scalar(select(func.max(Event.created_at)))
    if now() < datetime(2026, 1, 1, tzinfo=UTC) or (newest is not None and newest - now() > timedelta(minutes=5)):
        advice = "Set the machine's clock, best by a time service (chrony, systemd-timesyncd)."
        yield Finding("clock", FAIL, f"{now():%Y-%m-%d %H:%M} UTC is before what was written already", advice)
    else:
        yield Finding("clock", OK, f"{now():%Y-%m-%d %H:%M} UTC")


def _count(model: type, criterion: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(criterion)) or 0  # type: ignore[arg-type]


def _span(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
