"""The bridge to Huey: it carries a nudge and keeps the minute; what to do stands in the ledger."""

import logging
from datetime import datetime
from typing import Any

from flask import Flask
from huey import Huey, SqliteHuey, crontab

from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import alarm, ledger, runner
from helpdesk.core.jobs.alarm import AlarmClock
from helpdesk.core.jobs.messages import SignedJson

log = logging.getLogger(__name__)

EXTENSION = "helpdesk.huey"
WAKE = "helpdesk.wake"
SQLITE, REDIS = "sqlite", "redis"


def kind(config: Config) -> str:
    """What carries the queue: SQLITE or REDIS."""
    return REDIS if config.queue_url else SQLITE


def create(app: Flask) -> Huey:
    """The application's own Huey: SQLite in its own file, or Redis when ``queue_url`` is set."""
    config: Config = app.config["HELPDESK"]
    huey = _huey(config, str(app.secret_key))

    def wake() -> None:
        """Run what is due, and set the alarm for what comes next."""
        with app.app_context():
            try:
                _leave_sign(config)
                runner.run_due()
                clock: AlarmClock | None = app.extensions.get(alarm.EXTENSION)
                if clock is not None:
                    clock.set(alarm.next_moment())
            finally:
                db.session.remove()

    run_due = huey.task(name="wake")(wake)
    huey.periodic_task(crontab(), name="sweep")(wake)
    huey.on_startup(name="catch-up")(wake)

    def nudge(at: datetime) -> None:
        # Asked for after the commit: whoever takes up the message that is there sees the row. A worker that is told
        # of what is due soon sets its alarm; what is later is found by the sweep of every minute.
        if at <= now() + alarm.AHEAD and not huey.storage.queue_size():
            run_due()

    app.extensions[EXTENSION] = huey
    app.extensions[WAKE] = wake
    app.extensions[ledger.NUDGE] = nudge
    return huey


def _huey(config: Config, secret: str) -> Huey:
    options: dict[str, Any] = {"results": False, "serializer": SignedJson(secret), "utc": True}
    if not config.queue_url:
        return SqliteHuey("helpdesk", filename=str(config.paths.queue), cache_mb=2, **options)
    # Imported only here: the driver costs memory that the embedded default does not need.
    from huey import PriorityRedisExpireHuey

    return PriorityRedisExpireHuey("helpdesk", url=config.queue_url, **options)


def _leave_sign(config: Config) -> None:
    try:
        config.paths.worker_sign.touch()
    except OSError:
        log.warning("The worker cannot write to the home.", exc_info=True)
