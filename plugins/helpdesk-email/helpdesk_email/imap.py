"""IMAP (RFC 3501, 9051), also of servers that know neither UIDPLUS nor MOVE."""

import imaplib
import re
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.consts import SHORT_MONTH_NAMES
from imap_tools.errors import MailboxFetchError, MailboxFolderCreateError, MailboxUidsError
from imap_tools.utils import check_command_status, encode_folder

from helpdesk.api import gettext as _
from helpdesk_email.access import AccessFailed, Source, check_protection, context, refused
from helpdesk_email.broken import BROKEN, said
from helpdesk_email.models import DELETE, MOVE
from helpdesk_email.settings import NONE, TLS

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_BODY, _HEADER = "(UID BODY.PEEK[])", "(UID BODY.PEEK[HEADER])"
# Short texts may come in quotes in place of a literal (RFC 3501, 4.3). NIL is neither: there is no text.
_QUOTED = re.compile(rb'\bBODY\[(?:HEADER)?\] "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb"\\(.)")
# So many numbers in one command: servers limit the length of a line.
_AT_ONCE = 200
# So often mails are settled of which another program takes some away at the same time.
_SETTLES = 10
# Reads of nothing one after the other, when something was said to be there.
_SILENT = 3


class Imap:
    """A line to a mailbox, with its folder open."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._box = _connected(source)
        try:
            _sign_in(self._box, source)
            self._select()
            self.epoch = source.epoch(self._uidvalidity())
        except BaseException:
            self.close()
            raise

    @property
    def can_idle(self) -> bool:
        """Whether the server says by itself that mail has come."""
        return "IDLE" in self._box.client.capabilities

    def hears(self, stop: threading.Event, seconds: float, step: float) -> bool:
        """Wait for the server's word that mail has come; False when it has said nothing of the kind, or ``stop`` is set
        (looked at after each ``step``).
        """
        ends_at = time.monotonic() + seconds
        silent = 0
        with self._box.idle as idle:
            while not stop.is_set() and (begun := time.monotonic()) < ends_at:
                lines = idle.poll(timeout=step)
                if any(line.endswith((b" EXISTS", b" RECENT")) for line in lines):
                    return True
                # A line that is closed can be read at any time, and nothing comes.
                silent = 0 if lines or time.monotonic() - begun > step / 2 else silent + 1
                if silent > _SILENT:
                    raise EOFError
        return False

    def waiting(self, after: int = 0) -> list[int]:
        """The numbers of the mails that came after one, oldest first."""
        # What has come since the folder was opened is told with the answer to any command.
        self._box.client.noop()
        result = self._box.client.uid("SEARCH", f"UID {after + 1}:*")
        check_command_status(result, MailboxUidsError)
        # A range with a star always has the last mail, even one that came before.
        told = b" ".join(line for line in result[1] if line)
        return sorted({number for number in map(int, told.split()) if number > after})

    def came_since(self, moment: datetime) -> set[int]:
        """The numbers of the mails that the server has had since then; it compares whole days, in a zone of its own."""
        day = moment - timedelta(days=1)
        result = self._box.client.uid("SEARCH", f"SINCE {day.day}-{SHORT_MONTH_NAMES[day.month - 1]}-{day.year}")
        check_command_status(result, MailboxUidsError)
        found = set()
        for some in _parts([*map(int, b" ".join(line for line in result[1] if line).split())]):
            for text, _literal in self._fetch(some, "(UID INTERNALDATE)"):
                uid, came = _UID.search(text), imaplib.Internaldate2tuple(text)
                # When it does not say, it is not left out.
                if uid and (came is None or time.mktime(came) >= moment.timestamp()):
                    found.add(int(uid[1]))
        return found

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """How large mails are, in octets; those that are gone are left out."""
        found = {}
        for some in _parts(uids):
            for text, _literal in self._fetch(some, "(UID RFC822.SIZE)"):
                uid, size = _UID.search(text), _SIZE.search(text)
                if uid and size:
                    found[int(uid[1])] = int(size[1])
        return found

    def still_there(self, uids: Sequence[int]) -> set[int]:
        """Which mails are there at this moment."""
        # What others have deleted meanwhile is told with the answer to any command.
        self._box.client.noop()
        return set(self.sizes(uids))

    def read(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The raw mails; those that are gone are left out. Nothing is flagged."""
        return self._literals(uids, _BODY)

    def head(self, uid: int) -> bytes:
        """The header of one mail alone."""
        return self._literals([uid], _HEADER).get(uid, b"")

    def place(self, uid: int) -> str:
        """What names a mail for good."""
        return f"{self._source.id}:{self.epoch}:{uid}"

    def settle(self, uids: Sequence[int]) -> None:
        """Do with mails that are kept here what the owner wants: flag, move, or delete them on the server."""
        for some in _parts(uids):
            self._settle_those_there(some)

    def close(self) -> None:
        """Let go of the line; what the server says to that changes nothing."""
        with suppress(*BROKEN):
            self._box.logout()
        with suppress(OSError):
            self._box.client.shutdown()

    # ---- after a mail is kept

    def _settle_those_there(self, uids: Sequence[int]) -> None:
        """Another program may take some of them away at the same time: then the rest, so long as there is one."""
        for turn in range(_SETTLES):
            try:
                return self._settle(uids)
            except MailboxFetchError as error:
                if not _is_of_gone(error) or turn == _SETTLES - 1:
                    raise
            uids = sorted(self.still_there(uids))
            if not uids:
                return None
        return None

    def _settle(self, uids: Sequence[int]) -> None:
        if self._source.afterwards == MOVE:
            self._move(uids)
        elif self._source.afterwards == DELETE:
            self._delete(uids)
        else:
            self._uid("STORE", uids, "+FLAGS.SILENT", r"(\Seen)")

    # ---- the folder

    def _select(self) -> None:
        try:
            self._box.folder.set(self._source.folder)
        except imaplib.IMAP4.readonly as error:
            raise AccessFailed(
                _("The folder “%(folder)s” can only be read. Choose one that may be changed.", folder=self._folder)
            ) from error
        except BROKEN as error:
            if isinstance(error, OSError | EOFError | imaplib.IMAP4.abort):
                raise
            raise AccessFailed(
                _(
                    "%(host)s does not open the folder “%(folder)s”: %(words)s",
                    host=self._source.host,
                    folder=self._folder,
                    words=said(error),
                )
            ) from error

    @property
    def _folder(self) -> str:
        return self._source.folder

    def _uidvalidity(self) -> int:
        _kind, data = self._box.client.response("UIDVALIDITY")
        if data and data[0]:
            return int(data[0])
        return self._box.folder.status(self._folder, ["UIDVALIDITY"])["UIDVALIDITY"]

    def _move(self, uids: Sequence[int]) -> None:
        """By MOVE (RFC 6851); else copied first, so that there is no moment at which a mail is nowhere."""
        folder = self._source.move_to
        word = "MOVE" if "MOVE" in self._box.client.capabilities else "COPY"
        try:
            self._uid(word, uids, encode_folder(folder))
        except MailboxFetchError as error:
            if _is_of_gone(error):
                raise
            with suppress(MailboxFolderCreateError):
                # Another fetcher may have made it a moment ago.
                self._box.folder.create(folder)
            self._uid(word, uids, encode_folder(folder))
        if word == "COPY":
            self._delete(uids)

    def _delete(self, uids: Sequence[int]) -> None:
        self._uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._box.client.capabilities:
            # Only these: what somebody else has marked stays (RFC 4315).
            self._uid("EXPUNGE", uids)
        else:
            self._box.expunge()

    # ---- words of the protocol

    def _uid(self, word: str, uids: Iterable[int], *rest: Any) -> Any:
        result = self._box.client.uid(word, ",".join(map(str, uids)), *rest)
        check_command_status(result, MailboxFetchError)
        return result

    def _literals(self, uids: Sequence[int], what: str) -> dict[int, bytes]:
        found = {}
        for text, literal in self._fetch(uids, what):
            if literal is None and (quoted := _QUOTED.search(text)):
                literal = _ESCAPED.sub(rb"\1", quoted[1])
                text = text[: quoted.start(1)] + text[quoted.end(1) :]
            if literal is not None and b"BODY[" in text and (uid := _UID.search(text)):
                found[int(uid[1])] = literal
        return found

    def _fetch(self, uids: Sequence[int], what: str) -> list[tuple[bytes, bytes | None]]:
        """Each answer as its text, what stands before and behind the literal, and the literal, where there is one.

        What the server says in between of other mails has no number.
        """
        found: list[tuple[bytes, bytes | None]] = []
        for part in self._uid("FETCH", uids, what)[1]:
            if isinstance(part, tuple):
                found.append((part[0], part[1]))
            elif part is not None and part[:1].isdigit():
                found.append((part, None))
            elif part is not None and found:
                # The number may stand behind the literal.
                found[-1] = (found[-1][0] + part, found[-1][1])
        return found


def _connected(source: Source) -> BaseMailBox:
    check_protection(source.host, source.port, source.security)
    if source.security == TLS:
        return MailBox(source.host, source.port, timeout=source.timeout, ssl_context=context())
    box = MailBoxUnencrypted(source.host, source.port, timeout=source.timeout)
    if source.security == NONE:
        return box
    try:
        box.client.starttls(context())
    except imaplib.IMAP4.abort:
        box.client.shutdown()
        raise
    except imaplib.IMAP4.error as error:
        box.client.shutdown()
        raise AccessFailed(
            _(
                "%(host)s does not offer STARTTLS on port %(port)s. Choose TLS (often port 993), or none.",
                host=source.host,
                port=source.port,
            )
        ) from error
    except BaseException:
        box.client.shutdown()
        raise
    return box


def _sign_in(box: BaseMailBox, source: Source) -> None:
    try:
        if source.by_token:
            box.xoauth2(source.username, source.secret, initial_folder=None)
        elif (source.username + source.secret).isascii():
            box.login(source.username, source.secret, initial_folder=None)
        else:
            box.login_utf8(source.username, source.secret, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except BROKEN as error:
        if isinstance(error, OSError | EOFError):
            raise
        raise refused(source, said(error)) from error
    # What it can do is often told only to those who have signed in.
    kind, data = box.client.capability()
    if kind == "OK":
        box.client.capabilities = _told(data)


def _is_of_gone(error: MailboxFetchError) -> bool:
    """Whether a server refused because a mail is not there any more (RFC 5530, section 3)."""
    told = error.command_result[1]
    return any(isinstance(line, bytes) and line.upper().startswith(b"[EXPUNGEISSUED]") for line in told)


def _told(data: Sequence[Any]) -> tuple[str, ...]:
    return tuple(data[-1].decode("ascii", "replace").upper().split()) if data and data[-1] else ()


def _parts(uids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (uids[start : start + _AT_ONCE] for start in range(0, len(uids), _AT_ONCE))
