"""What Outlook packs into ``winmail.dat`` (MS-OXTNEF): its text and its files.

Counts and lengths inside are believed by the library that reads it: a hostile one is read in a process of its own only
(apart.py), which has its time and memory.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from helpdesk_email import charsets

TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
MAX_FILES = 100
_SIGNATURE = b"\x78\x9f\x3e\x22"
# Each piece is cut off the rest of the bytes: their number times the size is the work.
_MAX_WORK = 3_000_000_000
_SMALLEST = 12
# PidTagAttachLongFilename; PidTagAttachContentId, by which its HTML names a picture.
_LONG_NAME, _CONTENT_ID = 0x3707, 0x3712


@dataclass(frozen=True)
class Unpacked:
    """The text ("" where there is none), the HTML, and the files as (name, content id, bytes)."""

    text: str = ""
    html: str = ""
    files: list[tuple[str, str, bytes]] = field(default_factory=list)


def unpack(data: bytes) -> Unpacked | None:
    """What is inside, or None when it cannot be read."""
    pieces = _pieces(data) if data.startswith(_SIGNATURE) else None
    if pieces is None or pieces * len(data) > _MAX_WORK:
        return None
    from tnefparse import TNEF  # only for mail that needs it

    logging.getLogger("tnefparse").disabled = True
    try:
        read = TNEF(data, do_checksum=False)
        files = [_file(attached) for attached in read.attachments[:MAX_FILES]]
        return Unpacked(_text(read.body), _text(read.htmlbody), [file for file in files if file[2]])
    except Exception:  # noqa: BLE001 - a library that meets bytes of anybody
        return None


def _pieces(data: bytes) -> int | None:
    """How many pieces it says it has; None when the last one is cut."""
    position, count = 6, 0
    while position + _SMALLEST < len(data):
        position += 11 + int.from_bytes(data[position + 5 : position + 9], "little")
        count += 1
    return count if position <= len(data) else None


def _file(attached: Any) -> tuple[str, str, bytes]:
    said = {one.name: one.data for one in attached.mapi_attrs if one.name in (_LONG_NAME, _CONTENT_ID)}
    # The library's own way to the short name raises on letters that are not UTF-8.
    name = _text(said.get(_LONG_NAME)) or _text(attached._name)
    return name, _text(said.get(_CONTENT_ID)), bytes(_joined(attached.data))


def _joined(value: Any) -> bytes:
    return b"".join(value) if isinstance(value, list) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return charsets.clean(value.strip("\0"))
    return charsets.decode(bytes(_joined(value)).strip(b"\0"))[0]
