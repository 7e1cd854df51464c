"""What the tests of this folder share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from tests.security.actors import FilledDesk, fill
from tests.security.crawler import Oracle


@pytest.fixture(scope="session")
def filled_desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledDesk]:
    """A desk with every plugin of the repository, everybody of the table and what is theirs."""
    desk = fill(template_home, tmp_path_factory.mktemp("secured") / "home")
    yield desk
    desk.close()


@pytest.fixture
def filled(filled_desk: FilledDesk) -> FilledDesk:
    """The same for each test, whatever the one before has left in it."""
    filled_desk.put_back()
    return filled_desk


@pytest.fixture
def oracle(app: Flask, browser: Browser, listen: Callable[[Any], str]) -> Iterator[Callable[..., Oracle]]:
    """A browser of whoever a client is signed in as, or of a stranger: ``oracle(client)``."""
    made: list[Oracle] = []
    address = listen(app)

    def make(client: FlaskClient | None = None) -> Oracle:
        cookie = client.get_cookie("helpdesk") if client is not None else None
        cookies = {cookie.key: cookie.value} if cookie else {}
        made.append(Oracle(browser.new_context(locale="en-GB"), address, cookies))
        return made[-1]

    yield make
    for one in made:
        one.close()
