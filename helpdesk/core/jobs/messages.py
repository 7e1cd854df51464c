"""What travels in Huey's queue: signed JSON, and a place for what we did not write."""

import base64
import hashlib
import hmac
import json
import logging
from datetime import datetime
from typing import Any

from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy import func, select

from helpdesk.core.extensions import db
from helpdesk.core.models import QuarantinedMessage
from helpdesk.core.transaction import transaction

log = logging.getLogger(__name__)

_SIGNATURE = hashlib.sha256().digest_size
# A wake-up has some 300 bytes.
_LARGEST = 16_384
# So much of a message is kept, and so many messages: whoever can write into the queue shall not fill the disk.
_KEPT_BYTES = 3_000
_KEPT = 1_000


class Unverified(Exception):
    """A queue message that we did not write; the text says what is wrong with it."""


class SignedJson(Serializer):
    """Huey's messages as JSON with HMAC-SHA-256 in front: a forged row in the queue runs nothing (never pickle).

    Size first, then the signature; nothing of a message is read before both are right.
    """

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._key = hashlib.sha256(b"helpdesk queue:" + secret.encode()).digest()

    def _serialize(self, data: Any) -> bytes:
        fields = data._asdict() if isinstance(data, Message) else {"value": data}
        body = json.dumps(fields, default=_encode).encode()
        return hmac.new(self._key, body, hashlib.sha256).digest() + body

    def _deserialize(self, data: bytes) -> Any:
        data = bytes(data)
        if len(data) > _LARGEST:
            raise Unverified(f"It is larger than {_LARGEST} bytes.")
        if len(data) <= _SIGNATURE:
            raise Unverified("It is too short to carry a signature.")
        signature, body = data[:_SIGNATURE], data[_SIGNATURE:]
        if not hmac.compare_digest(signature, hmac.new(self._key, body, hashlib.sha256).digest()):
            raise Unverified("It does not carry our signature.")
        try:
            fields = json.loads(body, object_hook=_decode)
            return fields["value"] if "value" in fields else Message(**fields)
        except (ValueError, TypeError) as error:
            raise Unverified("It carries our signature, but is no message of this version.") from error


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$at": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot travel in the queue")


def _decode(value: dict[str, Any]) -> Any:
    return datetime.fromisoformat(value["$at"]) if set(value) == {"$at"} else value


def put_aside(queue: str, data: bytes, reason: str) -> None:
    """Keep a message that cannot be used, for whoever looks into it. Opens a transaction; never raises."""
    log.warning("A message in the queue was put aside: %s", reason)
    try:
        with transaction():
            if (db.session.scalar(select(func.count()).select_from(QuarantinedMessage)) or 0) >= _KEPT:
                return
            kept = base64.b64encode(bytes(data[:_KEPT_BYTES])).decode()
            db.session.add(QuarantinedMessage(queue=queue, data=kept, size=len(data), reason=reason))
    except Exception:
        # The queue behind it goes on.
        log.exception("It could not be kept.")
