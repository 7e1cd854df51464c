"""At most eight queries for a page or a part of one, whatever the number of tickets and messages."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import View

BUDGET = 8
# What a process keeps until it changes, one query each: settings, statuses, words of the owner, states of plugins,
# types with topics, hours with their days and teams.
KEPT = (
    "FROM setting",
    "FROM status ORDER",
    "FROM corrected_string",
    "FROM plugin_state",
    "FROM ticket_type",
    "FROM business_hours",
)
# Every page and part of the desk that shows tickets; {n} is a ticket's number.
PAGES = [
    "/desk/views/all",
    "/desk/views/all?f=1&category=open&category=new&assignee=none&sort=-priority",
    "/desk/tickets/{n}",
    "/desk/people",
    "/desk/people/4",
    "/desk/dashboard",
    "/desk/teams/1",
    "/desk/reports",
    "/desk/search?q=message",
    "/desk/views/all/filter",
    "/desk/bulk?ids={n}",
    "/desk/canned",
    "/desk/macros",
    "/desk/promises",
    "/desk/drafts",
    "/desk/notifications",
    "/desk/roster",
    "/desk/tickets/new",
    "/desk/tickets/{n}/times",
    "/desk/tickets/{n}/calls",
    "/desk/tickets/{n}/merge",
]
PARTS = [
    "/desk/views/all?part=rows",
    "/desk/views/all?part=pane&open={n}",
    "/desk/views",
    "/desk/counts",
    "/desk/views/all/news?since=0",
    "/desk/tickets/{n}",
    "/desk/tickets/{n}/conversation",
    "/desk/tickets/{n}/news?since=0",
    "/desk/tickets/{n}/side",
    "/desk/tickets/{n}/suggestions",
    "/desk/dashboard/widgets",
    "/desk/tickets/{n}/row",
    "/desk/tickets/{n}/menu/assignee",
    "/desk/tickets/{n}/menu/team",
    "/desk/tickets/{n}/macros",
    "/desk/palette?q=ticket",
    "/desk/tickets/new/callers?who=agent",
]


@pytest.fixture(scope="module")
def crowded(copied: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A desk with many tickets, messages, changes and views, that is only looked at: it is filled once."""
    with copied(tmp_path_factory.mktemp("crowded") / "home") as world:
        for number in range(60):
            world.open(subject=f"Ticket {number}", team_id=world.workshop, tags=[f"tag{number % 7}", "all"])
        for number in range(25):
            world.do(workflow.reply, MessageDraft(text=f"Message {number}"), actor=world.requester)
            world.do(workflow.set_priority, ("high", "low")[number % 2])
        with world.app.app_context():
            db.session.add_all(
                [View(name=f"View {number}", owner_id=world.agent, filters={"tag": ["all"]}) for number in range(12)]
            )
            db.session.commit()
        yield world


def _cost(world: Any, path: str, headers: dict[str, str]) -> list[str]:
    client = world.client(world.agent)
    client.get(path, headers=headers)
    with world.statements() as seen:
        answer = client.get(path, headers=headers)
    assert answer.status_code == 200, path
    return _without_the_clock(seen)


def _without_the_clock(queries: list[str]) -> list[str]:
    """Whether something has changed is asked every two seconds: on a slow machine more than once for a page."""
    return [query for query in queries if not query.startswith("SELECT generation.number")]


@pytest.mark.parametrize(("path", "part"), [(path, False) for path in PAGES] + [(path, True) for path in PARTS])
def test_a_page_costs_the_same_with_few_and_with_many(
    world: Any, crowded: Any, htmx: dict[str, str], reply: Callable[..., int], path: str, part: bool
) -> None:
    path, headers = path.format(n=world.ticket), htmx if part else {}
    reply("A second message")
    few, many = _cost(world, path, headers), _cost(crowded, path, headers)
    assert len(many) <= BUDGET, "\n".join(many)
    # A list with tags asks for them; an empty one need not.
    assert len(many) <= len(few) + 1, "\n".join(many)


@pytest.mark.parametrize("path", ["/desk/views/all", "/desk/tickets/{n}"])
def test_the_first_page_after_a_change_of_settings_asks_once_for_each_thing_that_is_kept(
    world: Any, agent: FlaskClient, queries: list[str], path: str
) -> None:
    from helpdesk.core import generation

    with world.app.app_context():
        generation.forget()
    queries.clear()
    assert agent.get(path.format(n=world.ticket)).status_code == 200
    asked = _without_the_clock(queries)
    kept = [query for query in asked if any(table in query for table in KEPT)]
    assert len(kept) <= len(KEPT), "\n".join(kept)
    assert len(asked) - len(kept) <= BUDGET, "\n".join(asked)
