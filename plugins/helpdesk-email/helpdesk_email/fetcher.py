"""One fetch from one mailbox: kept here first, then flagged, moved or deleted on its server."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from sqlalchemy import delete, select

from helpdesk.api import Work, db, keep_incoming, now, transaction
from helpdesk.api import gettext as _
from helpdesk_email import fetching, oauth, stubs
from helpdesk_email.access import AccessFailed, Source
from helpdesk_email.broken import BROKEN, explain, is_over, said
from helpdesk_email.fetching import DeskFailed, LostMailbox
from helpdesk_email.imap import Imap
from helpdesk_email.models import DELETE, IMAP, POP3, FetchedMail, Mailbox
from helpdesk_email.pop3 import Pop3

# Mails of one command and of one note of how far it is: so many, or so many octets.
_MOST, _OCTETS = 25, 2 * 1024 * 1024
# In so many polls a mail is not given out until something stands for it.
_POLLS = 3
# To see that others are given out, so many are tried, the smallest ones of so many that are the newest.
_TRIES, _NEAR = 2, 10
# Mails that are done with, and which of them are kept.
_Done = tuple[Sequence[int], Sequence[int]]


class Fetcher:
    """One fetch: its line to the server, and how far it is. ``complaints`` are about single mails and what was to
    become of them on the server."""

    def __init__(self, mailbox_id: int, token: str, work: Work | None, ends_at: float) -> None:
        self._id, self._token, self._work, self._ends_at = mailbox_id, token, work, ends_at
        self._line: Imap | Pop3 | None = None
        self._reason = ""
        self.mails = self._done = self._total = 0
        self.complaints: list[str] = []

    def run(self) -> bool:
        """Fetch until nothing is left (False), or the time is over (True). Raises AccessFailed and LostMailbox."""
        self._source = self._read()
        try:
            self._connect()
            self._begin()
            while waiting := self._waiting():
                self._total = self._done + len(waiting)
                if self._run(waiting):
                    return True
                if self._source.kind == POP3:
                    # What is there stands fixed until the line is closed.
                    return False
            return False
        except BROKEN as error:
            raise AccessFailed(explain(error, self._source)) from error
        finally:
            if self._line is not None:
                self._line.close()

    def _run(self, waiting: Sequence[int]) -> bool:
        for group, large in self._groups(waiting):
            for done, taken in self._take_large(group[0], large) if large else self._take(group):
                self._settle(taken)
                self._done += len(done)
                self.mails += len(taken)
                self._advance(done, taken)
                if self._done < self._total and time.monotonic() > self._ends_at:
                    return True
        return False

    def _groups(self, waiting: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        """Small mails together, and each that is too large alone, with its size."""
        group: list[int] = []
        octets = 0
        for start in range(0, len(waiting), 200):
            part = waiting[start : start + 200]
            sizes = self.line.sizes(part)
            for number in part:
                size = sizes.get(number, 0)
                if group and (octets + size > _OCTETS or len(group) == _MOST):
                    yield group, 0
                    group, octets = [], 0
                if size > fetching.LARGEST:
                    yield [number], size
                else:
                    group.append(number)
                    octets += size
        if group:
            yield group, 0

    # ---- one mail, or some

    def _take(self, group: Sequence[int]) -> Iterator[_Done]:
        """Keep mails; where the server fails or leaves some out, each alone."""
        found = self._try(group)
        if len(found) == len(group):
            for number in group:
                self._keep(number, found[number])
            yield group, group
            return
        for number in group:
            yield [number], self._take_alone(number, found.get(number))

    def _take_alone(self, number: int, raw: bytes | None) -> list[int]:
        """One mail. Raises AccessFailed as long as it may be the server that is at fault; nothing comes after it then.

        When it is the mail, something stands for it, and the others go on.
        """
        raw = self._try([number]).get(number) if raw is None else raw
        if raw is None and number not in self.line.still_there([number]):
            return []
        if raw is None:
            if not self._is_the_mail(number):
                raise AccessFailed(self._reason)
            raw = self._try([number]).get(number)
        if raw is not None:
            self._keep(number, raw)
            return [number]
        place = self._place(number)
        sentence = _("A mail could not be fetched and stays on the server (%(place)s).", place=place)
        self.complaints.append(sentence)
        self._keep(number, stubs.unreadable(self._source.address, place, self._reason), is_stub=True)
        return []

    def _try(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """What the server gives out of these; when it fails, nothing, and the line is a new one."""
        self._reason = _("%(host)s does not give out a mail that lies there.", host=self._source.host)
        try:
            found = self.line.read(numbers)
            empty = [number for number, raw in found.items() if not raw]
            # No mail has nothing in it, unless the server says so itself.
            sizes = self.line.sizes(empty) if empty else {}
            return {number: raw for number, raw in found.items() if raw or sizes.get(number) == 0}
        except BROKEN as error:
            self._reason = explain(error, self._source)
            self._connect_anew()
            return {}

    def _is_the_mail(self, number: int) -> bool:
        """Whether it is one mail that a server fails at: in several polls, and it gives out another at the same time.

        A server may say no to everything for a while.
        """
        return self._has_stuck(number) >= _POLLS and self._gives_another(number)

    def _gives_another(self, number: int) -> bool:
        """Whether the server gives out another mail, one of the newest, on a line that is open then."""
        there = [other for other in self.line.waiting() if other != number]
        sizes = self.line.sizes(there[-_NEAR:])
        small = sorted((size, other) for other, size in sizes.items() if size <= fetching.LARGEST)
        return any(self._try([other]) for _size, other in small[:_TRIES])

    def _take_large(self, number: int, size: int) -> Iterator[_Done]:
        """One that is not downloaded: its header stands for it, and it stays where it is."""
        try:
            head = self.line.head(number)
        except BROKEN as error:
            self._reason = explain(error, self._source)
            self._connect_anew()
            if not self._is_the_mail(number):
                raise AccessFailed(self._reason) from error
            head = b""
        self._keep(number, stubs.too_large(head, size), is_stub=True)
        yield [number], []

    def _keep(self, number: int, raw: bytes, *, is_stub: bool = False) -> None:
        if len(raw) > fetching.LARGEST:
            # The server had said that it is smaller.
            raw, is_stub = stubs.too_large(raw.partition(b"\r\n\r\n")[0][: 64 * 1024], len(raw)), True
        place = self.line.place(number)
        if is_stub and place:
            # The mail itself may still come one day.
            place += ":stub"
        try:
            keep_incoming("email", raw, place, account=self._source.address)
        except OSError as error:
            raise DeskFailed(str(error)) from error

    def _settle(self, taken: Sequence[int]) -> None:
        """On the server, now that they are kept. What it refuses changes nothing here, and is said once."""
        if not taken:
            return
        try:
            self.line.settle(taken)
        except BROKEN as error:
            if is_over(error):
                # They come again, are known, and are settled then.
                raise
            sentence = _(
                "Mail is taken in, but the server does not let it be flagged, moved or deleted: %(words)s",
                words=said(error),
            )
            if sentence not in self.complaints:
                self.complaints.append(sentence)

    # ---- the line

    @property
    def line(self) -> Imap | Pop3:
        assert self._line is not None
        return self._line

    def _connect(self) -> None:
        try:
            self._line = Imap(self._source) if self._source.kind == IMAP else Pop3(self._source)
        except BROKEN as error:
            raise AccessFailed(explain(error, self._source)) from error

    def _connect_anew(self) -> None:
        """After a failure; on as long as the numbers mean the same mails."""
        self.line.close()
        # It may have taken long to fail.
        with transaction():
            self._mine().fetching_until = now() + fetching.LEASE
        before = self.line
        self._connect()
        if isinstance(before, Imap) and isinstance(self._line, Imap) and before.epoch != self._line.epoch:
            raise AccessFailed(_("The folder was made anew meanwhile; the next poll goes on."))
        if isinstance(before, Pop3) and isinstance(self._line, Pop3) and not self._line.is_as(before):
            raise AccessFailed(_("The server has other mail meanwhile; the next poll goes on."))

    # ---- the row

    def _read(self) -> Source:
        box = db.session.get(Mailbox, self._id)
        if box is None:
            raise LostMailbox
        secret = oauth.access_token(box) if box.oauth else box.password
        source = Source.of(box, secret)
        # No connection of the database is held while the network is waited for.
        db.session.rollback()
        return source

    def _begin(self) -> None:
        """Where names count in something else than last time, all is looked at: what is known is known.

        What the owner wants left there is left then, too.
        """
        line = self.line
        epoch, since = self._told(Mailbox.uidvalidity, Mailbox.since)
        if epoch == line.epoch:
            return
        last = newest = 0
        if since is not None and isinstance(line, Imap):
            there = line.waiting(0)
            fresh = line.came_since(since)
            newest = max(there, default=0)
            last = min(fresh.intersection(there), default=newest + 1) - 1
        elif since is not None:
            fresh = line.came_since(since)
            self._know([number for number in line.waiting() if number not in fresh])
        with transaction():
            box = self._mine()
            # The owner may have decided otherwise meanwhile; the next look follows that.
            if box.since == since:
                box.uidvalidity, box.last_uid, box.old_uid = line.epoch, last, newest

    def _know(self, numbers: Sequence[int]) -> None:
        """These are on the server, and are not taken in."""
        assert isinstance(self._line, Pop3)
        names = sorted({self._line.name(number) for number in numbers} - {""})
        for start in range(0, len(names), 500):
            with transaction():
                if self._mine().since is None:
                    return
                for name in names[start : start + 500]:
                    db.session.merge(FetchedMail(mailbox_id=self._id, name=name))

    def _waiting(self) -> list[int]:
        line = self.line
        last, old, since = self._told(Mailbox.last_uid, Mailbox.old_uid, Mailbox.since)
        if isinstance(line, Imap):
            waiting = line.waiting(last)
            if since is None or last >= old:
                return waiting
            fresh = line.came_since(since)
            return [number for number in waiting if number > old or number in fresh]
        known = set(db.session.scalars(select(FetchedMail.name).where(FetchedMail.mailbox_id == self._id)))
        db.session.rollback()
        there = {number: line.name(number) for number in line.waiting()}
        self._forget(known - set(there.values()))
        waiting = [number for number, name in there.items() if name not in known]
        if since is None or all(there.values()):
            return waiting
        # A server without names: nothing can be remembered of what is left there.
        fresh = line.came_since(since)
        return [number for number in waiting if there[number] or number in fresh]

    def _forget(self, gone: set[str]) -> None:
        """What is on the server no longer need not be remembered."""
        names = sorted(gone)
        for start in range(0, len(names), 500):
            mine = (FetchedMail.mailbox_id == self._id, FetchedMail.name.in_(names[start : start + 500]))
            with transaction():
                db.session.execute(delete(FetchedMail).where(*mine))

    def _advance(self, done: Sequence[int], taken: Sequence[int]) -> None:
        """These are done with, whatever comes."""
        work = self._work
        with work.step(done=self._done, total=self._total) if work is not None else nullcontext(), transaction():
            box = self._mine()
            if isinstance(self.line, Imap):
                box.last_uid = max(box.last_uid, *done)
            else:
                # What is deleted need not be remembered.
                left = set(done) - set(taken) if self._source.afterwards == DELETE else done
                for name in {self.line.name(number) for number in left} - {""}:
                    db.session.merge(FetchedMail(mailbox_id=self._id, name=name))
            box.fetched += len(taken)
            box.backlog = self._total - self._done
            box.fetching_until = now() + fetching.LEASE

    def _has_stuck(self, number: int) -> int:
        """In how many polls, with this one, the server has not given out a mail."""
        place = self._place(number)
        with transaction():
            box = self._mine()
            if box.stuck_at != place:
                box.stuck_at, box.stuck_polls = place, 0
            box.stuck_polls += 1
            box.fetching_until = now() + fetching.LEASE
            return box.stuck_polls

    def _place(self, number: int) -> str:
        return self.line.place(number) or str(number)

    def _told(self, *columns: Any) -> Any:
        """What the row says now. No connection is held afterwards."""
        found = db.session.execute(select(*columns).where(Mailbox.id == self._id)).one_or_none()
        db.session.rollback()
        if found is None:
            raise LostMailbox
        return found

    def _mine(self) -> Mailbox:
        """The row, locked, as long as it is this fetcher's. Raises LostMailbox."""
        mine = (Mailbox.id == self._id, Mailbox.active, Mailbox.fetcher == self._token)
        box = db.session.scalar(select(Mailbox).where(*mine).with_for_update())
        if box is None:
            raise LostMailbox
        return box
