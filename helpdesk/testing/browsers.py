"""Browsers of strangers and of people who are signed in."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from helpdesk.core.models import User


def client_class() -> type[FlaskClient]:
    """The class of the clients that a desk gives to tests."""
    from flask.testing import FlaskClient

    from helpdesk.core import theming

    class DeskClient(FlaskClient):
        """A browser of somebody (``user``; None: a stranger).

        Requests run outside the test's app context, as they do on a server, and objects that the test holds are
        read anew after each.
        """

        user: User | None = None

        def open(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("buffered", True)
            forget_what_was_read()
            # What a test writes into a theme is seen by the next request; none looks for it at each of its templates.
            themes = self.application.extensions[theming.EXTENSION]
            themes.look_again()
            before, themes.interval = themes.interval, theming.INTERVAL
            try:
                return contextvars.Context().run(super().open, *args, **kwargs)
            finally:
                themes.interval = before
                forget_what_was_read()

    return DeskClient


def browser_of(app: Flask, user: User) -> FlaskClient:
    """A browser in which ``user`` has signed in; an app context is open."""
    from helpdesk.core import sign_in_sessions

    browser: Any = app.test_client()
    browser.user = user
    secret = sign_in_sessions.begin(user)
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = secret, True
    found: FlaskClient = browser
    return found


def forget_what_was_read() -> None:
    """End the reading transaction of the test, so that it sees what others have written."""
    from flask import has_app_context

    from helpdesk.core.extensions import db

    if has_app_context():
        db.session.rollback()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A stranger's browser."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[User], FlaskClient]:
    """A browser that is signed in: ``sign_in(user)``."""

    def enter(user: User) -> FlaskClient:
        return browser_of(app, user)

    return enter


@pytest.fixture
def as_admin(sign_in: Any, make_user: Any) -> FlaskClient:
    """An administrator's browser."""
    client: FlaskClient = sign_in(make_user("admin", name="Ada Admin"))
    return client


@pytest.fixture
def as_supervisor(sign_in: Any, make_user: Any) -> FlaskClient:
    """A supervisor's browser."""
    client: FlaskClient = sign_in(make_user("supervisor", name="Sue Supervisor"))
    return client


@pytest.fixture
def as_agent(sign_in: Any, make_user: Any) -> FlaskClient:
    """An agent's browser."""
    client: FlaskClient = sign_in(make_user("agent", name="Abe Agent"))
    return client


@pytest.fixture
def as_requester(sign_in: Any, make_user: Any) -> FlaskClient:
    """A customer's browser."""
    client: FlaskClient = sign_in(make_user("requester", name="Rita Requester"))
    return client
