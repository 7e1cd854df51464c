"""When mail is taken off its servers, and whose a mailbox is meanwhile: two fetchers are safe."""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from helpdesk.api import CheckStep, Work, db, ngettext, now, schedule, transaction
from helpdesk.api import gettext as _
from helpdesk_email.access import AccessFailed
from helpdesk_email.models import IMAP, POP3, Mailbox

log = logging.getLogger(__name__)

JOB, POLL = "email.fetch", "email.poll"
# Larger mails are not downloaded; the desk keeps nothing larger.
LARGEST = 35 * 1024 * 1024
# A fetcher that is not heard of for so long has lost its mailbox.
LEASE = timedelta(minutes=2)
# A job gives way to others after so long, and goes on behind them.
_TURN = 120.0
_AGAIN = timedelta(seconds=30)
# A server that fails is asked less often, the longer it does.
_LONGEST_REST = timedelta(minutes=15)
# What no server is to bring about. What is wrong with the database or the disk is neither of these.
_SURPRISES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_FETCHABLE = (Mailbox.active, Mailbox.kind.in_((IMAP, POP3)), Mailbox.host != "")


class LostMailbox(Exception):
    """Another fetcher has it, or the owner has taken it away or switched it off meanwhile."""


class DeskFailed(Exception):
    """The desk could not keep a mail; it stays on its server."""


@dataclass(frozen=True)
class Fetched:
    """How it went: mails taken in, and whether somebody else is at it (``busy``) or there is ``more``."""

    mails: int = 0
    busy: bool = False
    more: bool = False
    error: str = ""


def fetch(mailbox_id: int, work: Work | None = None, seconds: float = float("inf")) -> Fetched:
    """Take in what waits in a mailbox, for so many seconds. Call it outside transactions.

    What is wrong with the server stands on the mailbox afterwards, and in the answer. What is wrong with the desk
    is raised (DeskFailed, Busy); what was taken in by then stays.
    """
    # With imap-tools: only processes that fetch load it.
    from helpdesk_email.fetcher import Fetcher

    token = uuid.uuid4().hex
    if not _claim(mailbox_id, token):
        return Fetched(busy=True)
    error: str | None = None
    fetcher = Fetcher(mailbox_id, token, work, time.monotonic() + seconds)
    try:
        more = fetcher.run()
        error = " ".join(fetcher.complaints)
    except LostMailbox:
        return Fetched(fetcher.mails, busy=True)
    except AccessFailed as failure:
        error, more = failure.sentence, False
    except _SURPRISES as failure:
        # People see that the mailbox stands still.
        log.exception("Mailbox %s cannot be fetched from.", mailbox_id)
        words = f"{type(failure).__name__}: {failure}"[:300]
        error, more = _("Something went wrong that the desk does not know: %(words)s", words=words), False
    finally:
        _release(mailbox_id, token, error)
    if error:
        log.warning("Mailbox %s: %s", mailbox_id, error)
    return Fetched(fetcher.mails, more=more, error=error)


def fetch_in_turn(mailbox_id: int, work: Work) -> None:
    """The job: fetch for a while, then let others go on."""
    done = fetch(mailbox_id, work, _TURN)
    if done.more:
        ask(mailbox_id)
    elif done.busy:
        # What has come since the other one looked is not to wait for the next minute's poll.
        schedule(JOB, at=now() + _AGAIN, key=_key(mailbox_id), mailbox_id=mailbox_id)


def ask(mailbox_id: int, **how: Any) -> None:
    """Have a worker fetch from a mailbox; at most one waits for each."""
    schedule(JOB, key=_key(mailbox_id), mailbox_id=mailbox_id, **how)


def poll() -> None:
    """The job of every minute: ask for each mailbox that nobody is at, and that does not rest after a failure."""
    moment = now()
    free = or_(Mailbox.fetching_until.is_(None), Mailbox.fetching_until <= moment)
    for box in db.session.scalars(_fetchable().where(free)):
        if not _rests(box):
            ask(box.id)


def poll_now(address: str = "") -> list[CheckStep]:
    """Fetch from all mailboxes, or from one, in this process; how each went (``helpdesk mail poll``)."""
    query = _fetchable().where(Mailbox.address == address.strip().lower()) if address else _fetchable()
    boxes = [(box.id, box.address) for box in db.session.scalars(query)]
    if not boxes and address:
        sentence = _("There is no active mailbox %(address)s that mail is fetched from.", address=address)
        return [CheckStep("", False, sentence)]
    return [_step(found, fetch(number)) for number, found in boxes]


def _step(address: str, done: Fetched) -> CheckStep:
    return CheckStep(address, not done.error, _sentence(done))


def _sentence(done: Fetched) -> str:
    if done.busy:
        return _("Another fetcher is at it.")
    taken = ngettext("%(num)s mail was taken in.", "%(num)s mails were taken in.", done.mails)
    return f"{taken} {done.error}".strip()


def _key(mailbox_id: int) -> str:
    return f"{JOB}:{mailbox_id}"


def _fetchable() -> Any:
    return select(Mailbox).where(*_FETCHABLE).order_by(Mailbox.id)


def _rests(box: Mailbox) -> bool:
    if box.failed_at is None or box.polled_at is None:
        return False
    failing = box.polled_at - box.failed_at
    return now() < box.polled_at + min(failing / 4, _LONGEST_REST)


# ---- whose a mailbox is


def _claim(mailbox_id: int, token: str) -> bool:
    moment = now()
    free = or_(Mailbox.fetching_until.is_(None), Mailbox.fetching_until <= moment)
    with transaction():
        mine = update(Mailbox).where(Mailbox.id == mailbox_id, *_FETCHABLE, free)
        claimed = db.session.execute(mine.values(fetcher=token, fetching_until=moment + LEASE).returning(Mailbox.id))
        return claimed.scalar() is not None


def _release(mailbox_id: int, token: str, error: str | None) -> None:
    """Let go of it, and write down how it went; None: nothing is known of the server."""
    with transaction():
        mine = (Mailbox.id == mailbox_id, Mailbox.fetcher == token)
        box = db.session.scalar(select(Mailbox).where(*mine).with_for_update())
        if box is None:
            return
        box.fetcher, box.fetching_until = "", None
        if error is not None:
            box.polled_at, box.error = now(), error
            box.failed_at = (box.failed_at or now()) if error else None
