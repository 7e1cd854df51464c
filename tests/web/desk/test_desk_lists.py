"""Lists: what they hold, in which order, page by page."""

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import views, workflow
from helpdesk.core.extensions import db
from helpdesk.core.filters import SORTS, TicketFilter
from helpdesk.core.models import Ticket, View
from helpdesk.core.pages import ticket_page
from helpdesk.web.desk import lists


def _subjects(page: bytes) -> list[str]:
    return [unescape(found) for found in re.findall(r'class="subj" dir="auto">([^<]*)<', page.decode())]


def _hit(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"/desk/views/all?f=1&{query}")
    assert answer.status_code == 200
    return _subjects(answer.data)


@pytest.fixture
def shop(world: Any) -> Any:
    world.open(
        subject="Where is my order",
        team_id=world.workshop,
        assignee_id=world.agent,
        priority="high",
        tags=["order", "late"],
    )
    world.open(subject="100% wool?", requester_id=world.other_requester, tags=["order"])
    world.do(workflow.set_status, "solved", ticket=world.open(subject="Thanks", team_id=world.workshop))
    return world


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("category=solved", {"Thanks"}),
        ("category=new&category=solved&tag=order", {"Where is my order", "100% wool?"}),
        ("tag=order&tag=late", {"Where is my order"}),
        ("tag=late,order", {"Where is my order"}),
        ("assignee=me", {"Where is my order"}),
        ("assignee=none&tag=order", {"100% wool?"}),
        ("assignee=me&assignee=none&tag=order", {"Where is my order", "100% wool?"}),
        ("team=1&category=new", {"Where is my order", "Rear brake rubs"}),
        ("team=none", {"100% wool?"}),
        ("priority=high", {"Where is my order"}),
        ("text=BRAKE", {"Rear brake rubs"}),
        ("text=otto", {"100% wool?"}),
        ("text=100%25", {"100% wool?"}),
        ("text=%25", {"100% wool?"}),
        ("text=_", set()),
        ("text=%231", {"Rear brake rubs"}),
        ("status=solved", {"Thanks"}),
        ("tag=nothing", set()),
    ],
)
def test_each_filter_finds_its_tickets(shop: Any, agent: FlaskClient, query: str, expected: set[str]) -> None:
    assert set(_hit(agent, query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "sort=password_hash",
        "sort=id;drop",
        "category=evil",
        "team=1%20or%201",
        "assignee=mine",
        "status=%27",
        "priority=x",
        "requester=0",
    ]
    + ["after=x", "after=1-2-3-4", "after=99999999999999999999-1", "before=1", "after=999999999999999999-1"],
)
def test_what_no_list_knows_is_refused_with_a_sentence(agent: FlaskClient, query: str) -> None:
    answer = agent.get(f"/desk/views/all?f=1&{query}")
    assert answer.status_code == 400
    assert b"<h1>" in answer.data and b"Traceback" not in answer.data


@pytest.mark.parametrize("sort", SORTS)
def test_pages_show_every_ticket_once_in_order_both_ways(world: Any, sort: str) -> None:
    for number in range(23):
        world.open(subject=f"Ticket {number}", priority=("low", "normal", "high")[number % 3])

    def walk() -> tuple[list[int], list[list[int]], list[list[int]]]:
        from helpdesk.core.models import User

        user = db.session.get(User, world.admin)
        whole = [row.ticket.id for row in ticket_page(user, TicketFilter(), sort, size=100).rows]
        down, page = [], ticket_page(user, TicketFilter(), sort, size=7)
        assert page.before is None
        while True:
            down.append([row.ticket.id for row in page.rows])
            if page.after is None:
                break
            page = ticket_page(user, TicketFilter(), sort, size=7, after=page.after)
        up = [[row.ticket.id for row in page.rows]]
        while page.before:
            page = ticket_page(user, TicketFilter(), sort, size=7, before=page.before)
            up.insert(0, [row.ticket.id for row in page.rows])
        return whole, down, up

    whole, down, up = world.read(walk)
    assert len(whole) == 25 and len(set(whole)) == 25
    assert [number for page in down for number in page] == whole
    assert [number for page in up for number in page] == whole


def test_the_list_continues_by_a_link_and_by_htmx(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    for number in range(40):
        world.open(subject=f"Ticket {number}")
    first = agent.get("/desk/views/all").data.decode()
    assert len(_subjects(first.encode())) == 30
    address = unescape(re.search(r'hx-get="([^"]*part=rows[^"]*)"', first)[1])
    rest = agent.get(address, headers=htmx).data
    assert b"<html" not in rest and len(_subjects(rest)) == 11
    assert not set(_subjects(rest)) & set(_subjects(first.encode()))
    plain = agent.get(unescape(re.search(r'<li class="list-end"><a href="([^"]*)"', first)[1])).data
    assert b"<html" in plain and _subjects(plain) == _subjects(rest)


def test_unread_until_read_and_again_after_a_new_message(world: Any, agent: FlaskClient, reply: Any) -> None:
    assert b"trow unread" in agent.get("/desk/views/all").data
    assert agent.post(f"/desk/tickets/{world.ticket}/read").status_code == 204
    assert b"trow unread" not in agent.get("/desk/views/all").data
    reply("More")
    assert b"trow unread" in agent.get("/desk/views/all").data
    assert b"trow unread" in world.client(world.colleague).get("/desk/views/all").data


def test_my_own_message_is_not_unread(world: Any, agent: FlaskClient, reply: Any) -> None:
    reply("I answered", actor=world.agent)
    assert b"trow unread" not in agent.get("/desk/views/all").data


def test_counts_agree_with_the_lists_and_stop_at_a_limit(
    world: Any, agent: FlaskClient, htmx: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        world.open(subject=f"Ticket {number}", assignee_id=world.agent if number < 2 else None)
    counts = dict(
        re.findall(r'id="n-([^"]+)" hx-swap-oob="true">([^<]*)<', agent.get("/desk/counts", headers=htmx).data.decode())
    )
    for key, count in counts.items():
        assert len(_subjects(agent.get(f"/desk/views/{key}").data)) == int(count), key
    monkeypatch.setattr(views, "COUNT_LIMIT", 5)
    monkeypatch.setattr(lists, "COUNT_LIMIT", 5)
    assert 'id="n-all" hx-swap-oob="true">5+<' in agent.get("/desk/counts", headers=htmx).data.decode()


def test_a_filter_is_saved_shown_and_deleted(world: Any, agent: FlaskClient) -> None:
    world.open(subject="Late order", tags=["late"])
    form = {"name": " Late  ones ", "tag": ["late"], "category": ["new"], "sort": "-priority", "view": "all"}
    answer = agent.post("/desk/views", data=form)
    number = world.read(lambda: db.session.query(View.id).scalar())
    assert answer.location.endswith(f"/desk/views/{number}")
    page = agent.get(answer.location).data
    assert _subjects(page) == ["Late order"] and "Late ones" in page.decode()
    assert world.read(lambda: db.session.get(View, number).sort) == "-priority"
    assert agent.post(f"/desk/views/{number}/delete").status_code == 303
    assert world.read(lambda: db.session.get(View, number)) is None


def test_a_view_without_a_name_comes_back_with_its_filter(agent: FlaskClient) -> None:
    answer = agent.post("/desk/views", data={"name": " ", "tag": ["late"], "view": "all"})
    assert answer.status_code == 303 and "tag=late" in answer.location
    assert b"Give the view a name." in agent.get(answer.location).data


def test_a_view_for_a_team_is_for_its_members(world: Any, admin: FlaskClient, agent: FlaskClient) -> None:
    admin.post("/desk/views", data={"name": "Board view", "shared_with": "team", "team_id": world.board})
    number = world.read(lambda: db.session.query(View.id).scalar())
    assert agent.get(f"/desk/views/{number}").status_code == 404
    assert admin.get(f"/desk/views/{number}").status_code == 200


def test_news_of_a_list_counts_what_others_changed(
    world: Any, agent: FlaskClient, htmx: dict[str, str], reply: Any
) -> None:
    since = int(re.search(r"/news\?since=(\d+)", agent.get("/desk/views/all").data.decode())[1])
    assert agent.get(f"/desk/views/all/news?since={since}", headers=htmx).status_code == 204
    reply("Mine", actor=world.agent)
    assert agent.get(f"/desk/views/all/news?since={since}", headers=htmx).status_code == 204
    reply("Theirs")
    world.do(workflow.set_priority, "high", ticket=world.hidden, actor=world.admin)
    news = agent.get(f"/desk/views/all/news?since={since}&back=https://evil.example/", headers=htmx)
    assert b"1 ticket has changed" in news.data and b"evil" not in news.data


def test_the_desk_begins_with_my_view(agent: FlaskClient) -> None:
    assert agent.get("/desk/").location.endswith("/desk/views/mine")
    assert b"All done" in agent.get("/desk/views/mine").data


def test_names_from_outside_are_shown_as_text(world: Any, agent: FlaskClient) -> None:
    world.open(subject="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    page = agent.get("/desk/views/all").data
    assert b"<script>alert" not in page and b"<img src=x" not in page
    assert b"&lt;script&gt;alert(1)" in page
    assert world.read(lambda: db.session.query(Ticket).count()) == 3
