"""Which backups there are, and what is known of each: a small file beside it, so that none has to be opened."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpdesk.core.backups import sealing
from helpdesk.core.backups.manifest import DATABASE, WHOLE, Manifest
from helpdesk.core.clock import now
from helpdesk.core.paths import Home

SUFFIX = ".tar"
# Why it was made: somebody asked, its time had come, or the database was about to be migrated.
ASKED, SCHEDULED, UPGRADE = "asked", "scheduled", "upgrade"
_UPGRADE_PREFIX = "upgrade-"


@dataclass(frozen=True)
class Backup:
    """One backup. ``verified`` is None as long as nobody has tried to restore it; ``problem`` says why it failed."""

    path: Path
    made_at: datetime
    size: int
    kind: str = WHOLE
    why: str = ASKED
    version: str = ""
    sealed: bool = False
    # Files that the database names and that were not there when it was made.
    missing_files: int = 0
    # Which desk it is of, empty where that is not known yet, and whether that is the one that asks.
    desk: str = ""
    own: bool = True
    verified: bool | None = None
    verified_at: datetime | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def is_good(self) -> bool:
        """Whether all of this desk is in it, and nobody has found that it cannot be restored."""
        return self.own and self.kind == WHOLE and self.verified is not False

    @property
    def age_seconds(self) -> int:
        return max(0, int((now() - self.made_at).total_seconds()))


def listed(folder: Path) -> list[Backup]:
    """The backups in a home's folder, and those that were written elsewhere and are still there; newest first."""
    found: dict[Path, Backup] = {}
    desk = Home(folder.parent).identity
    for backup in _all(folder):
        # (The folder may be a link.)
        found.setdefault(backup.path.resolve(), replace(backup, own=backup.desk == desk))
    return sorted(found.values(), key=lambda backup: (backup.made_at, backup.name), reverse=True)


def last_good(folder: Path) -> Backup | None:
    """The newest backup from which the whole desk could be restored, as far as is known."""
    return next((backup for backup in listed(folder) if backup.is_good), None)


def _all(folder: Path) -> Iterator[Backup]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith(SUFFIX) and not name.startswith("."):
            yield read(folder / name)
        elif name.endswith(f"{SUFFIX}.json") and (elsewhere := _noted(folder / name).get("path")):
            if os.path.isfile(elsewhere):
                yield read(Path(elsewhere), _noted(folder / name))


def read(path: Path, noted: dict[str, Any] | None = None) -> Backup:
    """What is known of a backup; of one without a note, what the file itself tells. Raises OSError."""
    status = path.stat()
    noted = _noted(note_of(path)) if noted is None else noted
    try:
        made = datetime.fromisoformat(noted["made_at"])
        tried = datetime.fromisoformat(noted["verified_at"]) if noted.get("verified_at") else None
        known = {
            key: noted[key] for key in ("kind", "why", "version", "sealed", "missing_files", "verified", "problem")
        }
        return Backup(path, made, status.st_size, verified_at=tried, desk=noted.get("desk", ""), **known)
    except (KeyError, TypeError, ValueError):
        made = datetime.fromtimestamp(status.st_mtime, UTC)
        upgrade = path.name.startswith(_UPGRADE_PREFIX)
        kind, why = (DATABASE, UPGRADE) if upgrade else (WHOLE, ASKED)
        with path.open("rb") as file:
            return Backup(path, made, status.st_size, kind, why, sealed=sealing.is_sealed(file))


def described(backup: Backup, manifest: Manifest) -> Backup:
    """A backup with what its manifest says of it."""
    return replace(
        backup,
        made_at=datetime.fromisoformat(manifest.made_at),
        kind=manifest.kind,
        version=manifest.version,
        missing_files=manifest.files.missing,
        desk=manifest.desk,
    )


def note_of(path: Path) -> Path:
    """Where the note of a backup lies."""
    return path.with_name(f"{path.name}.json")


def write(backup: Backup, folder: Path) -> None:
    """Write the note beside a backup, and into ``folder`` too where the backup lies elsewhere.

    A note that cannot be written (a medium that can only be read) is left out.
    """
    values: dict[str, Any] = asdict(backup)
    values["path"] = None
    # Whoever reads it knows.
    del values["own"]
    _write(note_of(backup.path), values)
    if backup.path.parent.resolve() != folder.resolve():
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
        _write(folder / f"{backup.name}.json", {**values, "path": str(backup.path)})


def remember(path: Path, folder: Path, problem: str, manifest: Manifest | None = None) -> None:
    """Note how a drill went: an empty ``problem`` means that the backup can be restored.

    What lies elsewhere and is not known to be of the desk whose ``folder`` this is, is not noted.
    """
    found = described(read(path), manifest) if manifest is not None else read(path)
    is_here = path.parent.resolve() == folder.resolve() and path.name.endswith(SUFFIX)
    if is_here or (found.desk and found.desk == Home(folder.parent).identity):
        write(replace(found, verified=not problem, verified_at=now(), problem=problem), folder)


def _noted(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, values: dict[str, Any]) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(values, default=str, indent=1), encoding="utf-8")
        aside.chmod(0o600)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
