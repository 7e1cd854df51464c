"""Work, time, plugins and statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from helpdesk.testing.browsers import forget_what_was_read

if TYPE_CHECKING:
    from flask import Flask


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """Run the jobs that are due, as a worker does; answers how many."""
    from helpdesk.core.jobs import runner

    def run() -> int:
        forget_what_was_read()
        with app.app_context():
            ran = runner.run_due()
        forget_what_was_read()
        return ran

    return run


@pytest.fixture
def travel() -> Iterator[Callable[..., datetime]]:
    """Move the clock: ``travel(hours=2)`` from now, ``travel(to=datetime(...))``; it goes on ticking.

    Answers the new moment. The clock is right again after the test.
    """
    import time_machine

    from helpdesk.core.clock import now

    active: list[Any] = []

    def go(to: datetime | None = None, **forward: float) -> datetime:
        moment = (to or now()) + timedelta(**forward)
        while active:
            active.pop().stop()
        active.append(time_machine.travel(moment, tick=True))
        active[-1].start()
        return moment

    yield go
    while active:
        active.pop().stop()


@pytest.fixture
def plug(app: Flask) -> Callable[..., Any]:
    """Add a plugin that is made of functions: ``plug("probe", ticket_opened=lambda ticket: ...)``.

    Answers the plugin as the manager knows it (``.health``, ``.error``).
    """
    from helpdesk.plugins import manager
    from helpdesk.plugins.hookspecs import hookimpl

    def add(name: str, **hooks: Callable[..., Any]) -> manager.Plugin:
        module = SimpleNamespace(**{hook: hookimpl(function) for hook, function in hooks.items()})
        return manager.current().add(name, module)

    return add


_NOT_COUNTED = ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")
_CLOCK = "SELECT generation.number"


@pytest.fixture
def count_queries(app: Flask) -> Callable[..., AbstractContextManager[list[str]]]:
    """``with count_queries() as statements:`` lists the statements that the block sends to the database.

    Left out, unless ``clock=True``, is the look at whether something has changed: it is due by the clock, on a slow
    machine more than once.
    """
    from sqlalchemy import event

    from helpdesk.core.extensions import db

    engine = db.engine

    @contextmanager
    def count(*, clock: bool = False) -> Iterator[list[str]]:
        left_out = _NOT_COUNTED if clock else (*_NOT_COUNTED, _CLOCK)
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(left_out):
                seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return count
