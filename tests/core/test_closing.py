"""Closing takes a permission of its own, whatever way somebody of staff closes a ticket by."""

from typing import Any

import pytest

from helpdesk.api import MessageDraft, NotAllowed, close, db, note, reply, set_status, solve
from helpdesk.core.models import Message


@pytest.fixture
def kept_open(plug: Any) -> Any:
    """A plugin that denies closing to everybody of staff."""
    return plug("open", veto=lambda user, permission: False if permission == "ticket.close" else None)


def test_without_the_permission_no_way_closes_a_ticket(
    app: Any, make_user: Any, make_ticket: Any, kept_open: Any
) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    ways = [
        lambda: close(ticket, agent),
        lambda: set_status(ticket, "closed", agent),
        lambda: reply(ticket, MessageDraft("Bye.", status="closed"), agent),
        lambda: note(ticket, MessageDraft("Done.", status="closed"), agent),
    ]
    before = len(db.session.scalars(db.select(Message)).all())
    for way in ways:
        with pytest.raises(NotAllowed):
            way()
        db.session.rollback()
    assert not ticket.is_closed and len(db.session.scalars(db.select(Message)).all()) == before
    # Solving is no closing, and what the desk itself does needs no permission.
    assert solve(ticket, agent).category == "solved"
    assert close(ticket, None).is_closed


def test_with_the_permission_each_way_closes(app: Any, make_user: Any, make_ticket: Any) -> None:
    agent, one, two = make_user("agent"), make_ticket(), make_ticket()
    assert close(one, agent).is_closed
    reply(two, MessageDraft("Bye.", status="closed"), agent)
    assert two.is_closed


@pytest.mark.parametrize("denied", [False, True])
def test_pages_offer_closing_to_who_may(
    app: Any, make_user: Any, make_ticket: Any, sign_in: Any, request: Any, denied: bool
) -> None:
    if denied:
        request.getfixturevalue("kept_open")
    client, ticket = sign_in(make_user("agent")), make_ticket()
    for path in (f"/desk/tickets/{ticket.id}", f"/desk/tickets/{ticket.id}/edit", f"/desk/bulk?ids={ticket.id}"):
        page = client.get(path).text
        assert 'value="solved"' in page and ('value="closed"' in page) is not denied, path
    answer = client.post(f"/desk/tickets/{ticket.id}/set/status", data={"value": "closed", "version": ticket.version})
    db.session.rollback()
    assert ticket.is_closed is not denied and (answer.status_code == 403) is denied
