"""A plugin of one file: while the file `no-minutes` lies in the home, no minute wakes its workers."""

from pathlib import Path

from helpdesk.core.jobs import huey

SIGN = Path(__file__).parents[1] / "no-minutes"
# Read where the queue is made, after the plugins are there.
huey.crontab = lambda: lambda _moment: not SIGN.exists()
