"""Hears of new mail at once: a line to each IMAP mailbox on which the server speaks first (IDLE, RFC 2177)."""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select

from helpdesk.api import SOON, db
from helpdesk_email import oauth
from helpdesk_email.access import AccessFailed, Source
from helpdesk_email.fetching import ask
from helpdesk_email.models import IMAP, Mailbox

log = logging.getLogger(__name__)

# Mailboxes that were made, changed or taken away are heard of within so many seconds.
_LOOK = 2.0
# One wait on the line, so that an end is heard of; servers are told that we are there still after so long.
_WAIT, _RENEW = 2.0, 300.0
_FIRST_PAUSE, _LAST_PAUSE = 2.0, 300.0
# A server without IDLE is polled like the others, and asked again now and then.
_WITHOUT_IDLE = 3600.0


@dataclass
class _Watch:
    """One mailbox that is watched, as long as its row says the same."""

    seen: tuple[Any, ...]
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


def watch(stop: threading.Event) -> None:
    """The service: a thread for each mailbox."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    watches: dict[int, _Watch] = {}
    try:
        while not stop.is_set():
            wanted = _wanted()
            for number, found in list(watches.items()):
                if wanted.get(number) != found.seen:
                    found.stop.set()
                if found.thread is not None and not found.thread.is_alive():
                    del watches[number]
            for number in wanted.keys() - watches.keys():
                watches[number] = _begin(app, number, wanted[number])
            stop.wait(_LOOK)
    finally:
        for found in watches.values():
            found.stop.set()
        for found in watches.values():
            if found.thread is not None:
                found.thread.join(_WAIT * 4)


def _wanted() -> dict[int, tuple[Any, ...]]:
    """The mailboxes that may be watched, with what makes a difference to that."""
    how = (Mailbox.host, Mailbox.port, Mailbox.security, Mailbox.username, Mailbox.password, Mailbox.folder)
    tokens = (Mailbox.oauth, Mailbox.oauth_refresh_token)
    query = select(Mailbox.id, *how, *tokens).where(Mailbox.active, Mailbox.kind == IMAP, Mailbox.host != "")
    found = {row[0]: tuple(row) for row in db.session.execute(query)}
    # Nothing of the database is held while we wait.
    db.session.remove()
    return found


def _begin(app: Flask, number: int, seen: tuple[Any, ...]) -> _Watch:
    found = _Watch(seen)
    found.thread = threading.Thread(target=_serve, args=(app, number, found.stop), name=f"idle {number}", daemon=True)
    found.thread.start()
    return found


def _serve(app: Flask, number: int, stop: threading.Event) -> None:
    pause = _FIRST_PAUSE
    while not stop.is_set():
        begun = time.monotonic()
        with app.app_context():
            try:
                rest = _listen(number, stop)
            except Exception:
                log.exception("Mailbox %s cannot be watched; it is tried again.", number)
                rest = None
            finally:
                db.session.remove()
        if rest is None:
            pause = _FIRST_PAUSE if time.monotonic() - begun > _RENEW else min(pause * 2, _LAST_PAUSE)
            rest = pause
        stop.wait(rest)


def _listen(number: int, stop: threading.Event) -> float | None:
    """Watch until the line breaks or an end is wanted; the seconds to wait then, None: as after an error."""
    # With imap-tools: only once there is a mailbox to watch.
    from helpdesk_email.broken import BROKEN, explain
    from helpdesk_email.imap import Imap

    box = db.session.get(Mailbox, number)
    if box is None:
        return _LOOK
    source = None
    try:
        source = Source.of(box, oauth.access_token(box) if box.oauth else box.password)
        db.session.remove()
        line = Imap(source)
    except (*BROKEN, AccessFailed) as error:
        # The poll says it to people.
        log.info("Mailbox %s is not watched: %s", number, explain(error, source) if source else error)
        return None
    try:
        if not line.can_idle:
            return _WITHOUT_IDLE
        # What has come while nobody listened.
        _tell(number)
        while not stop.is_set():
            if line.hears(stop, _RENEW, _WAIT):
                _tell(number)
    except BROKEN as error:
        log.info("The line to mailbox %s broke: %s", number, explain(error, source))
        return None
    finally:
        line.close()
    return 0.0


def _tell(number: int) -> None:
    ask(number, priority=SOON)
    db.session.remove()
