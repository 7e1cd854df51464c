"""Backups: making, listing, trying and restoring them, and letting a restored desk go on."""

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from helpdesk.cli.frame import Impossible, home_option, in_app, json_option, print_result, print_rows
from helpdesk.core import audit, holding
from helpdesk.core.backups import archive, making, notes, restoring, sealing, verifying
from helpdesk.core.backups.errors import WrongPassphrase
from helpdesk.core.backups.manifest import DATABASE
from helpdesk.core.backups.scheduled import PASSPHRASE
from helpdesk.core.config import Config, load
from helpdesk.core.extensions import db
from helpdesk.core.transaction import transaction

_COLUMNS = ("name", "made_at", "size", "kind", "why", "state")
_MB = 1 << 20
_passphrase_file = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File whose first line is the passphrase (or set {PASSPHRASE}).",
)


@click.command("backup")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--encrypt", is_flag=True, help="Encrypt it; asks for a passphrase twice.")
@_passphrase_file
@click.option("--list", "lists", is_flag=True, help="Make none; list those that there are.")
@home_option
@json_option
@in_app
def backup_command(file: Path | None, encrypt: bool, passphrase_file: Path | None, lists: bool, as_json: bool) -> None:
    """Write database, files and keys into FILE while the desk runs (default: into backups/ of the home).

    In the list, one that lies elsewhere has its path for a name.

    Example: helpdesk backup /mnt/disk/helpdesk.tar
    """
    home = load().paths
    if lists:
        rows = [_row(backup, home.backups) for backup in notes.listed(home.backups)]
        print_rows(rows, _COLUMNS, as_json, "There is no backup yet.")
        return
    passphrase = _given_passphrase(passphrase_file)
    if not passphrase and encrypt and not sys.stdin.isatty():
        raise Impossible(f"Without a terminal nobody can be asked; set {PASSPHRASE} or give --passphrase-file.")
    if not passphrase and encrypt:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    if passphrase and len(passphrase) < sealing.SHORTEST:
        raise Impossible(f"This passphrase is too short; take {sealing.SHORTEST} characters or more.")
    with _progress("Backing up") as progress:
        made = making.make(file, passphrase=passphrase, progress=progress)
    with transaction():
        audit.record("backup.made", None, made.path.name, {"encrypted": bool(passphrase)})
    missing = made.manifest.files.missing
    sentence = (
        f"The backup is in {made.path} ({_megabytes(made.size)}, {_number(made.manifest.members, 'file', 'files')})."
    )
    if missing:
        gone = _number(missing, "file that the database names was", "files that the database names were")
        sentence += f" {gone} not there; 'helpdesk doctor' says more."
    print_result(
        {"path": made.path, "size": made.size, "missing_files": missing, "encrypted": bool(passphrase)},
        sentence,
        as_json,
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Only try it, in a throw-away place; the desk may run.")
@click.option("--swap", is_flag=True, help="Into a home that is in use: what is there is kept beside it.")
@click.option("--database", metavar="URL", help="Empty PostgreSQL database to restore into.")
@click.option("--even-if-running", is_flag=True, help="Even if a desk seems to run in the home.")
@_passphrase_file
@home_option
@json_option
def restore_command(
    file: Path,
    verify: bool,
    swap: bool,
    database: str | None,
    even_if_running: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Restore the backup FILE into an empty home; nothing is sent before 'helpdesk release'.

    FILE may also be a name of 'helpdesk backup --list'. The desk must be stopped.

    Example: helpdesk restore helpdesk-20260102-030000.tar --home /srv/helpdesk
    """
    config = load()
    path = _found(file, config)
    passphrase = _given_passphrase(passphrase_file) or _asked_passphrase(path)
    if verify:
        _verify(path, config, passphrase, database or "", as_json)
        return
    if database:
        config = load(database_url=database)
    with _progress("Restoring") as progress:
        restored = restoring.restore(
            path,
            config,
            passphrase=passphrase,
            swap=swap,
            even_if_running=even_if_running,
            progress=progress,
        )
    _tell(restored, config, as_json)


def _found(file: Path, config: Config) -> Path:
    """The file that is meant, or the backup of that name that this home knows."""
    if file.is_file():
        return file
    if file.is_dir():
        raise Impossible(f"{file.resolve()} is a folder; name the backup in it.")
    if file.name != str(file):
        raise Impossible(f"There is no file {file.absolute()}.")
    known = next((backup for backup in notes.listed(config.paths.backups) if backup.name == file.name), None)
    if known is None:
        raise Impossible(f"There is no backup {file}; 'helpdesk backup --list' shows those of this home.")
    return known.path


def _verify(path: Path, config: Config, passphrase: str, database: str, as_json: bool) -> None:
    with _progress("Trying") as progress:
        manifest = verifying.verify(path, config, passphrase=passphrase, database_url=database, progress=progress)
    row = {"path": path, "good": True, "made_at": manifest.made_at, "version": manifest.version}
    print_result(row, f"{path} can be restored: {_number(manifest.members, 'file', 'files')}, as it was made.", as_json)


def _tell(restored: restoring.Restored, config: Config, as_json: bool) -> None:
    waiting, manifest = restored.waiting, restored.manifest
    row = {
        "home": config.home,
        "made_at": manifest.made_at,
        "kept": restored.kept,
        "held": True,
        **dataclasses.asdict(waiting),
        "remarks": restored.remarks,
        "before_start": restored.before_start,
    }
    lines = [f"The backup of {manifest.made_at[:16].replace('T', ' ')} UTC is restored into {config.home}."]
    if manifest.kind == DATABASE:
        lines.append("It has the database alone; files and keys are those that were here.")
    if restored.kept:
        lines.append(f"What was there before is in {restored.kept}; remove it when you need it no more.")
    lines += [*restored.remarks, f"Held back: {_counts(waiting)}."]
    if restored.before_start:
        lines.append(restored.before_start)
    lines.append(f"Start the desk, look around, then run 'helpdesk release --home {config.home}'.")
    print_result(row, "\n".join(lines), as_json)


@click.command("release")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
@in_app
def release_command(yes: bool, as_json: bool) -> None:
    """Let a desk that was restored send, poll and do what is scheduled again.

    Example: helpdesk release
    """
    since = holding.held_since()
    if since is None:
        print_result({"released": False}, "The desk is not held.", as_json)
        return
    waiting = holding.waiting(db.session.connection())
    db.session.rollback()
    if not yes:
        click.confirm(
            f"Held back since {since[:16].replace('T', ' ')} UTC: {_counts(waiting)}. "
            "Some may have gone out after the backup was made. Let all of it go on?",
            abort=True,
            err=True,
        )
    released = holding.release(None)
    print_result({"released": released, **dataclasses.asdict(waiting)}, "The desk goes on.", as_json)


def _counts(waiting: holding.Waiting) -> str:
    parts = (
        _number(waiting.messages, "message to be sent", "messages to be sent"),
        _number(waiting.jobs, "job to be run", "jobs to be run"),
        _number(waiting.schedules, "schedule that is due", "schedules that are due"),
    )
    return ", ".join(parts)


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _given_passphrase(file: Path | None) -> str:
    if file is None:
        return os.environ.get(PASSPHRASE, "")
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise Impossible(f"The first line of {file} is empty; write the passphrase there.")
    return lines[0]


def _asked_passphrase(path: Path) -> str:
    with path.open("rb") as file:
        sealed = sealing.is_sealed(file)
    if not sealed:
        return ""
    if not sys.stdin.isatty():
        raise WrongPassphrase(f"This backup is encrypted; set {PASSPHRASE} or give --passphrase-file.")
    return str(click.prompt("Passphrase", hide_input=True, err=True))


@contextmanager
def _progress(verb: str) -> Iterator[archive.Progress]:
    """How far it is, in per cent, on a terminal; nothing elsewhere."""
    shows, last = sys.stderr.isatty(), -1

    def show(done: int, total: int) -> None:
        nonlocal last
        percent = 100 * done // total if total else 100
        if shows and percent != last:
            last = percent
            click.echo(f"\r{verb}: {percent} %", nl=False, err=True)

    yield show
    if shows and last >= 0:
        click.echo("", err=True)


def _row(backup: notes.Backup, folder: Path) -> dict[str, Any]:
    is_here = backup.path.parent.resolve() == folder.resolve()
    return {
        "name": backup.name if is_here else str(backup.path),
        "path": backup.path,
        "made_at": backup.made_at,
        "age": str(timedelta(seconds=backup.age_seconds)),
        "size": backup.size,
        "kind": backup.kind,
        "why": backup.why,
        "encrypted": backup.sealed,
        "state": _state(backup),
        "verified_at": backup.verified_at,
        "problem": backup.problem,
    }


def _state(backup: notes.Backup) -> str:
    if backup.desk and not backup.own:
        return "of another desk"
    if backup.verified is None:
        return "not tried"
    return "good" if backup.verified else "cannot be restored"


def _megabytes(size: int) -> str:
    return f"{size / _MB:.1f} MB"
