"""The page that mail providers post mail to: signed, or with the mailbox's secret; a yes means that it is kept."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import Response, request
from sqlalchemy import select
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from helpdesk.api import db, keep_incoming, machine_page
from helpdesk_email.blueprint import pages
from helpdesk_email.fetching import LARGEST
from helpdesk_email.models import Mailbox

log = logging.getLogger(__name__)

SIGNATURE = "Helpdesk-Signature"
# A signature is good for so long before and after its time.
_SECONDS = 300
# A mail as JSON, or in a form, is longer than the mail.
_LONGEST = LARGEST + LARGEST // 2
# What providers call the raw mail in a form or in JSON.
_FIELDS = (b"email", b"body-mime")
_JSON = "RawEmail"


@pages.post("/in/<address>")
@machine_page
def take_posted(address: str) -> tuple[Response, int]:
    """Keep a raw mail for one of our addresses: 202 when it is kept, 401, 413, 415, or 503 to have it sent again."""
    request.max_content_length = _LONGEST
    request.max_form_memory_size = _LONGEST
    account, secret, active = _mailbox(address)
    signature = request.headers.get(SIGNATURE, "")
    # An address that is not ours is answered like a wrong signature. Nothing is read from those who cannot be right.
    if not (_knows(secret) or (secret and _moment(signature))):
        return _refused()
    body = request.get_data(cache=False)
    if not (_knows(secret) or _has_signed(secret, body, signature)):
        return _refused()
    if not active:
        # A provider that is refused may drop the mail; this one comes again.
        return _later("The mailbox is paused.")
    try:
        raw = _raw(body)
    except HTTPException as error:
        return _answer(error.code or 400, error.description or "")
    if not raw.strip():
        return _answer(415, "There is no mail in it.")
    if len(raw) > LARGEST:
        return _answer(413, "The mail is larger than 35 MB.")
    try:
        keep_incoming("email", raw, account=account)
    except Exception:
        log.warning("A posted mail could not be kept; it is posted again.", exc_info=True)
        return _later("The desk cannot keep it now.")
    return _answer(202, "Kept.")


def _mailbox(address: str) -> tuple[str, str, bool]:
    """Address, secret and whether it is in use; all empty where there is none."""
    what = (Mailbox.address, Mailbox.secret, Mailbox.active)
    found = db.session.execute(select(*what).where(Mailbox.address == address.strip().lower())).one_or_none()
    # Nothing of the database is held while the network is waited for.
    db.session.rollback()
    return (found.address, found.secret, found.active) if found is not None else ("", "", False)


def sign(secret: str, body: bytes, moment: int) -> str:
    """The value of the header for a body that is posted at a moment (Unix time)."""
    told = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={told}"


def _has_signed(secret: str, body: bytes, header: str) -> bool:
    right = sign(secret, body, _moment(header)).rpartition("=")[2]
    return hmac.compare_digest(right.encode(), _parts(header).get("v1", "").encode()) and bool(secret)


def _moment(header: str) -> int:
    """When it was signed, if it is a signature and not too long ago; else 0."""
    parts = _parts(header)
    told = parts.get("t", "")
    if not (parts.get("v1") and told.isascii() and told.isdigit() and len(told) < 12):
        return 0
    return int(told) if abs(int(told) - time.time()) <= _SECONDS else 0


def _parts(header: str) -> Mapping[str, str]:
    return dict(part.strip().partition("=")[::2] for part in header.split(","))


def _knows(secret: str) -> bool:
    """By HTTP Basic, for providers that cannot sign: any user name, and the secret as password."""
    given = request.authorization.password if request.authorization is not None else None
    return hmac.compare_digest(secret.encode(), (given or "").encode()) and bool(secret)


def _raw(body: bytes) -> bytes:
    """The raw mail in what was posted. Raises what is to be answered."""
    kind = request.mimetype
    if kind in ("message/rfc822", "application/octet-stream"):
        return body
    if kind == "application/json":
        return _of_json(body)
    if kind == "multipart/form-data":
        found = _form(body, request.mimetype_params.get("boundary", ""))
    elif kind == "application/x-www-form-urlencoded":
        fields = parse_qsl(body.decode("latin-1"), encoding="latin-1")
        found = {name.encode("latin-1"): text.encode("latin-1") for name, text in fields}
    else:
        raise UnsupportedMediaType("Post message/rfc822, a form with the field email or body-mime, or JSON: RawEmail.")
    for name in _FIELDS:
        if found.get(name):
            return found[name]
    raise UnsupportedMediaType("The form has no field email or body-mime with the raw mail.")


def _of_json(body: bytes) -> bytes:
    try:
        found = json.loads(body)[_JSON]
        return str(found).encode() if isinstance(found, str) and found else b""
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise UnsupportedMediaType(f"The JSON has no text {_JSON} with the raw mail.") from None


def _form(body: bytes, boundary: str) -> Mapping[bytes, bytes]:
    """The fields that may hold a mail, byte for byte: those of the request itself are text, and mail need not be."""
    decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=None, max_parts=500)
    decoder.receive_data(body)
    decoder.receive_data(None)
    found: dict[bytes, bytearray] = {}
    part = bytearray()
    try:
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                part = found.setdefault((event.name or "").encode(), bytearray())
            elif isinstance(event, Data):
                part += event.data
    except (ValueError, RequestEntityTooLarge):
        raise UnsupportedMediaType("The form cannot be read.") from None
    return {name: bytes(data) for name, data in found.items()}


def _refused() -> tuple[Response, int]:
    answer, status = _answer(401, f"Sign the body in the header {SIGNATURE}, or send the mailbox's secret as password.")
    answer.headers["WWW-Authenticate"] = 'Basic realm="mail"'
    return answer, status


def _later(words: str) -> tuple[Response, int]:
    answer, status = _answer(503, words)
    answer.headers["Retry-After"] = "60"
    return answer, status


def _answer(status: int, words: str) -> tuple[Response, int]:
    return Response(json.dumps({"said": words}), mimetype="application/json"), status
