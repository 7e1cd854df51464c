"""Chromium for tests, and what it must never do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from helpdesk.core import settings
from helpdesk.core.settings import DeskSettings

# Milliseconds, for a machine that is busy with other tests.
PATIENCE = 120_000
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


@pytest.fixture
def open_as(browser: Browser, listen: Any) -> Iterator[Callable[..., Page]]:
    """A browser of somebody's own: ``open_as(client, address)``, as whoever is signed in at the client.

    Ended before the desk is, which ``listen`` runs.
    """
    contexts: list[BrowserContext] = []

    def begin(client: Any, address: str, **how: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **how})
        contexts.append(context)
        context.add_cookies([{"name": "helpdesk", "value": client.get_cookie("helpdesk").value, "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        return page

    yield begin
    for context in contexts:
        context.close()


@pytest.fixture
def address(app: Any, listen: Any) -> str:
    """Where the desk of the test answers, of which the owner has set up all that is asked for at the beginning."""
    settings.save(DeskSettings, {"set_up": True}, None)
    found: str = listen(app)
    return found


@pytest.fixture
def watch() -> Callable[[Page, str], list[str]]:
    """Note scripts' errors, refused styles and scripts, and every request to another host: all pages in one list."""
    problems: list[str] = []

    def begin(page: Page, address: str) -> list[str]:
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda said: problems.append(f"console: {said.text}") if _is_error(said) else None)
        page.on("request", lambda one: problems.append(f"foreign: {one.url}") if _foreign(one.url, address) else None)
        return problems

    return begin


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a picture of a page for people to look at."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        # Hiding the caret would add a style of Playwright's own, which the policy refuses.
        page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), caret="initial")

    return take


def _is_error(said: ConsoleMessage) -> bool:
    """Chromium notes each answer of 422 as an error; a form that came back with advice is none."""
    return said.type == "error" and "status of 422" not in said.text


def _foreign(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))
