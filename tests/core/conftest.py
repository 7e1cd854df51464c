"""What tests of the core share: doing something at the same time from several sessions."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from helpdesk.core.extensions import db


@pytest.fixture
def at_once(app: Flask) -> Callable[..., list[Any]]:
    """``at_once(8, work)`` calls ``work(number)`` in eight threads that start together, each with its own session.

    Answers what each returned or raised.
    """

    def run(threads: int, work: Callable[[int], Any]) -> list[Any]:
        results: list[Any] = [None] * threads
        start = threading.Barrier(threads)

        def one(number: int) -> None:
            with app.app_context():
                start.wait(30)
                try:
                    results[number] = work(number)
                except Exception as error:  # noqa: BLE001 - it is what the test looks at
                    results[number] = error
                finally:
                    db.session.remove()

        pool = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
        db.session.rollback()
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join(60)
        db.session.rollback()
        return results

    return run
