"""The desk's own schedules."""

from datetime import timedelta

from helpdesk.core import settings
from helpdesk.core.settings import BackupSettings
from helpdesk.plugins.contributions import Schedule

# Stands where a plugin's name stands on those of plugins.
OWNER = "core"
# Made, listed and switched like those of plugins; the names of their jobs are in ``jobs.runner.CORE_JOBS``.
CORE: list[Schedule] = [
    Schedule("core.tidy", "core.tidy", daily_at="03:40"),
    Schedule("core.sweep_files", "core.sweep_files", daily_at="04:10"),
    Schedule("core.verify_audit", "core.verify_audit", daily_at="04:40"),
    # Tickets that came when nobody of their team could take them.
    Schedule("core.give_out", "core.give_out", every=timedelta(minutes=5)),
    # Solved tickets of which their customers say nothing.
    Schedule("core.close_silent", "core.close_silent", every=timedelta(hours=1)),
    Schedule("core.warn_of_tokens", "core.warn_of_tokens", daily_at="07:10"),
]


def listed() -> list[Schedule]:
    """The desk's own schedules, as its settings want them now."""
    return [Schedule("core.backup", job="core.backup", daily_at=settings.get(BackupSettings).at), *CORE]
