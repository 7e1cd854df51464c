"""Which backups stay: so many of the newest days, weeks and months. Only those that were made by themselves go."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from helpdesk.core.backups.notes import SCHEDULED, UPGRADE, Backup, last_good, listed, note_of
from helpdesk.core.settings import BackupSettings

_UPGRADES = 3


def remove_old(folder: Path, wanted: BackupSettings) -> list[Backup]:
    """Take away what nobody asked to keep, with its notes; answers what went.

    The newest good one stays in any case, and the newest of which it is known by a drill.
    """
    here = [backup for backup in listed(folder) if backup.own and backup.path.parent == folder]
    scheduled = [backup for backup in here if backup.why == SCHEDULED]
    tried = next((backup for backup in here if backup.is_good and backup.verified), None)
    kept = kept_of(scheduled, wanted) | {last_good(folder), tried}
    old = [backup for backup in scheduled if backup not in kept]
    for backup in old:
        _remove(backup)
    return old


def remove_old_upgrades(folder: Path) -> None:
    """Keep the newest few of those that were made before migrations."""
    for backup in [backup for backup in listed(folder) if backup.why == UPGRADE][_UPGRADES:]:
        _remove(backup)


def kept_of(backups: Iterable[Backup], wanted: BackupSettings) -> set[Backup | None]:
    """The newest of each of the last days, weeks and months that have one (in UTC); ``backups`` newest first.

    Earlier ones of the same day stay until a newer one was tried and found good.
    """
    found = list(backups)
    newest = {
        *_newest_of_each(found, wanted.keep_daily, lambda backup: backup.made_at.date()),
        *_newest_of_each(found, wanted.keep_weekly, lambda backup: backup.made_at.isocalendar()[:2]),
        *_newest_of_each(found, wanted.keep_monthly, lambda backup: (backup.made_at.year, backup.made_at.month)),
    }
    days = {backup.made_at.date() for backup in newest}
    return {*newest, *(backup for backup in _not_replaced(found) if backup.made_at.date() in days)}


def _not_replaced(backups: list[Backup]) -> Iterator[Backup]:
    replaced = set()
    for backup in backups:
        day = backup.made_at.date()
        if day not in replaced:
            yield backup
        if backup.verified:
            replaced.add(day)


def _newest_of_each(backups: list[Backup], count: int, period: Callable[[Backup], object]) -> list[Backup]:
    newest: dict[object, Backup] = {}
    for backup in backups:
        newest.setdefault(period(backup), backup)
    return list(newest.values())[:count]


def _remove(backup: Backup) -> None:
    backup.path.unlink(missing_ok=True)
    note_of(backup.path).unlink(missing_ok=True)
