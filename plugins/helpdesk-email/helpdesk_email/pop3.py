"""POP3 (RFC 1939): one folder without numbers that last; what was fetched is remembered by its UIDL."""

import base64
import poplib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime

from helpdesk.api import gettext as _
from helpdesk_email.access import AccessFailed, Source, check_protection, context, refused
from helpdesk_email.broken import BROKEN, said
from helpdesk_email.models import DELETE
from helpdesk_email.settings import NONE, TLS

# Lines may be longer than the RFC allows: machines write such mail.
poplib._MAXLINE = 1024 * 1024  # type: ignore[attr-defined]


class Pop3:
    """A line to a maildrop. What is deleted goes when the line is closed in order (RFC 1939, 6)."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._box = _connected(source)
        try:
            _sign_in(self._box, source)
            self._names = self._listed("UIDL")
            self.epoch = source.epoch()
            self._octets = {int(number): int(size) for number, size in self._listed("LIST").items()}
            self._check_names()
        except BaseException:
            self._box.close()
            raise

    def waiting(self) -> list[int]:
        """The numbers of all mails, oldest first. They hold for this line alone."""
        return sorted(self._octets)

    def came_since(self, moment: datetime) -> set[int]:
        """The numbers of the mails that the server has had since then, by what it wrote on top of each.

        The newest ones stand last, so the first that is older ends the look.
        """
        found = set()
        for number in reversed(self.waiting()):
            try:
                came = _received(self.head(number))
            except poplib.error_proto as error:
                # It is an optional command.
                raise AccessFailed(
                    _(
                        "%(host)s does not say when mail came, so what is there cannot be left. Take it in as well.",
                        host=self._source.host,
                    )
                ) from error
            if came is None or came < moment:
                break
            found.add(number)
        return found

    def is_as(self, other: "Pop3") -> bool:
        """Whether the numbers mean the same mails as on another line."""
        return (self._names, self._octets) == (other._names, other._octets)

    def name(self, number: int) -> str:
        """What the server calls a mail for good, or an empty text where it does not."""
        return self._names.get(number, "")[:100]

    def place(self, number: int) -> str | None:
        """What names a mail for good; None: its bytes do."""
        name = self.name(number)
        return f"{self._source.id}:pop3:{self._source.host[:100]}:{name}" if name else None

    def sizes(self, numbers: Sequence[int]) -> dict[int, int]:
        """How large mails are, in octets."""
        return {number: self._octets[number] for number in numbers}

    def still_there(self, numbers: Sequence[int]) -> set[int]:
        """Which mails are there: what is listed stays as long as the line is open."""
        return self._octets.keys() & numbers

    def read(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """The raw mails."""
        return {number: _joined(self._box.retr(number)[1]) for number in numbers}

    def head(self, number: int) -> bytes:
        """The header of one mail alone."""
        return _joined(self._box.top(number, 0)[1])

    def settle(self, numbers: Sequence[int]) -> None:
        """Delete what is kept here, if the owner wants that; else it stays as it is."""
        if self._source.afterwards == DELETE:
            for number in numbers:
                self._box.dele(number)

    def close(self) -> None:
        """End the line in order; what was marked is deleted now."""
        with suppress(*BROKEN):
            self._box.quit()
        with suppress(*BROKEN):
            self._box.close()

    def _check_names(self) -> None:
        """What is left there without a name would be fetched in every poll."""
        if self._source.afterwards != DELETE and not self._octets.keys() <= self._names.keys():
            raise AccessFailed(
                _(
                    "%(host)s gives mails no names (UIDL), so what is left there cannot be told from new mail. "
                    "Have it deleted there, or fetch by IMAP.",
                    host=self._source.host,
                )
            )

    def _listed(self, word: str) -> dict[int, str]:
        try:
            lines = (self._box.uidl if word == "UIDL" else self._box.list)()[1]
        except poplib.error_proto:
            if word == "LIST":
                raise
            # It is an optional command.
            return {}
        pairs = (line.decode("ascii", "replace").split(maxsplit=1) for line in lines)
        return {int(pair[0]): pair[1].strip() for pair in pairs if len(pair) == 2 and pair[0].isdigit()}


def _connected(source: Source) -> poplib.POP3:
    check_protection(source.host, source.port, source.security)
    if source.security == TLS:
        return poplib.POP3_SSL(source.host, source.port, timeout=source.timeout, context=context())
    box = poplib.POP3(source.host, source.port, timeout=source.timeout)
    if source.security == NONE:
        return box
    try:
        box.stls(context())
    except poplib.error_proto as error:
        box.close()
        raise AccessFailed(
            _(
                "%(host)s does not offer STARTTLS on port %(port)s. Choose TLS (often port 995), or none.",
                host=source.host,
                port=source.port,
            )
        ) from error
    except BaseException:
        # Its socket is gone already where the certificate was refused.
        with suppress(OSError):
            box.close()
        raise
    return box


def _sign_in(box: poplib.POP3, source: Source) -> None:
    try:
        if source.by_token:
            _send_token(box, source)
        else:
            box.user(source.username)
            box.pass_(source.secret)
    except poplib.error_proto as error:
        raise refused(source, said(error)) from error


def _send_token(box: poplib.POP3, source: Source) -> None:
    """XOAUTH2 in two steps, as the line of the command would be too long for some servers."""
    box._shortcmd("AUTH XOAUTH2")  # type: ignore[attr-defined]
    said_by_us = f"user={source.username}\1auth=Bearer {source.secret}\1\1"
    box._shortcmd(base64.b64encode(said_by_us.encode()).decode("ascii"))  # type: ignore[attr-defined]


def _received(head: bytes) -> datetime | None:
    """When the server that wrote the topmost line took the mail; else when it was written."""
    fields = BytesHeaderParser().parsebytes(head)
    text = str(fields.get("Received", fields.get("Date", ""))).rpartition(";")[2]
    try:
        moment = parsedate_to_datetime(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"\r\n".join(lines) + b"\r\n"
