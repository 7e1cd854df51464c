"""Signed and encrypted mail (S/MIME, RFC 8551; OpenPGP, RFC 3156): read where it can be, labelled, never checked."""

import re
from dataclasses import dataclass

from helpdesk.api import gettext as _
from helpdesk_email.headers import Field

SIGNATURES = {
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
}
ENVELOPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
# ContentInfo's signedData and data (RFC 5652, 5.1 and 4), as they are encoded.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_OCTETS, _EXPLICIT = 0x04, 0xA0
_MAX_DEPTH = 8
_ENCRYPTED = re.compile(
    r"^-----BEGIN PGP MESSAGE-----[ \t]*\n.*?(?:^-----END PGP MESSAGE-----[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z-]{1,40}: [^\n]*\n)*\n?(?P<text>.*?)"
    r"^(?P<signature>-----BEGIN PGP SIGNATURE-----[ \t]*\n.*?(?:^-----END PGP SIGNATURE-----[ \t]*$|\Z))",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Armour:
    """A text without its OpenPGP armour: what is written, what was armour (to be attached), and the sentence on it."""

    text: str
    files: list[tuple[str, str]]
    note: str


def signed_note(kind: str) -> str:
    """The sentence on a signed mail; ``kind`` is the type of its signature."""
    if "pgp" in kind:
        return _("This message is signed with PGP. The signature is attached and was not checked.")
    return _("This message is signed with S/MIME. The signature is attached and was not checked.")


def encrypted_note(kind: str) -> str:
    """The sentence on an encrypted mail; ``kind`` is the type of what is encrypted."""
    if "pgp" in kind:
        return _("This message is encrypted with PGP and cannot be read here. Its parts are attached.")
    return _("This message is encrypted with S/MIME and cannot be read here. Its parts are attached.")


def without_armour(text: str) -> Armour | None:
    """A text that carries OpenPGP inside (RFC 9580, 6 and 7); None for one that does not."""
    if match := _SIGNED.search(text):
        inner = re.sub(r"^- ", "", match["text"], flags=re.MULTILINE)
        written = f"{text[: match.start()]}{inner}{text[match.end() :]}".strip("\n")
        return Armour(written, [("signature.asc", match["signature"])], signed_note("pgp"))
    if match := _ENCRYPTED.search(text):
        written = f"{text[: match.start()]}{text[match.end() :]}".strip("\n")
        return Armour(written, [("encrypted.asc", match[0])], encrypted_note("pgp"))
    return None


def opaque(kind: Field, data: bytes) -> bytes | None:
    """The mail inside an S/MIME envelope that is signed only; None where it is encrypted or broken."""
    if kind.parameters.get("smime-type", "signed-data").lower() != "signed-data":
        return None
    try:
        return _signed_content(data)
    except (IndexError, ValueError):
        return None


def _signed_content(data: bytes) -> bytes | None:
    """The content of a SignedData. Only its frame is read: no certificate, no signature."""
    head = data.find(_SIGNED_DATA, 0, 64)
    inner = data.find(_DATA, head, head + 4_096) if head >= 0 else -1
    if inner < 0:
        return None
    position = inner + len(_DATA)
    tag, position, _end = _header(data, position)
    if tag != _EXPLICIT:
        return None
    return b"".join(_octets(data, position, 0)[0])


def _octets(data: bytes, position: int, depth: int) -> tuple[list[bytes], int]:
    """The pieces of an octet string, which may be written in several (X.690, 8.7)."""
    tag, begin, end = _header(data, position)
    if tag & 0x1F != _OCTETS or depth > _MAX_DEPTH:
        raise ValueError
    if not tag & 0x20:
        if end is None:
            raise ValueError
        return [data[begin:end]], end
    pieces: list[bytes] = []
    position = begin
    while position < (len(data) if end is None else end):
        if end is None and data[position : position + 2] == b"\0\0":
            return pieces, position + 2
        more, position = _octets(data, position, depth + 1)
        pieces += more
    return pieces, position


def _header(data: bytes, position: int) -> tuple[int, int, int | None]:
    """Tag, beginning and end of a value; the end is None where only an end mark tells (X.690, 8.1.3.6)."""
    tag, length = data[position], data[position + 1]
    begin = position + 2
    if length == 0x80:
        return tag, begin, None
    if length & 0x80:
        count = length & 0x7F
        if count > 4:
            raise ValueError
        length = int.from_bytes(data[begin : begin + count], "big")
        begin += count
    return tag, begin, begin + length
