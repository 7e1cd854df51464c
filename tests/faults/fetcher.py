"""Fetches mail and kills itself on the way: run as a program, told what to do in lines of JSON on standard input.

Each order is done by a process of its own, forked from this one, which has all imported and nothing open.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Flask
from helpdesk_email import fetcher, fetching
from helpdesk_email.imap import Imap
from helpdesk_email.models import Mailbox
from sqlalchemy import select

from helpdesk import garbage
from helpdesk.app import create_app
from helpdesk.core import files
from helpdesk.core.config import load
from helpdesk.core.extensions import db
from helpdesk.core.transaction import transaction

# Where a fetcher may die: the thing that is done, and whether it dies before or after it.
POINTS: dict[str, tuple[Any, str, bool]] = {
    "the mailbox is claimed": (fetching, "_claim", True),
    "the folder is open": (Imap, "_select", True),
    "new mail was looked for": (Imap, "waiting", True),
    "sizes are known": (Imap, "sizes", True),
    "mail is asked for": (Imap, "read", False),
    "mail has come": (Imap, "read", True),
    "its bytes are on disk": (files, "store_bytes", True),
    "its row is committed": (fetcher, "keep_incoming", True),
    "it is to be flagged": (Imap, "settle", False),
    "it is flagged": (Imap, "settle", True),
    "it is noted, not committed": (fetcher.Fetcher, "_mine", True),
    "it is noted": (fetcher.Fetcher, "_advance", True),
}


def main() -> None:
    with garbage.kept():
        app = create_app(load())
    print("ready", flush=True)
    for line in sys.stdin:
        orders = json.loads(line)
        begun = [_fork(lambda order=order: _do(app, **order)) for order in orders]
        print(json.dumps([_ended(*one) for one in begun]), flush=True)


def _fork(call: Callable[[], Any]) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.write(writing, json.dumps(call()).encode())
    finally:
        os._exit(0)


def _ended(pid: int, reading: int) -> Any:
    """What the process said, or the signal that ended it."""
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return json.loads(said) if said else {"status": status}


def _do(app: Flask, what: str, **how: Any) -> Any:
    try:
        with app.app_context():
            return {"make": _make, "fetch": _fetch}[what](**how)
    except Exception as error:  # noqa: BLE001 - told to the test
        return {"error": repr(error)}


def _make(**values: Any) -> int:
    with transaction():
        box = Mailbox(**values)
        db.session.add(box)
    return box.id


def _fetch(box: int, at: str = "", turn: int = 0, lease: float = 0.2, most: int = 25) -> Any:
    """Fetch to the end; ``at`` a point die when it is passed for the ``turn``-th time."""
    fetching.LEASE, fetcher._MOST = timedelta(seconds=lease), most  # type: ignore[misc]
    counted: dict[str, Any] = {"read": 0, "backlogs": []}
    if at:
        _die(*POINTS[at], turn)
    _count(counted, box)
    while (done := fetching.fetch(box)).busy:
        # The one that was killed is not heard of: its hold ends by itself.
        time.sleep(0.02)
    return {**counted, "mails": done.mails, "wrong": done.error}


def _die(place: Any, name: str, afterwards: bool, turn: int) -> None:
    real = getattr(place, name)
    passed = 0

    @wraps(real)
    def deadly(*arguments: Any, **more: Any) -> Any:
        nonlocal passed
        passed += 1
        if not afterwards and passed == turn:
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*arguments, **more)
        if afterwards and passed == turn:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(place, name, deadly)


def _count(counted: dict[str, Any], box: int) -> None:
    """Note what is read, and what others see of the backlog each time."""
    real = Imap.read
    seen = select(Mailbox.backlog).where(Mailbox.id == box)

    def read(self: Imap, uids: Any) -> dict[int, bytes]:
        counted["read"] += len(uids)
        with db.engine.connect() as another:
            counted["backlogs"].append(another.scalar(seen))
        return real(self, uids)

    Imap.read = read  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
