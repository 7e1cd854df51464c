"""Home: figures that open their tickets, what is next, and the plugins' boxes after it."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.api import Panel, hookimpl
from helpdesk.core import workflow
from helpdesk.core.clock import now
from helpdesk.core.transaction import transaction


@pytest.fixture
def reader(make_user: Any) -> Any:
    return make_user("agent", name="Abe Agent")


def _figures(page: str) -> dict[str, tuple[str, str]]:
    """Figure and address by label."""
    found = re.findall(
        r'<a class="number" href="([^"]+)"><span class="lab"[^>]*>([^<]+)</span><span class="fig">([^<]+)</span>', page
    )
    return {label: (figure, url.replace("&amp;", "&")) for url, label, figure in found}


def test_every_figure_opens_the_tickets_that_it_counts(
    sign_in: Any, reader: Any, make_ticket: Any, make_team: Any, make_user: Any
) -> None:
    mine, other = make_team("Workshop", [reader]), make_team("Sales")
    make_ticket("For me", assignee=reader, team=mine)
    make_ticket("Free in my team", team=mine, priority="urgent")
    make_ticket("Free elsewhere", team=other, priority="urgent")
    with transaction():
        make_ticket("Of no team").due_at = now() - timedelta(hours=1)
    make_ticket("Of a colleague", assignee=make_user("agent"), team=mine)
    waiting = make_ticket("I asked back", assignee=reader, team=mine)
    workflow.set_status(waiting, "pending", reader)
    client = sign_in(reader)
    figures = _figures(client.get("/desk/dashboard").text)
    subjects = {
        "Waiting for me": ["For me"],
        "Unassigned in my teams": ["Free in my team", "Of no team"],
        "Overdue": ["Of no team"],
        "Urgent and unsolved": ["Free in my team"],
        "Waiting for my customers": ["I asked back"],
        "All unsolved": ["For me", "Free in my team", "Free elsewhere", "Of no team", "Of a colleague", "I asked back"],
    }
    assert {label: figure for label, (figure, _url) in figures.items()} == {
        label: str(len(expected)) for label, expected in subjects.items()
    }
    for label, expected in subjects.items():
        rows = re.findall(r'class="subj"[^>]*>([^<]+)<', client.get(figures[label][1]).text)
        assert sorted(rows) == sorted(expected), label


def test_what_waits_for_the_reader_is_listed_the_most_urgent_first(sign_in: Any, reader: Any, make_ticket: Any) -> None:
    make_ticket("Quite calm", assignee=reader, priority="low")
    make_ticket("On fire", assignee=reader, priority="urgent")
    page = sign_in(reader).get("/desk/dashboard").text
    assert 0 < page.find("On fire") < page.find("Quite calm")
    assert page.count('class="tickets-of"') == 1


@pytest.mark.parametrize(
    ("tickets", "words", "leads"),
    [
        ([], "No ticket is open", "/desk/tickets/new"),
        (["free"], "There are tickets that nobody has taken yet.", "assignee=none"),
        (["taken"], "every ticket that you can see has somebody", "category=new"),
    ],
)
def test_an_empty_home_says_what_to_do(
    sign_in: Any, reader: Any, make_ticket: Any, make_user: Any, tickets: list[str], words: str, leads: str
) -> None:
    for kind in tickets:
        make_ticket("A ticket", assignee=make_user("agent") if kind == "taken" else None)
    page = sign_in(reader).get("/desk/dashboard").text
    empty = page.split('<div class="empty">')[1].split("</section>")[0]
    assert words in empty and leads in empty


def test_teams_stand_with_their_figures(
    sign_in: Any, reader: Any, make_user: Any, make_ticket: Any, make_team: Any
) -> None:
    mine, other = make_team("Workshop", [reader]), make_team("Sales")
    make_ticket("A", team=mine, assignee=reader)
    make_ticket("B", team=mine)
    row = r"<bdi>Workshop</bdi></a></td><td[^>]*><a [^>]*>2</a></td><td[^>]*><a [^>]*>1</a>"
    page = sign_in(reader).get("/desk/dashboard").text
    assert re.search(row, page) and f'href="/desk/teams/{mine.id}"' in page and "Sales" not in page
    page = sign_in(make_user("supervisor")).get("/desk/dashboard").text
    assert re.search(row, page) and f'href="/desk/teams/{other.id}"' in page, "who leads sees all of them"


def test_a_team_page_counts_for_the_team_and_for_each_member(
    sign_in: Any, reader: Any, make_user: Any, make_ticket: Any, make_team: Any
) -> None:
    gone = make_user("agent", name="Gone Agent")
    team = make_team("Workshop", [reader, gone])
    with transaction():
        gone.active = False
    for _number in range(3):
        make_ticket("Taken", team=team, assignee=reader)
    make_ticket("Free", team=team)
    client = sign_in(reader)
    page = client.get(f"/desk/teams/{team.id}").text
    figures = _figures(page)
    assert figures["Unsolved"][0] == "4" and figures["Unassigned"][0] == "1"
    assert client.get(figures["Unassigned"][1]).text.count('class="subj"') == 1
    member = page.split("<h2>Members</h2>")[1].split("<bdi>Abe Agent</bdi>")[1]
    assert re.search(r'href="([^"]+)">3</a>', member) and "Gone Agent" not in page
    assert f'href="/desk/teams/{team.id}"' in client.get(f"/desk/views/team-{team.id}").text


def test_the_plugins_boxes_are_asked_for_after_the_page(sign_in: Any, reader: Any, plug: Any) -> None:
    client = sign_in(reader)
    assert "/desk/dashboard/widgets" not in client.get("/desk/dashboard").text, "no plugin, nothing to load"
    asked: list[str] = []
    plug("orders", dashboard_widgets=lambda user: asked.append(user.name) or [Panel("Orders", "desk/nothing.html")])
    page = client.get("/desk/dashboard").text
    assert 'hx-get="/desk/dashboard/widgets"' in page and '<a href="/desk/dashboard/widgets">' in page
    assert asked == []
    part = client.get("/desk/dashboard/widgets", headers={"HX-Request": "true"}).text
    assert asked == ["Abe Agent"] and "<html" not in part and "“orders” could not be shown" in part
    assert "<html" in client.get("/desk/dashboard/widgets").text


def test_home_is_in_the_navigation(sign_in: Any, reader: Any) -> None:
    page = sign_in(reader).get("/desk/dashboard").text
    assert re.search(r'<a href="/desk/dashboard" aria-current="page"[^>]*title="Home">', page)
    spine = page.split('<nav class="spine"')[1].split("</nav>")[0]
    assert spine.count('aria-current="page"') == 1


def test_what_plugins_do_wrong_on_home_is_told(sign_in: Any, reader: Any, plug: Any) -> None:
    def broken(user: Any) -> Any:
        raise RuntimeError("no luck")

    module = SimpleNamespace(dashboard_widgets=hookimpl(broken))
    from helpdesk.plugins import manager

    manager.current().add("broken", module)
    assert "“broken” could not be shown" in sign_in(reader).get("/desk/dashboard/widgets").text


def test_what_is_late_or_promised_stands_beside_and_leaders_see_all_of_it(
    sign_in: Any, reader: Any, make_user: Any, make_ticket: Any, count_queries: Any
) -> None:
    late, own = make_ticket("Late", assignee=reader), make_ticket("Never due", assignee=reader)
    promised = make_ticket("Of another", assignee=make_user("agent"))
    with transaction():
        late.due_at, own.promised_at, promised.promised_at = (now() + timedelta(hours=hours) for hours in (-1, 1, 1))
    client = sign_in(reader)
    client.get("/desk/dashboard")
    with count_queries() as statements:
        page = client.get("/desk/dashboard").text
    assert len(statements) <= 8, "\n".join(statements)
    mine = page.split("<h2>Late or promised</h2>")[1].split("</section>")[0]
    assert mine.index(">Late<") < mine.index(">Never due<") and "Of another" not in mine
    page = sign_in(make_user("supervisor")).get("/desk/dashboard").text
    assert "Of another" in page.split("<h2>Late or promised</h2>")[1].split("</section>")[0]


def test_who_is_new_sees_what_to_do_first(sign_in: Any, reader: Any, make_ticket: Any, travel: Any) -> None:
    client = sign_in(reader)
    steps = client.get("/desk/dashboard").text.split("<h2>First steps</h2>")[1].split("</section>")[0]
    assert steps.count("<a ") == 3 and "step-done" not in steps
    with transaction():
        reader.signature = "Yours, Abe"
    steps = client.get("/desk/dashboard").text.split("<h2>First steps</h2>")[1].split("</section>")[0]
    assert steps.count("<a ") == 2 and steps.count("step-done") == 1
    with transaction():
        reader.created_at = now() - timedelta(days=15)
    assert "First steps" not in client.get("/desk/dashboard").text
