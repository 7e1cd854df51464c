"""Header fields as words: encoded words (RFC 2047), parameters (RFC 2231), message ids and dates (RFC 5322)."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from helpdesk_email import charsets

_ENCODED = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*+(?:\?(?!=)[^?]*+)*+)\?=")
_GAP = re.compile(r"\s*\Z")
_SPACES = re.compile(r"[ \t\r\n\v\f]+")
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))', re.DOTALL)
_ID = re.compile(r"<([^<>\s]{1,500})>")
_BARE_ID = re.compile(r"[^<>\s,;]{1,250}@[^<>\s,;]{1,250}")
MAX_IDENTITIES = 100
# Longer values are no names of anything.
_MAX_PARAMETER = 1_000
# The alphabet for addresses (RFC 4648, 5) is taken for the usual one.
_BASE64 = bytes.maketrans(b"-_", b"+/")
_NO_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))


@dataclass(frozen=True)
class Field:
    """A header with parameters: ``text/plain; charset=utf-8``."""

    value: str
    parameters: dict[str, str]


def raw_bytes(value: str) -> bytes:
    """A header or body as compat32 holds it (surrogates for bytes above ASCII) as the bytes that came in."""
    return value.encode("utf-8", "surrogateescape")


def words(value: str, hint: str = "") -> str:
    """``value`` as one line of text: encoded words read, raw bytes decoded, spaces collapsed. Never raises.

    Adjacent encoded words of one character set are decoded together: programs cut in the middle of a character.
    """
    pieces: list[str] = []
    waiting = b""
    waiting_charset = ""
    position = 0

    def flush() -> None:
        nonlocal waiting
        if waiting:
            pieces.append(charsets.decode(waiting, waiting_charset, hint)[0])
        waiting = b""

    for match in _ENCODED.finditer(value):
        between = value[position : match.start()]
        position = match.end()
        charset = match[1].split("*")[0].lower()
        if not (waiting and _GAP.match(between)):
            flush()
            pieces.append(_plain(between, hint))
        elif charset != waiting_charset:
            flush()
        waiting += _word_bytes(match[2], match[3])
        waiting_charset = charset
    flush()
    pieces.append(_plain(value[position:], hint))
    return _SPACES.sub(" ", charsets.clean("".join(pieces))).strip()


def unfolded(value: str) -> str:
    """``value`` on one line and otherwise as it came; what is no ASCII is replaced."""
    return _SPACES.sub(" ", charsets.clean(value.encode("ascii", "replace").decode("ascii"))).strip()


def field(value: str, hint: str = "") -> Field:
    """A header with parameters, continued and encoded ones put together (RFC 2231)."""
    head, semicolon, rest = value.partition(";")
    plain: dict[str, dict[int, tuple[str, bool]]] = {}
    extended: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(semicolon + rest):
        name, star, section = match[1].lower().partition("*")
        text = re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL) if match[2] is not None else match[3].strip()
        encoded = bool(star) and (section == "" or section.endswith("*"))
        number = int(section.rstrip("*")) if section.rstrip("*").isdecimal() and len(section) < 5 else 0
        # Programs write a parameter twice, plain for those that know no other way (RFC 6266, 4.3).
        (extended if star else plain).setdefault(name, {}).setdefault(number, (text, encoded))
    parameters = {name: _parameter(sections, hint) for name, sections in plain.items()}
    better = {name: _parameter(sections, hint) for name, sections in extended.items()}
    parameters |= {name: text for name, text in better.items() if text}
    return Field(_SPACES.sub("", charsets.clean(head)).lower(), parameters)


def identities(value: str) -> list[str]:
    """The message ids in a header, without their angle brackets, each once, in their order."""
    value = charsets.clean(value.encode("ascii", "replace").decode("ascii"))
    found = _ID.findall(value) or _BARE_ID.findall(value)
    return list(dict.fromkeys(found))[-MAX_IDENTITIES:]


def moment(value: str) -> datetime | None:
    """A Date header in UTC, or None when it is none."""
    try:
        found = parsedate_to_datetime(value.encode("ascii", "replace").decode("ascii")[:200])
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        found = found.astimezone(UTC)
        return found if 1900 <= found.year <= 2100 else None
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _plain(text: str, hint: str) -> str:
    if text.isascii():
        return text
    return charsets.decode(raw_bytes(text), "", hint)[0]


def _word_bytes(encoding: str, text: str) -> bytes:
    data = raw_bytes(text)
    if encoding in "qQ":
        return binascii.a2b_qp(data.replace(b" ", b"_"), header=True)
    return unbase64(data)


def base64_letters(data: bytes) -> bytes:
    """The letters of base64 in ``data``, without what is foreign among them."""
    return data.translate(_BASE64, _NO_BASE64)


def unbase64(data: bytes) -> bytes:
    """Base64 with whatever is missing or foreign in it (RFC 2045, 6.8)."""
    data = base64_letters(data)
    if len(data) % 4 == 1:
        data = data[:-1]
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4) if len(data) % 4 else data)
    except (binascii.Error, ValueError):
        return b""


def _parameter(sections: dict[int, tuple[str, bool]], hint: str) -> str:
    if not any(encoded for _text, encoded in sections.values()):
        joined = "".join(sections[number][0] for number in sorted(sections))
        return words(joined[:_MAX_PARAMETER], hint)
    data, charset = b"", ""
    for position, number in enumerate(sorted(sections)):
        text, encoded = sections[number]
        if encoded and position == 0 and text.count("'") >= 2:
            charset, _language, text = text.split("'", 2)
        data += unquote_to_bytes(raw_bytes(text)) if encoded else raw_bytes(text)
    return _SPACES.sub(" ", charsets.decode(data[: _MAX_PARAMETER * 4], charset, hint)[0]).strip()
