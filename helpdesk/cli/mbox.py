"""Files with many mails (RFC 4155), one mail after the other: such a file may be larger than the memory."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from helpdesk.core.channels.intake import MAX_SIZE

_BEGIN = b"From "
# What would look like the beginning of a mail has been quoted.
_QUOTED = re.compile(rb">+From ")
_LINE = 1024 * 1024


def mails(files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each mail of the files ("-" is standard input), with the file's name and its number in it.

    Of one that is larger than the desk takes in a little more than fits is read: enough to see that it does not.
    """
    for name in files:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as stream:
            for number, raw in enumerate(_split(stream), 1):
                yield f"{name}:{number}", raw


def _split(stream: BinaryIO) -> Iterator[bytes]:
    mail: bytearray | None = None
    # A mail begins at the beginning of the file, and after an empty line.
    after_empty, at_line_start = True, True
    while line := stream.readline(_LINE):
        if at_line_start and after_empty and line.startswith(_BEGIN):
            if mail is not None:
                yield _ended(mail)
            mail = bytearray()
        elif mail is None:
            # No such file; what stands before the first mark is one mail.
            mail = bytearray(line)
        elif len(mail) <= MAX_SIZE + 2:
            mail += line[1:] if at_line_start and _QUOTED.match(line) else line
        after_empty = at_line_start and line in (b"\n", b"\r\n")
        at_line_start = line.endswith(b"\n")
    if mail is not None:
        yield _ended(mail)


def _ended(mail: bytearray) -> bytes:
    """Without the empty line that belongs to the file."""
    for end in (b"\r\n\r\n", b"\n\n"):
        if mail.endswith(end):
            return bytes(mail[: -len(end) // 2])
    return bytes(mail)
