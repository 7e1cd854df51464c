"""The plugins' places on pages: what is shown to whom, in which order, and what a plugin that fails does (nothing)."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint, request

from helpdesk.api import (
    Action,
    Badge,
    ComposerTool,
    MessageBlock,
    NavItem,
    Panel,
    Permission,
    Suggestion,
    hookimpl,
    lazy_gettext,
)

PANELS = ["ticket_panels", "user_panels", "team_panels", "dashboard_widgets", "portal_blocks"]
EVERY = [
    *PANELS,
    "message_blocks",
    "nav_items",
    "ticket_actions",
    "ticket_badges",
    "composer_tools",
    "reply_suggestions",
]


class Said:
    """What the plugin ``probe`` answers; tests put answers here by hook."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __setitem__(self, hook: str, answer: Any) -> None:
        self.answers[hook] = answer

    def to(self, hook: str, **arguments: Any) -> Any:
        self.asked.append((hook, arguments))
        answer = self.answers.get(hook)
        return answer(**arguments) if callable(answer) else answer


@pytest.fixture
def said() -> Said:
    return Said()


def _pages() -> Blueprint:
    pages = Blueprint("probe", "probe")
    pages.add_url_rule("/", "index", lambda: "index")
    pages.add_url_rule(
        "/again/<int:number>", "again", lambda number: f"again {request.method}", methods=["GET", "POST"]
    )
    pages.add_url_rule("/prices", "prices", lambda: "<p>prices</p>")
    return pages


@pytest.fixture
def desk_plugins(said: Said, tmp_path: Path) -> dict[str, Any]:
    """A plugin with pages, templates, a permission, and a hook for every place."""
    folder = tmp_path / "probe"
    (folder / "templates" / "probe").mkdir(parents=True)
    about = "{{ ticket and ticket.subject }}{{ team and team.name }}{{ person and person.name }}"
    (folder / "templates" / "probe" / "box.html").write_text("<p>{{ words }}</p>" + about)
    (folder / "templates" / "probe" / "broken.html").write_text("{{ 1 / 0 }}")
    (folder / "templates" / "probe" / "box.txt").write_text("{{ words }}")
    hooks: dict[str, Callable[..., Any]] = {
        "nav_items": lambda user: said.to("nav_items", user=user),
        "ticket_panels": lambda ticket, user: said.to("ticket_panels", ticket=ticket),
        "ticket_actions": lambda ticket, user: said.to("ticket_actions", ticket=ticket),
        "message_blocks": lambda messages, user: said.to("message_blocks", messages=messages),
        "ticket_badges": lambda tickets, user: said.to("ticket_badges", tickets=tickets),
        "composer_tools": lambda ticket, user: said.to("composer_tools", ticket=ticket),
        "reply_suggestions": lambda ticket, user: said.to("reply_suggestions", ticket=ticket),
        "user_panels": lambda person, user: said.to("user_panels", person=person),
        "team_panels": lambda team, user: said.to("team_panels", team=team),
        "dashboard_widgets": lambda user: said.to("dashboard_widgets", user=user),
        "portal_blocks": lambda user: said.to("portal_blocks", user=user),
        "register_blueprints": lambda: [_pages()],
        "register_permissions": lambda: [Permission("probe.see", "See it", roles=("admin",))],
    }
    module = SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})
    module.__file__ = str(folder / "__init__.py")
    return {"probe": module}


@pytest.fixture
def places(make_user: Any, make_ticket: Any, make_team: Any) -> dict[str, str]:
    """The page or part on which each place is."""
    # Without an administrator the customers' page only says that the desk is being set up.
    make_user("admin")
    ticket = make_ticket(team=make_team())
    number = ticket.id
    return {
        "nav_items": "/desk/me",
        "ticket_panels": f"/desk/tickets/{number}/side",
        "message_blocks": f"/desk/tickets/{number}",
        "ticket_actions": f"/desk/tickets/{number}",
        "ticket_badges": "/desk/views/all",
        "composer_tools": f"/desk/tickets/{number}",
        "reply_suggestions": f"/desk/tickets/{number}/suggestions",
        "user_panels": f"/desk/people/{ticket.requester_id}",
        "team_panels": f"/desk/teams/{ticket.team_id}",
        "dashboard_widgets": "/desk/dashboard/widgets",
        "portal_blocks": "/",
    }


def item(hook: str, words: str, permission: str | None = None, order: int = 100) -> Any:
    """Something for a place that shows ``words``."""
    if hook in PANELS:
        return Panel(words, "probe/box.html", {"words": words}, permission=permission, order=order)
    if hook == "message_blocks":
        # The first message of the desk.
        return MessageBlock(1, badge=words, permission=permission, order=order)
    if hook == "nav_items":
        return NavItem(words, "probe.index", permission=permission, order=order)
    if hook == "ticket_actions":
        return Action(words, "probe.again", {"number": 7}, permission=permission, order=order)
    if hook == "composer_tools":
        return ComposerTool(words, "probe.prices", permission=permission, order=order)
    return Suggestion(words, f"{words} text", score=-order)


ORDERED = [hook for hook in EVERY if hook != "ticket_badges"]
PERMITTED = [hook for hook in ORDERED if hook != "reply_suggestions"]


# ---- every place


@pytest.mark.parametrize("hook", ORDERED)
def test_what_a_plugin_puts_there_is_shown_in_its_order(
    said: Said, places: dict[str, str], as_agent: Any, hook: str
) -> None:
    said[hook] = [item(hook, "Second thing", order=20), item(hook, "First thing", order=10)]
    page = as_agent.get(places[hook]).text
    assert 0 < page.find("First thing") < page.find("Second thing")


@pytest.mark.parametrize("hook", PERMITTED)
def test_what_needs_a_permission_is_shown_to_those_who_have_it(
    said: Said, places: dict[str, str], as_agent: Any, as_admin: Any, hook: str
) -> None:
    said[hook] = [item(hook, "Secret thing", permission="probe.see")]
    assert "Secret thing" not in as_agent.get(places[hook]).text
    assert "Secret thing" in as_admin.get(places[hook]).text


def _generator() -> Any:
    yield from ()
    raise RuntimeError("in the middle")


WRONG: dict[str, Callable[[], Any]] = {
    "raises": lambda: 1 / 0,
    "exits": lambda: (_ for _ in ()).throw(SystemExit("gone")),
    "text": lambda: "words",
    "number": lambda: 7,
    "none_in_it": lambda: [None],
    "generator": _generator,
    "other_class": lambda: [Badge("VIP"), Permission("x", "y")],
    "other_mapping": lambda: {1: "words"},
}


@pytest.mark.parametrize("hook", EVERY)
def test_the_page_stands_whatever_a_plugin_returns(
    said: Said, places: dict[str, str], plug: Any, as_agent: Any, hook: str
) -> None:
    said[hook] = {} if hook == "ticket_badges" else [item(hook, "Good thing")]
    # One desk for all: each comes beside those before it.
    for wrong, answers in WRONG.items():
        plugin = plug(f"hostile_{wrong}", **{hook: lambda answers=answers: answers()})
        answer = as_agent.get(places[hook])
        assert answer.status_code == 200, wrong
        assert hook == "ticket_badges" or "Good thing" in answer.text, "the other plugin's is there"
        if not (hook == "ticket_badges" and wrong == "other_mapping"):
            assert plugin.health[hook].errors == 1, wrong


ODD: dict[str, dict[str, Any]] = {
    "no_label": {"label": None, "title": None},
    "foreign_class": {"label": 5, "title": 5, "order": "early"},
    "endpoint": {"endpoint": 5, "template": 5},
    "values": {"values": "words", "context": "words"},
}


@pytest.mark.parametrize("hook", PERMITTED)
def test_the_page_stands_whatever_is_in_an_item(said: Said, places: dict[str, str], as_agent: Any, hook: str) -> None:
    from dataclasses import fields, replace

    good = item(hook, "Good thing")
    names = {field.name for field in fields(good)}
    for odd, values in ODD.items():
        changes = {name: value for name, value in values.items() if name in names}
        said[hook] = [replace(good, **changes), good]
        answer = as_agent.get(places[hook])
        assert answer.status_code == 200 and "Good thing" in answer.text, odd


# ---- boxes


@pytest.mark.parametrize("hook", PANELS)
def test_what_goes_into_a_box_is_escaped(said: Said, places: dict[str, str], as_agent: Any, hook: str) -> None:
    said[hook] = [item(hook, "<script>alert(1)</script>")]
    page = as_agent.get(places[hook]).text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


@pytest.mark.parametrize("hook", [hook for hook in PANELS if hook != "portal_blocks"])
@pytest.mark.parametrize("template", ["probe/broken.html", "probe/not_there.html", "probe/box.txt"])
def test_a_box_that_cannot_be_shown_names_its_plugin(
    app: Any, said: Said, places: dict[str, str], as_agent: Any, hook: str, template: str
) -> None:
    said[hook] = [Panel("Broken", template, {"words": "<b>"}), Panel("Broken too", template), item(hook, "Good thing")]
    page = as_agent.get(places[hook]).text
    assert page.count("“probe” could not be shown") == 1 and "Good thing" in page
    from helpdesk.plugins import manager

    assert manager.current().plugins["probe"].health[hook].errors == 2


def test_customers_do_not_see_that_a_block_failed(said: Said, places: dict[str, str], client: Any) -> None:
    said["portal_blocks"] = [Panel("Broken", "probe/broken.html"), item("portal_blocks", "Opening hours")]
    page = client.get("/").text
    assert "Opening hours" in page and "probe" not in page


def test_a_stranger_has_no_permission(said: Said, make_user: Any, client: Any) -> None:
    make_user("admin")
    said["portal_blocks"] = [item("portal_blocks", "Secret thing", permission="probe.see")]
    assert client.get("/").status_code == 200
    assert said.asked == [("portal_blocks", {"user": None})]
    assert "Secret thing" not in client.get("/").text


def test_a_box_knows_what_it_stands_beside(said: Said, places: dict[str, str], as_agent: Any) -> None:
    # Its context cannot hide it.
    said["ticket_panels"] = [Panel("About it", "probe/box.html", {"ticket": "nothing"})]
    assert "Rear brake rubs" in as_agent.get(places["ticket_panels"]).text
    said["team_panels"] = [Panel("About it", "probe/box.html")]
    assert "Workshop" in as_agent.get(places["team_panels"]).text.split('data-plugin="probe"')[1]


def test_parts_of_messages_are_asked_for_once_and_stand_at_their_message(
    said: Said, places: dict[str, str], make_ticket: Any, as_agent: Any
) -> None:
    shown = MessageBlock(1, "probe/box.html", {"words": "<b>spoken", "message": "nothing"}, "Spoken", "By phone")
    said["message_blocks"] = [shown, MessageBlock(999999, badge="Ghost"), MessageBlock(1), MessageBlock(1, "x.txt")]
    page = as_agent.get(places["message_blocks"]).text
    (asked,) = [arguments["messages"] for hook, arguments in said.asked if hook == "message_blocks"]
    assert [message.id for message in asked] == [1]
    below = page.split('id="m1"')[1].split("</article>")[0]
    assert "&lt;b&gt;spoken" in below and 'title="By phone">Spoken</span>' in below and "Ghost" not in page
    assert page.count("“probe” could not be shown") == 1, "what has neither template nor badge, or one of another kind"


# ---- links and buttons


@pytest.mark.parametrize("hook", ["nav_items", "ticket_actions", "composer_tools"])
@pytest.mark.parametrize("endpoint", ["admin.home", "probe.nowhere", "probe", "desk.home"])
def test_a_link_leads_to_a_page_of_the_plugin_or_is_left_out(
    said: Said, places: dict[str, str], as_admin: Any, caplog: pytest.LogCaptureFixture, hook: str, endpoint: str
) -> None:
    from dataclasses import replace

    said[hook] = [replace(item(hook, "Elsewhere"), endpoint=endpoint), item(hook, "Good thing")]
    with caplog.at_level(logging.ERROR):
        pages = [as_admin.get(places[hook]).text for _time in range(2)]
    assert "Elsewhere" not in pages[1] and "Good thing" in pages[1]
    said_of_it = [record.getMessage() for record in caplog.records if record.name == "helpdesk.web.places"]
    assert [f"{endpoint}." in line for line in said_of_it] == [True], "said once, not on every page"


def test_an_action_is_a_form_with_the_token_or_a_link(
    app: Any, said: Said, places: dict[str, str], as_agent: Any
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    said["ticket_actions"] = [
        Action("Order again", "probe.again", {"number": 7}),
        Action("See orders", "probe.again", {"number": 8}, method="get"),
    ]
    page = as_agent.get(places["ticket_actions"]).text
    form = re.search(r'<form method="post" action="/p/probe/again/7">.*?</form>', page, re.DOTALL)
    token = form and re.search(r'name="csrf_token" value="([^"]+)"', form[0])
    assert form and token and "Order again" in form[0]
    assert as_agent.post("/p/probe/again/7", data={"csrf_token": token[1]}).text == "again POST"
    assert re.search(r'<a class="menu-item" href="/p/probe/again/8">', page)


def test_a_question_stands_before_the_button(said: Said, places: dict[str, str], as_agent: Any) -> None:
    said["ticket_actions"] = [Action("Refund", "probe.again", {"number": 7}, question="Give the money back?")]
    page = as_agent.get(places["ticket_actions"]).text
    asked = re.search(r'<details class="menu-ask">(.*?)</details>', page, re.DOTALL)
    assert asked and 0 < asked[1].find("Give the money back?") < asked[1].find("/p/probe/again/7")


def test_without_actions_the_menu_holds_what_is_the_desks_own(
    said: Said, places: dict[str, str], as_agent: Any
) -> None:
    def entries() -> list[str]:
        menu = as_agent.get(places["ticket_actions"]).text.split('id="ticket-actions"')[1].split("</details>")[0]
        return re.findall(r"<span>([^<]+)</span>", menu)

    assert entries() == ["Merge into…"]
    said["ticket_actions"] = [item("ticket_actions", "Order again")]
    assert entries() == ["Merge into…", "Order again"]


def test_words_may_be_translated_late_and_are_never_html(said: Said, places: dict[str, str], as_agent: Any) -> None:
    from markupsafe import Markup

    said["nav_items"] = [NavItem(lazy_gettext("Late words"), "probe.index"), NavItem(Markup("<b>x"), "probe.index")]
    page = as_agent.get(places["nav_items"]).text
    assert "Late words" in page and "&lt;b&gt;x" in page and "<b>x" not in page


# ---- badges


def test_a_list_asks_once_and_shows_each_badge_at_its_ticket(
    said: Said, make_ticket: Any, make_user: Any, as_agent: Any
) -> None:
    requester = make_user()
    tickets = [make_ticket(f"Ticket {number}", requester=requester) for number in range(3)]
    first = tickets[0].id
    said["ticket_badges"] = {
        first: [Badge("VIP", "violet", "Pays a lot"), Badge("Odd", "pink")],
        999999: [Badge("Ghost")],
    }
    page = as_agent.get("/desk/views/all").text
    asked = [arguments["tickets"] for hook, arguments in said.asked if hook == "ticket_badges"]
    assert [len(tickets) for tickets in asked] == [3]
    assert page.count("VIP") == 1 and "chip-violet" in page and "Pays a lot" in page and "Ghost" not in page
    assert "chip-pink" not in page, "an unknown tone is grey"
    assert "VIP" in as_agent.get(f"/desk/tickets/{first}").text
    assert "VIP" in as_agent.get(f"/desk/tickets/{first}/row").text
