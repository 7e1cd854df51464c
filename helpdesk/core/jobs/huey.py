"""The bridge to Huey: it carries a nudge and keeps the minute; what to do stands in the ledger."""

import hashlib
import hmac
import json
import logging
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from huey import Huey, SqliteHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, runner

log = logging.getLogger(__name__)

EXTENSION = "helpdesk.huey"
_LARGEST = 16_384


class Unverified(Exception):
    """A queue message that we did not write; it is dropped, the ledger knows what is due."""


class SignedJson(Serializer):
    """Huey's messages as JSON with HMAC-SHA-256 in front: a forged row in the queue runs nothing (never pickle)."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._key = hashlib.sha256(b"helpdesk queue:" + secret.encode()).digest()

    def _serialize(self, data: Any) -> bytes:
        fields = data._asdict() if isinstance(data, Message) else {"value": data}
        body = json.dumps(fields, default=_encode).encode()
        return hmac.new(self._key, body, hashlib.sha256).digest() + body

    def _deserialize(self, data: bytes) -> Any:
        data = bytes(data)
        signature, body = data[:32], data[32:]
        if len(data) > _LARGEST or not hmac.compare_digest(
            signature, hmac.new(self._key, body, hashlib.sha256).digest()
        ):
            raise Unverified("A message in the queue does not carry our signature.")
        fields = json.loads(body, object_hook=_decode)
        return fields["value"] if "value" in fields else Message(**fields)


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$at": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot travel in the queue")


def _decode(value: dict[str, Any]) -> Any:
    return datetime.fromisoformat(value["$at"]) if set(value) == {"$at"} else value


def _leave_sign(config: Config) -> None:
    try:
        config.paths.worker_sign.touch()
    except OSError:
        log.warning("The worker cannot write to the home.", exc_info=True)


def create(app: Flask) -> Huey:
    """The application's own Huey: SQLite in its own file, or Redis when ``queue_url`` is set."""
    config: Config = app.config["HELPDESK"]
    options: dict[str, Any] = {"results": False, "serializer": SignedJson(str(app.secret_key)), "utc": True}
    if config.queue_url:
        # Imported only here: the driver costs memory that the embedded default does not need.
        from huey import PriorityRedisExpireHuey

        huey: Huey = PriorityRedisExpireHuey("helpdesk", url=config.queue_url, **options)
    else:
        huey = SqliteHuey("helpdesk", filename=str(config.paths.queue), cache_mb=2, **options)

    def wake() -> None:
        with app.app_context():
            try:
                _leave_sign(config)
                runner.run_due()
            finally:
                db.session.remove()

    run_due = huey.task(name="wake")(wake)
    huey.periodic_task(crontab(), name="sweep")(wake)
    huey.on_startup(name="catch-up")(wake)

    def nudge(at: datetime) -> None:
        if at <= now() + timedelta(milliseconds=500):
            run_due()
        else:
            run_due.schedule(eta=at)

    app.extensions[EXTENSION] = huey
    app.extensions[ledger.NUDGE] = nudge
    return huey
