"""Pages that bring in parts of themselves by htmx: wait until all are there, and what axe-core says of the whole."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[1] / "vendor" / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Milliseconds, for a machine that is busy with other tests.
_PATIENCE = 120_000


def settle(page: Page) -> None:
    """Wait until nothing of the page is on its way or being put in."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0, timeout=_PATIENCE)


def look_with_axe(page: Page) -> Any:
    """What axe-core finds on the page: ``violations``, ``passes``."""
    settle(page)
    page.evaluate(AXE.read_text("utf-8"))
    return page.evaluate("rules => axe.run({runOnly: rules})", RULES)
