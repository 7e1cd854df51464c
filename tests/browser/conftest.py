"""Chromium for tests, and what it must never do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


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
