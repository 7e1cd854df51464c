"""Upgrades an old database and is killed before its Nth statement: run as a program that forks for each N.

Reads lines "N home database-url" from standard input; answers "killed" or "done" for each. N = 0: never.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import db


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        nth, home, url = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            migrate(int(nth), Path(home), url)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else "done" if status == 0 else "failed", flush=True)


def migrate(nth: int, home: Path, url: str) -> None:
    """As `helpdesk db upgrade` does, with its backup."""
    app = create_app(Config(home=home, database_url=url))
    with app.app_context():
        if nth:
            kill_before(db.engine, nth)
        schema.back_up_first()
        schema.upgrade()


def kill_before(engine: Any, nth: int) -> None:
    seen = 0

    def count(*_arguments: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", count)
    # What is written and not committed is the most delicate moment.
    event.listen(engine, "commit", count)


if __name__ == "__main__":
    main()
