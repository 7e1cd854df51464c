"""One of several schedulers whose clocks are moved together: run as a program, told each moment on standard input.

It looks for what is due at that moment, runs it, and answers with a line.
"""

import sys
from datetime import datetime

import time_machine

from helpdesk import garbage
from helpdesk.app import create_app
from helpdesk.core.config import load
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, runner


def main() -> None:
    with garbage.kept():
        app = create_app(load())
    # Nobody is to be woken: the moments come from outside.
    app.extensions[ledger.NUDGE] = None
    print("ready", flush=True)
    for line in sys.stdin:
        with time_machine.travel(datetime.fromisoformat(line.strip()), tick=True), app.app_context():
            ran = runner.run_due()
            db.session.remove()
        print(ran, flush=True)


if __name__ == "__main__":
    main()
