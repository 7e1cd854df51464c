"""Themes in a real Chromium: the shipped ones are readable, the preview, a hostile one, one edited while it runs."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from helpdesk.core import settings, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.settings import DeskSettings
from helpdesk.testing.served import wait_for
from tests.browser.owner import PATIENCE, new_page
from tests.browser.settling import look_with_axe

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VENDOR = Path(__file__).parents[1] / "vendor"
EMBER, EMBER_DARK = "rgb(250, 245, 240)", "rgb(23, 18, 16)"
PAGES = (
    "/desk/views/all",
    "/desk/tickets/{ticket}",
    "/desk/me",
    "/admin",
    "/admin/themes",
    "/admin/settings/desk",
    "/",
    "/nowhere",
)

# The lowest contrast of a page's visible texts: each against the nearest ground that is painted behind it.
LOWEST = """() => {
  const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = color => {
    pixel.clearRect(0, 0, 1, 1); pixel.fillStyle = color; pixel.fillRect(0, 0, 1, 1);
    return pixel.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = rgba(getComputedStyle(element).backgroundColor);
      if (color[3] === 255) return color;
      if (color[3] > 0) return null;
    }
    return rgba("white");
  };
  let worst = {contrast: 21, text: "", count: 0};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, template, option, [disabled], svg")) continue;
    if (!element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const on = ground(element);
    if (!on) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(on)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    worst.count += 1;
    if (contrast < worst.contrast) worst = {...worst, contrast, text: text.slice(0, 60), where: element.className};
  }
  return worst;
}"""


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    return {}


@pytest.fixture
def ticket(make_user: Any, make_team: Any, make_ticket: Any) -> int:
    agent = make_user("agent", name="Mia Kim")
    found = make_ticket(team=make_team("Workshop", [agent]), assignee=agent, tags=["brakes"])
    workflow.reply(found, MessageDraft(text="We look at it today."), agent)
    workflow.note(found, MessageDraft(text="Pads are in the drawer."), agent)
    workflow.set_priority(found, "high", agent)
    make_ticket("Another one")
    return int(found.id)


@pytest.fixture
def open_page(browser: Browser, address: str, watch: Any) -> Iterator[Callable[..., Page]]:
    """A page signed in as somebody: ``open_page(as_admin, scheme="dark")``. What the policy refuses fails the test."""
    problems: list[str] = []

    def make(client: Any, scheme: str = "light", width: int = 1440) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.add_cookies([{"name": "helpdesk", "value": client.get_cookie("helpdesk").value, "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        nonlocal problems
        problems = watch(page, address)
        return page

    yield make
    # A page that is not there, and what a hostile theme asked for and did not get.
    expected = ("status of 404", "http://evil.example/")
    assert [problem for problem in problems if not any(one in problem for one in expected)] == []


def ground_of(page: Page) -> str:
    return str(page.locator("body").evaluate("element => getComputedStyle(element).backgroundColor"))


def expect_ground(page: Page, color: str) -> None:
    """A page is there before its style sheets are."""
    expect(page.locator("body")).to_have_css("background-color", color)


def test_axe_is_as_it_was_fetched() -> None:
    """By scripts/vendor_assets.py."""
    (library,) = json.loads((VENDOR / "vendor.json").read_text())["libraries"]
    for name, digest in library["files"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", ["default", "ember", "high-contrast"])
def test_shipped_themes_can_be_read_and_used_by_everybody(
    open_page: Any, as_admin: Any, address: str, ticket: int, theme: str, scheme: str, picture: Any
) -> None:
    settings.save(DeskSettings, {"theme": theme}, None)
    page = open_page(as_admin, scheme)
    found, lowest, seen = {}, {}, 0
    for path in PAGES:
        path = path.format(ticket=ticket)
        page.goto(address + path)
        result = look_with_axe(page)
        seen += result["passes"]
        if result["violations"]:
            found[path] = [
                (one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in result["violations"]
            ]
        worst = page.evaluate(LOWEST)
        assert worst["count"] > 3, path
        if worst["contrast"] < 4.5:
            lowest[path] = worst
        if path.startswith(("/desk/tickets/1", "/admin/themes")):
            picture(page, f"theme-{theme}-{scheme}{path.replace('/', '-')}")
    assert (found, lowest) == ({}, {}) and seen > 100


def test_the_preview_in_a_browser(open_page: Any, as_admin: Any, as_agent: Any, address: str, picture: Any) -> None:
    page, other = open_page(as_admin), open_page(as_agent)
    page.goto(f"{address}/admin/themes")
    canvas = ground_of(page)
    page.locator("#theme-ember").get_by_role("button", name="Preview").click()
    bar = page.get_by_role("region", name="Preview of a theme")
    expect(bar).to_contain_text("You are previewing “Ember”. Nobody else sees it.")
    assert canvas != EMBER
    expect_ground(page, EMBER)
    for path in ("/desk/views/all", "/", "/auth/forgot"):
        page.goto(address + path)
        expect(bar).to_be_visible()
        expect_ground(page, EMBER)
        # It covers nothing, and the page does not scroll for it where it did not before.
        top = page.locator("body > :not(.skip, .preview-bar, script, link, template):visible").first.bounding_box()
        assert top and top["y"] >= 48
        assert look_with_axe(page)["violations"] == [], path
    page.goto(f"{address}/desk/views/all")
    assert page.evaluate("document.documentElement.scrollHeight") <= 900
    bar.get_by_role("button", name="Dark").click()
    expect(page).to_have_url(re.compile("/desk/views/all$"))
    expect_ground(page, EMBER_DARK)
    picture(page, "preview-dark")
    for width in (360, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("Light", "Dark", "Use it", "Stop"):
            expect(bar.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    picture(page, "preview-dark-390")
    other.goto(f"{address}/desk/views/all")
    expect_ground(other, canvas)
    bar.get_by_role("button", name="Stop").click()
    expect(bar).to_have_count(0)
    expect_ground(page, canvas)
    page.goto(f"{address}/admin/themes")
    page.locator("#theme-ember").get_by_role("button", name="Preview").click()
    bar.get_by_role("button", name="Use it").click()
    expect(bar).to_have_count(0)
    expect(page.locator("#theme-ember")).to_contain_text("In use")
    other.reload()
    expect_ground(other, EMBER)


def test_a_hostile_theme_reaches_no_other_host_and_no_page_is_lost(
    open_page: Any, as_admin: Any, address: str, home: Path, app: Flask
) -> None:
    folder = home / "themes" / "hostile"
    files = {
        "theme.toml": "",
        "static/theme.css": '@import "http://evil.example/a.css"; </style><script>alert(1)</script> {{{ /*',
        "templates/desk/list.html": "{% if %}",
        "templates/desk/me.html": "{{ 1 / 0 }}",
        "templates/errors/404.html": "{% extends 'nowhere.html' %}",
        "templates/layouts/spine.html": "{{ nothing.at.all }}",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    settings.save(DeskSettings, {"theme": "hostile", "brand_color": "#a33b1f"}, None)
    app.config["SHOW_ERROR_PAGES"] = True
    page = open_page(as_admin)
    answered = []
    page.on("response", lambda answer: answered.append(answer.url))
    for path in ("/desk/views/all", "/desk/me", "/admin/themes", "/", "/nowhere"):
        page.goto(address + path)
        expect(page.locator("h1").first).to_be_visible()
        assert "went wrong" not in page.inner_text("body")
    # What follows the theme's open comment counts: the owner's colour.
    page.goto(address)
    assert "a33b1f" in page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--hd-brand')")
    page.goto(f"{address}/admin/themes")
    assert answered and all(url.startswith(address) for url in answered)
    card = page.locator("#theme-hostile")
    for name in ("desk/list.html", "desk/me.html", "errors/404.html", "layouts/spine.html"):
        expect(card).to_contain_text(f"templates/{name} cannot be used")


def test_a_theme_is_made_used_and_edited_while_a_real_desk_runs(serve_desk: Any, browser: Browser) -> None:
    desk = serve_desk()
    page = new_page(browser, color_scheme="light")
    page.goto(desk.setup_link)
    canvas = ground_of(page)

    def shows(color: str) -> bool:
        page.reload()
        return ground_of(page) == color

    desk.run("theme", "new", "harbour")
    desk.run("theme", "use", "harbour")
    wait_for(lambda: shows(canvas))
    file = desk.home / "themes" / "harbour" / "theme.toml"
    text = re.sub(r'(?m)^# canvas = "#f6f5f1"', 'canvas = "#aabbcc"', file.read_text())
    file.write_text(text)
    wait_for(lambda: shows("rgb(170, 187, 204)"))
    file.write_text(text.replace('"#aabbcc"', '"blue"'))
    wait_for(lambda: shows(canvas))
    wait_for(lambda: "The theme harbour" in desk.said() and "colours.light.canvas" in desk.said())
    file.write_text(text)
    wait_for(lambda: shows("rgb(170, 187, 204)"))
    desk.run("theme", "use", "default")
    wait_for(lambda: shows(canvas))
