"""Files inside a mail, and the transfer encodings that they travel in."""

import base64
import binascii
import hashlib
import quopri
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from helpdesk_email import headers
from helpdesk_email.limits import Part

MAX_NAME = 120
_BIT = 1024 * 1024
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_PERCENTS = re.compile(r"%[89A-F][0-9A-F]", re.IGNORECASE)
_EXTENSIONS = {
    "application/ics": ".ics",
    "application/ms-tnef": ".dat",
    "application/pdf": ".pdf",
    "application/pgp-encrypted": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "message/delivery-status": ".txt",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/vcard": ".vcf",
}


@dataclass(frozen=True)
class MailFile:
    """A file that came with a mail. ``inline``: meant to be seen inside the text, by its content id."""

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str | None = None
    inline: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
            "content_id": self.content_id,
        }


def content_type(part: Part) -> headers.Field:
    """The Content-Type of a part, with the default of RFC 2045, 5.2 where there is none that makes sense."""
    if part.kind is None:
        part.kind = _content_type(part)
    kind: headers.Field = part.kind
    return kind


def _content_type(part: Part) -> headers.Field:
    found = headers.field(part.header("Content-Type"))
    if _TYPE.fullmatch(found.value):
        return found
    value = "text/plain" if not found.value or found.value == "text" else "application/octet-stream"
    return headers.Field(value, found.parameters)


def disposition(part: Part) -> headers.Field:
    """The Content-Disposition of a part (RFC 2183); an empty value where there is none."""
    return headers.field(part.header("Content-Disposition"))


def file_of(part: Part, hint: str = "") -> MailFile:
    """A part as a file."""
    kind = content_type(part)
    data = original(part) if kind.value.startswith("message/") else payload(part)
    identity = _content_id(part)
    shown = disposition(part)
    inline = identity is not None and shown.value != "attachment"
    return MailFile(file_name(part, kind, hint), kind.value, data, identity, inline)


def _content_id(part: Part) -> str | None:
    """The Content-ID without its brackets; programs leave out the brackets, or all but a word."""
    value = part.header("Content-ID")
    found = next(iter(headers.identities(value)), None) or headers.words(value).strip("<>")
    return found if found and len(found) <= 500 and " " not in found else None


def file_name(part: Part, kind: headers.Field, hint: str = "") -> str:
    """A name that is safe to show and to offer for download: no path, no invisible letters, not too long."""
    declared = headers.field(part.header("Content-Disposition"), hint).parameters.get("filename", "")
    declared = declared or headers.field(part.header("Content-Type"), hint).parameters.get("name", "")
    if not declared and kind.value == "message/rfc822":
        inside = part.children()
        declared = headers.words(inside[0].header("Subject"), hint) if inside else ""
        declared = f"{declared}.eml" if declared else ""
    return safe_name(_without_percents(declared)) or "attachment" + _EXTENSIONS.get(kind.value, "")


def _without_percents(name: str) -> str:
    """A name that was encoded as in an address (RFC 3986), although nothing says so."""
    if not _PERCENTS.search(name):
        return name
    data = unquote_to_bytes(name.encode())
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return name


def safe_name(name: str) -> str:
    """``name`` without path, control, invisible and direction-changing letters; "" when nothing is left."""
    name = re.split(r"[/\\]", name)[-1] if not name.endswith(".eml") else re.sub(r"[/\\]", "-", name)
    name = "".join(
        letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    )
    name = re.sub(r'[<>:"|?*]', "-", " ".join(name.split())).strip(". ")
    if len(name) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        return name[:MAX_NAME]
    return f"{stem[: MAX_NAME - len(extension) - 1]}.{extension}"


def payload(part: Part) -> bytes:
    """The body of a part with its transfer encoding undone (RFC 2045, 6); what is broken is taken as it is."""
    encoding = part.header("Content-Transfer-Encoding").strip().strip("\"';").split(";")[0].strip().lower()
    if encoding == "base64":
        return _unbase64(part.body())
    data = headers.raw_bytes(part.body())
    if encoding == "quoted-printable":
        return quopri.decodestring(data)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uudecode(data)
    return data


def _unbase64(body: str) -> bytes:
    """Bit by bit, so that a large file is not in memory several times."""
    decoded, rest = [], b""
    for position in range(0, len(body), _BIT):
        rest += headers.base64_letters(headers.raw_bytes(body[position : position + _BIT]))
        whole = len(rest) - len(rest) % 4
        decoded.append(base64.b64decode(rest[:whole]))
        rest = rest[whole:]
    return b"".join([*decoded, headers.unbase64(rest)])


def original(part: Part) -> bytes:
    """An enclosed mail or report as it came, as far as that is still known."""
    return headers.raw_bytes("\n".join(map(_source, part.children())) or part.body())


def _source(part: Part) -> str:
    """A part written again. The package's own writer raises on headers that its reader took."""
    head = "".join(f"{name}: {value}\n" for name, value in part.raw_items())
    children = [_source(child) for child in part.children()]
    boundary = content_type(part).parameters.get("boundary", "")
    if not children:
        return f"{head}\n{part.body()}"
    if not boundary:
        return f"{head}\n" + "\n".join(children)
    parts = "".join(f"\n--{boundary}\n{child}" for child in children)
    return f"{head}\n{part.preamble or ''}{parts}\n--{boundary}--\n{part.epilogue or ''}"


def _uudecode(data: bytes) -> bytes:
    """Uuencoded lines; one that is broken gives what can be read of it."""
    decoded = []
    begun = False
    for line in data.splitlines():
        if line.startswith(b"begin ") and not begun:
            begun = True
        elif line.strip() == b"end":
            break
        elif begun and line:
            decoded.append(_uu_line(line))
    return b"".join(decoded) if begun else data


def _uu_line(line: bytes) -> bytes:
    # Programs leave rubbish behind a line: its first letter says how much of it counts.
    counted = line[: (((line[0] - 32) & 63) * 4 + 5) // 3]
    for attempt in (line, counted):
        with suppress(binascii.Error):
            return binascii.a2b_uu(attempt)
    return b""
