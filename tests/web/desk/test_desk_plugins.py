"""What plugins put around the composer, in a real Chromium and without a script."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint, Flask, render_template, request
from playwright.sync_api import Browser, Page, expect

from helpdesk.api import ComposerTool, Panel, Suggestion, hookimpl

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PRICES = """{% extends "layouts/sheet.html" %}
{% block heading %}Price list{% endblock %}
{% block content %}
<form action="{{ url_for('shop.prices') }}"><input name="product" aria-label="Product"><button>Search</button></form>
<ul>{% for name in names %}<li><span data-insert="{{ name }} £12">{{ name }}</span></li>{% endfor %}</ul>
<p>For: {{ product }}</p>
{% endblock %}"""
ANSWER = "Hello,\n\nyour order is on its way."


def _pages() -> Blueprint:
    pages = Blueprint("shop", "shop")

    def prices() -> str:
        return render_template("shop/prices.html", names=["Chain", "Pads"], product=request.args.get("product", ""))

    def broken() -> str:
        raise RuntimeError("no prices today")

    pages.add_url_rule("/prices", "prices", prices)
    pages.add_url_rule("/broken", "broken", broken)
    return pages


@pytest.fixture
def desk_plugins(tmp_path: Path) -> dict[str, Any]:
    templates = tmp_path / "shop" / "templates" / "shop"
    templates.mkdir(parents=True)
    (templates / "prices.html").write_text(PRICES)
    (templates / "box.html").write_text("<p>Orders today: 7</p>")
    hooks: dict[str, Callable[..., Any]] = {
        "register_blueprints": lambda: [_pages()],
        "composer_tools": lambda: [ComposerTool("Prices", "shop.prices"), ComposerTool("Broken", "shop.broken")],
        "reply_suggestions": lambda: [Suggestion("On its way", ANSWER, reason="It names an order.")],
        "dashboard_widgets": lambda: [Panel("Shop", "shop/box.html")],
    }
    module = SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})
    module.__file__ = str(tmp_path / "shop" / "__init__.py")
    return {"shop": module}


@pytest.fixture
def address(app: Flask, listen: Callable[[Any], str]) -> str:
    return listen(app)


@pytest.fixture
def open_page(as_agent: Any, browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    contexts = []

    def make(**more: Any) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **more)
        contexts.append(context)
        context.add_cookies([{"name": "helpdesk", "value": as_agent.get_cookie("helpdesk").value, "url": address}])
        page = context.new_page()
        page.set_default_timeout(120_000)
        return page

    yield make
    # A page that is left open goes on asking the desk, which ends first.
    for context in contexts:
        context.close()


def test_a_tool_opens_below_the_text_and_inserts_where_the_cursor_is(
    address: str, open_page: Callable[..., Page], make_ticket: Any
) -> None:
    page = open_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{address}/desk/tickets/{make_ticket().id}")
    editor = page.locator("trix-editor")
    editor.click()
    page.keyboard.type("It costs now.")
    expect(editor).to_have_text("It costs now.")
    # Keys would race with the editor, which draws its text anew behind each of them.
    editor.evaluate("it => it.editor.setSelectedRange(9)")
    tool = page.locator("[data-tool=Prices]")
    tool.focus()
    page.keyboard.press("Enter")
    pane = page.locator("#composer-tool")
    expect(pane).to_contain_text("Chain")
    expect(pane.locator("h1, nav")).to_have_count(0)
    expect(tool).to_have_attribute("aria-expanded", "true")
    pads = pane.get_by_role("button", name="Pads")
    pads.focus()
    page.keyboard.press("Enter")
    expect(editor).to_have_text("It costs Pads £12now.")
    # What the plugin's page has of links and forms stays in the pane, and the text stays typed.
    pane.locator("[name=product]").fill("Bell")
    page.keyboard.press("Enter")
    expect(pane).to_contain_text("For: Bell")
    expect(page.locator("#ticket h1")).to_have_text("Rear brake rubs")
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()
    expect(tool).to_be_focused()
    expect(editor).to_have_text("It costs Pads £12now.")
    assert complaints == []


def test_a_tool_that_fails_is_said_and_nothing_is_lost(
    address: str, open_page: Callable[..., Page], make_ticket: Any
) -> None:
    page = open_page()
    page.goto(f"{address}/desk/tickets/{make_ticket().id}")
    page.locator("trix-editor").click()
    page.keyboard.type("Half a sentence")
    expect(page.locator("trix-editor")).to_have_text("Half a sentence")
    page.locator("[data-tool=Broken]").click()
    expect(page.locator(".toastbar").last).to_contain_text("Nothing was lost")
    expect(page.locator("#composer-tool")).to_be_hidden()
    expect(page.locator("trix-editor")).to_have_text("Half a sentence")
    page.locator("[data-tool=Prices]").click()
    expect(page.locator("#composer-tool")).to_contain_text("Chain")


def test_a_suggestion_goes_into_the_composer_from_the_keyboard(
    address: str, open_page: Callable[..., Page], make_ticket: Any
) -> None:
    page = open_page()
    page.goto(f"{address}/desk/tickets/{make_ticket().id}")
    summary = page.locator("#suggestions summary").first
    expect(summary).to_contain_text("1 suggested answer")
    expect(page.locator("#composer[data-editor] trix-editor")).to_be_visible()
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#suggestions")).to_contain_text("It names an order.")
    page.locator("#suggestions [data-insert]").focus()
    page.keyboard.press("Enter")
    editor = page.locator("trix-editor")
    expect(editor).to_be_focused()
    expect(editor).to_have_text(ANSWER, use_inner_text=True)
    expect(page.locator("#suggestions .menu-pop")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-agent")).to_contain_text("your order is on its way.")
    expect(page.locator("#suggestions summary").first).to_contain_text("1 suggested answer")


def test_without_a_script_they_are_links_and_text(
    address: str, open_page: Callable[..., Page], make_ticket: Any
) -> None:
    page = open_page(java_script_enabled=False)
    ticket = f"{address}/desk/tickets/{make_ticket().id}"
    page.goto(ticket)
    page.locator("#suggestions a").click()
    expect(page.locator("main")).to_contain_text("your order is on its way.")
    page.goto(ticket)
    page.locator("[data-tool=Prices]").click()
    expect(page.locator("h1")).to_have_text("Price list")
    page.goto(f"{address}/desk/dashboard")
    page.get_by_role("link", name="More from the plugins").click()
    expect(page.locator("main")).to_contain_text("Orders today: 7")


def test_widgets_arrive_after_the_page(address: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(f"{address}/desk/dashboard")
    expect(page.locator("#widgets .box")).to_contain_text("Orders today: 7")
