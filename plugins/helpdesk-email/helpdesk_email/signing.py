"""DKIM (RFC 6376): our own signature under each mail, where the owner wants it and the mail server makes none."""

import logging
from dataclasses import replace

from helpdesk.api import gettext as _
from helpdesk.api import settings
from helpdesk_email.settings import OutgoingSettings
from helpdesk_email.smtp import Parcel

log = logging.getLogger(__name__)

_RELAXED = (b"relaxed", b"relaxed")
# What people and programs act on (RFC 6376, 5.4.1; RFC 8058, 4). One that is not in the mail is left out.
_HEADERS = (
    b"from to cc reply-to subject date message-id in-reply-to references mime-version content-type "
    b"content-transfer-encoding content-language auto-submitted list-unsubscribe list-unsubscribe-post"
).split()


def signed(parcel: Parcel) -> Parcel:
    """The mail with a signature above it. A key that cannot be used is logged, and the mail goes without."""
    configured = settings(OutgoingSettings)
    if not configured.dkim_domain:
        return parcel
    try:
        return replace(parcel, content=_signature(parcel.content, configured) + parcel.content)
    except Exception as error:  # noqa: BLE001 - dkimpy raises many kinds for what is wrong with a key
        log.error("Mail leaves without a DKIM signature: %s", type(error).__name__)
        return parcel


def problem() -> str:
    """Why mail is not signed although it should be, as a sentence; "" when all is well or nothing is to be signed."""
    configured = settings(OutgoingSettings)
    if not configured.dkim_domain:
        return ""
    if not configured.dkim_selector or not configured.dkim_key:
        return _("Mail is not signed: selector or private key is missing.")
    try:
        _signature(b"From: a@b.example\r\n\r\nTest\r\n", configured)
    except Exception:  # noqa: BLE001 - as above
        return _("Mail is not signed: the private key for DKIM cannot be read. It must be an RSA key in PEM form.")
    return ""


def _signature(content: bytes, configured: OutgoingSettings) -> bytes:
    # With dnspython, which takes a third of a second and 10 MB: only where mail is signed.
    import dkim

    # Pasted into one line, a key has the characters \n where its lines end.
    key = configured.dkim_key.replace("\\n", "\n").replace("\r", "").strip()
    present = {line.split(b":")[0].strip().lower() for line in _head(content) if line[:1] not in b" \t"}
    return bytes(
        dkim.sign(
            content,
            configured.dkim_selector.encode("ascii"),
            configured.dkim_domain.encode("ascii"),
            key.encode("ascii"),
            canonicalize=_RELAXED,
            # From once more than it is there, so that nobody adds a second one (RFC 6376, 8.15).
            include_headers=[*(name for name in _HEADERS if name in present), b"from"],
        )
    )


def _head(content: bytes) -> list[bytes]:
    return content.partition(b"\r\n\r\n")[0].split(b"\r\n")
