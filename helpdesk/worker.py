"""The worker: Huey's consumer, woken by the queue and by the minute, running what the ledger says is due."""

import logging

from flask import Flask
from huey.consumer import Consumer

from helpdesk.core.jobs.huey import EXTENSION

# A wake-up is found within this many seconds; the queue's own file is all that an idle worker reads.
_SLOWEST_LOOK = 0.25


def run(app: Flask, threads: int = 2) -> None:
    """Run jobs until TERM or INT; what is running is finished first (20 s at most)."""
    logging.getLogger("huey.consumer").setLevel(logging.WARNING)
    consumer: Consumer = app.extensions[EXTENSION].create_consumer(
        workers=threads,
        periodic=True,
        initial_delay=0.05,
        backoff=1.3,
        max_delay=_SLOWEST_LOOK,
        graceful_signal="TERM",
        shutdown_timeout=20,
    )
    consumer.run()
