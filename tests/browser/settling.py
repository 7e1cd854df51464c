"""Pages that bring in parts of themselves by htmx: wait until all are there, and what axe-core says of the whole."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[1] / "vendor" / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
Appearance = tuple[int, Literal["light", "dark"], str]
# Wide and narrow, light and dark, both directions: all of them ...
ALL: tuple[Appearance, ...] = tuple(product((1440, 360), ("light", "dark"), ("ltr", "rtl")))
# ... or each of these once.
FEW: tuple[Appearance, ...] = ((1440, "light", "ltr"), (360, "dark", "rtl"))
# Those that go on for ever, such as a sign of waiting, stay. To wait for the others takes pictures of each step of
# them, and now and then Chromium never tells that one is over.
_AT_ITS_END = """
() => document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).forEach((one) => one.finish())
"""
# What passed is asked for its number alone: a list of every element costs more than to look at them.
_LOOK = """
rules => axe.run({runOnly: rules, resultTypes: ["violations"], selectors: false}).then(found => ({
  passes: found.passes.length,
  violations: found.violations.map(one => ({id: one.id, nodes: one.nodes.map(({html}) => ({html}))})),
}))
"""
# Milliseconds, for a machine that is busy with other tests.
_PATIENCE = 120_000


def settle(page: Page) -> None:
    """Wait until nothing of the page is on its way or being put in; no colour is on its way to another then."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0, timeout=_PATIENCE)
    page.evaluate(_AT_ITS_END)


def look_with_axe(page: Page) -> Any:
    """What axe-core finds on the page: ``violations``, and the number of rules that found something good."""
    settle(page)
    # It is half a megabyte: a page that is looked at again has it.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    return page.evaluate(_LOOK, RULES)


def look_over(
    page: Page, name: str, picture: Callable[[Page, str], None], appearances: tuple[Appearance, ...] = ALL
) -> list[str]:
    """What stands over the edge, and what axe finds: light and dark, both directions, wide and narrow.

    Light and from left to right is how the page is left.
    """
    problems = []
    for width, scheme, direction in appearances:
        look = f"{name}-{width}-{scheme}-{direction}"
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("way => { document.documentElement.dir = way }", direction)
        found = look_with_axe(page)["violations"]
        problems += [f"{look}: {one['id']}: {one['nodes'][0]['html']}" for one in found]
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            problems.append(f"{look}: {over} px too wide")
        picture(page, look)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.dir = 'ltr'")
    return problems
