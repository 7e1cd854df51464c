"""What stands for a mail that could not be taken in: nobody is lost, and people see why."""

import base64
import re
from email.message import EmailMessage
from email.policy import SMTP

from helpdesk.api import gettext as _

# A line that begins with a blank goes on with the field above it.
_FIELD = re.compile(rb"\r?\n(?![ \t])")
# What says how the body is to be read; the body is another one now.
_SHAPE = re.compile(rb"(content-|mime-version)[^:]*:", re.IGNORECASE)
_LONGEST = 64 * 1024


def too_large(head: bytes, size: int) -> bytes:
    """The mail of this header, with words in place of what it holds."""
    words = _(
        "This mail has %(size)s MB. It is larger than the desk takes in (35 MB) and was left on the mail server.",
        size=-(-size // (1024 * 1024)),
    )
    fields = [field for field in _FIELD.split(head[:_LONGEST]) if b":" in field and not _SHAPE.match(field)]
    fields += [b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: base64"]
    return b"\r\n".join([*fields, b"", base64.encodebytes(words.encode()).replace(b"\n", b"\r\n")])


def unreadable(address: str, place: str, reason: str) -> bytes:
    """For a mail of which the server gives nothing: without a sender, so that people look at it."""
    mail = EmailMessage(SMTP)
    mail["Subject"] = _("A mail to %(address)s could not be fetched", address=address)
    mail.set_content(
        _("The mail server keeps it and does not give it out: %(reason)s (%(place)s)", reason=reason, place=place)
    )
    return mail.as_bytes()
