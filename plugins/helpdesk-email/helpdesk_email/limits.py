"""How much of a mail is looked at, and the MIME structure read within those bounds."""

import re
from email.errors import MessageError
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import compat32
from typing import Any

from helpdesk.api import gettext as _

MAX_SIZE = 35 * 1024 * 1024
MAX_HEADER_LINES = 1_000
MAX_HEADER = 64 * 1024
# Parameters are taken apart by the standard library in a time that grows with the square of their number.
MAX_CONTENT_HEADER = 8 * 1024
MAX_DEPTH = 30
MAX_PARTS = 500
MAX_TEXT = 5 * 1024 * 1024
# Above this an HTML body is shown by its text alone: building its tree would take seconds.
MAX_HTML = 2 * 1024 * 1024
MAX_RECIPIENTS = 500
# Above these a text is read in a process of its own.
QUICK_TEXT = 256 * 1024
QUICK_HTML = 256 * 1024
# Read of a mail that is too large for the rest.
_HEAD = 256 * 1024
_BIT = 64 * 1024


_BEFORE = re.compile(rb"\A(?:[ \t]*\r?\n)*>?(?:From (?![ \t]*:)[^\n]*\n)?")
_BLANK = re.compile(rb"\n\r*\n")
_FIELD = re.compile(rb"[!-9;-~]{1,200}:")
_SPACED = re.compile(rb"([!-9;-~]{1,80})[ \t]{1,80}:")
_KNOWN = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|content-type|mime-version|reply-to|return-path|received)[ \t]*:", re.I
)


class Suspicious(Exception):
    """A mail asks for more than a process that others wait for may spend on it (apart.py)."""


class _Enough(MessageError):
    """A bound is reached; what was read so far is kept."""


class Budget:
    """Counts what a mail has used up, and says in a sentence what was left out."""

    def __init__(self) -> None:
        self.parts = 0
        self.problems: list[str] = []

    def say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def part(self, **arguments: Any) -> "Part":
        """The factory that the parser calls for each part."""
        if self.parts >= MAX_PARTS:
            self.say(_("It has more than %(limit)s parts; the rest was not read.", limit=MAX_PARTS))
            raise _Enough
        self.parts += 1
        return Part(self, **arguments)


class Part(Message):
    """One part of a mail, which keeps no more headers and goes no deeper than the bounds allow."""

    def __init__(self, budget: Budget, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.budget = budget
        self.depth = 0
        # Its Content-Type, once it was understood (attachments.content_type).
        self.kind: Any = None
        self._lines = 0

    def set_raw(self, name: str, value: Any) -> None:
        self._lines += 1 + value.count("\n")
        if self._lines > MAX_HEADER_LINES:
            self.budget.say(
                _("It has more than %(limit)s header lines; the rest was left out.", limit=MAX_HEADER_LINES)
            )
            return
        limit = MAX_CONTENT_HEADER if name.lower().startswith("content-") else MAX_HEADER
        if len(value) > limit:
            self.budget.say(_("The header “%(name)s” is too long and was cut.", name=name[:60]))
            value = value[:limit]
        super().set_raw(name, value)

    def attach(self, payload: Any) -> None:
        payload.depth = self.depth + 1
        if payload.depth > MAX_DEPTH:
            self.budget.say(_("Its parts are nested deeper than %(limit)s; the rest was not read.", limit=MAX_DEPTH))
            raise _Enough
        super().attach(payload)

    def header(self, name: str) -> str:
        """The first header of that name as it came in (bytes above ASCII as surrogates), or ""."""
        wanted = name.lower()
        return next((str(value) for key, value in self.raw_items() if key.lower() == wanted), "")

    def all_headers(self, *names: str) -> list[str]:
        """Every header of those names, as they came in, in the order of the names."""
        wanted = [name.lower() for name in names]
        items = [(key.lower(), str(value)) for key, value in self.raw_items()]
        return [value for name in wanted for key, value in items if key == name]

    def children(self) -> "list[Part]":
        payload = self._payload  # type: ignore[attr-defined]
        return [part for part in payload if isinstance(part, Part)] if isinstance(payload, list) else []

    def body(self) -> str:
        """The undecoded body as it came in."""
        payload = self._payload  # type: ignore[attr-defined]
        return payload if isinstance(payload, str) else ""


def read(raw: bytes) -> tuple[Part, list[str], str | None]:
    """The structure of a mail, what was left out, and why it cannot be used at all (None: it can).

    Never raises. ``email.policy.compat32`` is the only policy that takes every mail of the world.
    """
    budget = Budget()
    refused = None
    if len(raw) > MAX_SIZE:
        refused = _("The message is larger than %(limit)s MB.", limit=MAX_SIZE // 1024 // 1024)
        budget.say(refused)
        raw = raw[:_HEAD]
    made: list[Part] = []

    def factory(**arguments: Any) -> Part:
        part = budget.part(**arguments)
        made.append(part)
        return part

    try:
        # Bit by bit: at once it would take four bytes of memory for each letter.
        parser = BytesFeedParser(factory, policy=compat32)
        raw = _mended(raw)
        for position in range(0, len(raw), _BIT):
            parser.feed(raw[position : position + _BIT])
        return parser.close(), budget.problems, refused  # type: ignore[return-value]
    except _Enough:
        pass
    except (MessageError, ValueError, LookupError, RecursionError, AttributeError, TypeError) as error:
        budget.say(_("Its structure could not be read completely (%(error)s).", error=type(error).__name__))
    # The parser tries its factory once before it reads anything.
    return (made[1] if len(made) > 1 else Part(budget, policy=compat32)), budget.problems, refused


def _mended(raw: bytes) -> bytes:
    """Without what a mail store may put before the first header, and with lines in the header that are none put right.

    Obsolete syntax has spaces before the colon (RFC 5322, 4.5.8). A stray line ends the header for every parser,
    although From and Subject stand below it: it becomes part of the line above.
    """
    before = _BEFORE.match(raw)
    # Where nothing stands before it, it stays the same object: a copy of a large mail is as large.
    raw = raw[before.end() :] if before is not None else raw
    end = _BLANK.search(raw, 0, _HEAD)
    head = raw[: end.start()] if end else b""
    if not head:
        return raw
    lines = head.split(b"\n")
    known = [index for index, line in enumerate(lines) if _KNOWN.match(line)]
    last = known[-1] if known else 0
    for index, line in enumerate(lines[: last + 1]):
        if line[:1] in b" \t" or _FIELD.match(line) or not line.strip():
            continue
        spaced = _SPACED.match(line)
        lines[index] = (
            spaced[1] + line[spaced.end() - 1 :] if spaced else (b" " + line if index else b"X-Stray: " + line)
        )
    mended = b"\n".join(lines)
    return raw if mended == head else mended + raw[len(head) :]
