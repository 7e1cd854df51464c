"""A plugin of one file with schedules of every kind; each run leaves a row."""

from datetime import timedelta

from sqlalchemy import column, insert, table

from helpdesk.api import Job, Schedule, db, hookimpl, now

ROWS = table("ticking_row", column("kind"), column("at"))

RULES = {
    "quarter": {"every": timedelta(minutes=15), "catch_up": "all"},
    "hourly": {"every": timedelta(hours=1)},
    "daily": {"daily_at": "02:30", "zone": "Europe/Berlin"},
    "half_hourly": {"crontab": "*/30 * * * *", "zone": "Australia/Lord_Howe"},
}


def tick(kind):
    db.session.execute(insert(ROWS).values(kind=kind, at=now().isoformat()))


@hookimpl
def register_jobs():
    return [Job("ticking.tick", tick)]


@hookimpl
def register_schedules():
    return [Schedule(f"ticking.{name}", "ticking.tick", args={"kind": name}, **rule) for name, rule in RULES.items()]
