"""The pages of the desk's first week, looked at by axe-core and for anything that stands over the edge."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import url_for

from helpdesk.core import canned, settings, workflow
from helpdesk.core.canned import Canned
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Message
from helpdesk.core.settings import DeskSettings
from tests.browser.settling import ALL, FEW, look_over, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


@pytest.fixture
def ticket(make_user: Any, make_ticket: Any, make_team: Any) -> Any:
    """A ticket in the middle of its life: of a team, promised, late, with an answer and a note."""
    settings.save(DeskSettings, {"set_up": True}, None)
    jo, rita = make_user("agent", name="Jo Ashby"), make_user(name="Rita Bell", email="rita@post.example")
    team = make_team("Workshop", members=[jo])
    made = make_ticket("The lock of the second wheel is stuck", requester=rita, assignee=jo, team=team, tags=["lock"])
    make_ticket("The lock again", requester=rita)
    workflow.reply(made, MessageDraft("Please try oil."), jo)
    workflow.note(made, MessageDraft("A known fault."), jo)
    workflow.promise_answer(made, now() + timedelta(days=1), jo)
    canned.save(None, Canned("On its way", {"en": "Hello {{ customer.first_name | there }}"}, "Shipping"), jo)
    return made


_OF_TICKET = ("call_form", "merge_into", "ticket_times", "edit_all")
_OF_DESK = (
    "dashboard",
    "new_ticket",
    "canned_list",
    "new_canned",
    "macro_list",
    "new_macro",
    "roster_week",
    "promises",
    "drafts",
    "notifications",
    "notification_choices",
    "new_absence",
)


def test_pages_of_tickets(
    app: Any, open_as: Any, listen: Callable[[Any], str], make_user: Any, sign_in: Any, picture: Any, ticket: Any
) -> None:
    address, number = listen(app), ticket.id
    page = open_as(sign_in(make_user("agent")), address, bypass_csp=True)
    with app.test_request_context():
        places = {name: url_for(f"desk.{name}", number=number) for name in _OF_TICKET}
    last = db.session.scalar(db.select(db.func.max(Message.id)).where(Message.ticket_id == number))
    places |= {"split": f"/desk/tickets/{number}/split?from={last}", "bulk": f"/desk/bulk?ids={number}"}
    places |= {"ticket": f"/desk/tickets/{number}", "list": "/desk/views/all", "filter": "/desk/views/all/filter"}
    problems = []
    for name, path in places.items():
        answer = page.goto(f"{address}{path}")
        assert answer is not None and answer.ok, (name, path)
        settle(page)
        problems += look_over(page, f"basics-{name}", picture, ALL if name in ("ticket", "list") else FEW)
    assert problems == []


def test_pages_of_the_desk(
    app: Any, open_as: Any, listen: Callable[[Any], str], make_user: Any, sign_in: Any, picture: Any, ticket: Any
) -> None:
    address = listen(app)
    page = open_as(sign_in(make_user("supervisor")), address, bypass_csp=True)
    with app.test_request_context():
        places = {name: url_for(f"desk.{name}") for name in _OF_DESK}
    problems = []
    for name, path in places.items():
        answer = page.goto(f"{address}{path}")
        assert answer is not None and answer.ok, (name, path)
        problems += look_over(page, f"basics-{name}", picture, FEW)
    assert problems == []


def test_pages_of_the_owner(
    app: Any, open_as: Any, listen: Callable[[Any], str], make_user: Any, sign_in: Any, picture: Any, ticket: Any
) -> None:
    address, leaver = listen(app), ticket.assignee_id
    page = open_as(sign_in(make_user("admin")), address, bypass_csp=True)
    problems = []
    for path in ("topics", "types", f"people/{leaver}/handover", "hours/new"):
        answer = page.goto(f"{address}/admin/{path}")
        assert answer is not None and answer.ok, path
        problems += look_over(page, f"basics-admin-{path.replace('/', '-')}", picture, FEW)
    assert problems == []
