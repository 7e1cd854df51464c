"""Who may open what. Not yours and not there are the same answer, to the byte."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import files, workflow
from helpdesk.core.drafts import MessageDraft, StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Follower, Message, Team, Ticket, User, View

GETS = [
    "/desk/",
    "/desk/views",
    "/desk/counts",
    "/desk/views/mine",
    "/desk/views/mine/news",
    "/desk/tickets/new",
    "/desk/people",
    "/desk/people/{rita}",
    "/desk/me",
    "/desk/dashboard",
    "/desk/dashboard/widgets",
    "/desk/teams/{workshop}",
    "/desk/reports",
    "/desk/bulk",
    "/desk/bulk/1",
    "/desk/canned",
    "/desk/canned/1",
    "/desk/canned/export",
    "/desk/canned/new",
    "/desk/drafts",
    "/desk/macros",
    "/desk/macros/1",
    "/desk/macros/new",
    "/desk/me/tokens",
    "/desk/merge",
    "/desk/notifications",
    "/desk/notifications/choices",
    "/desk/notifications/news",
    "/desk/numbers",
    "/desk/palette",
    "/desk/promises",
    "/desk/roster",
    "/desk/roster/absences/new",
    "/desk/roster/shifts/1",
    "/desk/roster/shifts/new",
    "/desk/search",
    "/desk/tickets/new/callers",
    "/desk/views/mine/edit",
    "/desk/views/mine/filter",
]
TICKET_GETS = [
    "/desk/tickets/{n}",
    "/desk/tickets/{n}/conversation",
    "/desk/tickets/{n}/news",
    "/desk/tickets/{n}/row",
    "/desk/tickets/{n}/side",
    "/desk/tickets/{n}/suggestions",
    "/desk/tickets/{n}/edit",
    "/desk/tickets/{n}/menu/team",
    "/desk/tickets/{n}/menu/assignee",
    "/desk/tickets/{n}/calls",
    "/desk/tickets/{n}/canned",
    "/desk/tickets/{n}/canned/1",
    "/desk/tickets/{n}/colleagues",
    "/desk/tickets/{n}/macros",
    "/desk/tickets/{n}/macros/1",
    "/desk/tickets/{n}/merge",
    "/desk/tickets/{n}/split",
    "/desk/tickets/{n}/times",
]
POSTS = [
    ("/desk/views", {"name": "A view"}),
    ("/desk/tickets/new", {"subject": "x", "email": "a@b.example", "text": "x", "written_by": "us"}),
    ("/desk/me", {"name": "Mallory"}),
    ("/desk/me/tokens", {"name": "x", "days": "30"}),
    ("/desk/me/tokens/1/revoke", {}),
    ("/desk/people/{rita}/mail-arrives", {}),
    ("/desk/people/{rita}/wants-care", {}),
    ("/desk/bulk", {"ids": "1", "do": "set_priority", "priority": "high"}),
    ("/desk/bulk/1/undo", {}),
    ("/desk/canned/1", {"name": "Mine"}),
    ("/desk/canned/1/delete", {}),
    ("/desk/canned/import", {}),
    ("/desk/canned/new", {"name": "Mine"}),
    ("/desk/macros/1", {"name": "Mine"}),
    ("/desk/macros/1/delete", {}),
    ("/desk/macros/new", {"name": "Mine"}),
    ("/desk/merge", {"ids": "1,2", "survivor": "1"}),
    ("/desk/merges/1/undo", {}),
    ("/desk/notifications/choices", {}),
    ("/desk/notifications/read", {}),
    ("/desk/roster/absences/1/remove", {}),
    ("/desk/roster/absences/new", {}),
    ("/desk/roster/shifts/1", {}),
    ("/desk/roster/shifts/1/remove", {}),
    ("/desk/roster/shifts/new", {}),
    ("/desk/views/mine/edit", {"name": "Mine"}),
    ("/desk/views/mine/export", {}),
]
TICKET_POSTS = [
    ("/desk/tickets/{n}/messages", {"mode": "reply", "text": "Hello"}),
    ("/desk/tickets/{n}/messages", {"mode": "note", "text": "Hello"}),
    ("/desk/tickets/{n}/messages/1/again", {}),
    ("/desk/tickets/{n}/read", {}),
    ("/desk/tickets/{n}/set/status", {"value": "solved"}),
    ("/desk/tickets/{n}/set/priority", {"value": "high"}),
    ("/desk/tickets/{n}/set/subject", {"value": "Mine"}),
    ("/desk/tickets/{n}/set/team", {"value": ""}),
    ("/desk/tickets/{n}/set/assignee", {"value": ""}),
    ("/desk/tickets/{n}/set/tags", {"value": "mine"}),
    ("/desk/tickets/{n}/fields", {"key": "x", "value": "y"}),
    ("/desk/tickets/{n}/followers", {}),
    ("/desk/tickets/{n}/followers/1/remove", {}),
    ("/desk/tickets/{n}/calls", {"text": "Hello", "length": "1"}),
    ("/desk/tickets/{n}/canned", {"canned": "1"}),
    ("/desk/tickets/{n}/draft", {"mode": "reply", "text": "Hello"}),
    ("/desk/tickets/{n}/drafts/1/discard", {}),
    ("/desk/tickets/{n}/drafts/1/undo", {}),
    ("/desk/tickets/{n}/links", {"other": "1", "kind": "related"}),
    ("/desk/tickets/{n}/links/remove", {"other": "1"}),
    ("/desk/tickets/{n}/macros/1", {}),
    ("/desk/tickets/{n}/presence", {}),
    ("/desk/tickets/{n}/split", {"message": "1"}),
    ("/desk/tickets/{n}/times/due", {"value": "tomorrow"}),
]


def _every(world: Any) -> list[tuple[str, str, dict[str, str]]]:
    gets = [("GET", path, {}) for path in GETS + TICKET_GETS]
    posts = [("POST", path, form) for path, form in POSTS + TICKET_POSTS]
    ids = {"n": world.ticket, "rita": world.requester, "workshop": world.workshop}
    return [(method, path.format(**ids), form) for method, path, form in gets + posts]


def test_strangers_are_sent_to_sign_in(world: Any) -> None:
    client = world.client()
    for method, path, form in _every(world):
        answer = client.open(path, method=method, data=form)
        assert answer.status_code == 303, path
        assert "/sign-in" in answer.location


def test_customers_may_not_use_the_desk(world: Any) -> None:
    client = world.client(world.requester)
    for method, path, form in _every(world):
        assert client.open(path, method=method, data=form).status_code == 403, path


def test_every_route_of_the_desk_is_in_these_lists(world: Any) -> None:
    addresses = world.app.url_map.bind("localhost")
    known = {addresses.match(path, method=method)[0] for method, path, _form in _every(world)}
    # Asked for below or, those of plugins, in tests/web/test_reports.py.
    apart = {"desk.attachment", "desk.original", "desk.remove_view", "desk.report"}
    endpoints = {rule.endpoint for rule in world.app.url_map.iter_rules() if rule.endpoint.startswith("desk.")}
    assert endpoints - known - apart == set()


@pytest.mark.parametrize("path", TICKET_GETS)
def test_a_ticket_of_a_private_team_looks_like_none(world: Any, agent: FlaskClient, path: str) -> None:
    hidden, missing = agent.get(path.format(n=world.hidden)), agent.get(path.format(n=99999))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.data == missing.data


@pytest.mark.parametrize(("path", "form"), TICKET_POSTS)
def test_nobody_changes_a_ticket_that_they_do_not_see(
    world: Any, agent: FlaskClient, path: str, form: dict[str, str]
) -> None:
    def state() -> Any:
        ticket = db.session.get(Ticket, world.hidden)
        followers = db.session.query(Follower).filter_by(ticket_id=ticket.id).count()
        messages = db.session.query(Message).filter_by(ticket_id=ticket.id).count()
        return ticket.version, ticket.subject, ticket.category, ticket.team_id, followers, messages

    before = world.read(state)
    hidden = agent.post(path.format(n=world.hidden), data=form)
    missing = agent.post(path.format(n=99999), data=form)
    assert hidden.status_code == missing.status_code == 404
    assert world.read(state) == before


def test_a_hidden_ticket_is_in_no_list_and_no_count(
    world: Any, agent: FlaskClient, admin: FlaskClient, htmx: dict[str, str]
) -> None:
    for path in ("/desk/views/all", "/desk/views/unassigned", f"/desk/people/{world.requester}"):
        assert b"Board matter" not in agent.get(path).data
        assert b"Board matter" in admin.get(path).data
    assert b"Board" not in agent.get("/desk/views", headers=htmx).data
    assert agent.get(f"/desk/views/team-{world.board}").status_code == 404


def test_files_and_originals_of_hidden_tickets_look_like_none(
    world: Any, agent: FlaskClient, admin: FlaskClient
) -> None:
    def attach() -> StoredFile:
        return files.store_bytes(b"secret", "secret.txt", "text/plain")

    file = world.read(attach)
    message = world.do(workflow.note, MessageDraft(text="See", files=[file]), ticket=world.hidden, actor=world.admin)
    number = world.read(lambda: db.session.query(Attachment.id).filter_by(message_id=message).scalar())
    assert admin.get(f"/desk/attachments/{number}", buffered=True).data == b"secret"
    hidden, missing = agent.get(f"/desk/attachments/{number}", buffered=True), agent.get("/desk/attachments/99999")
    assert hidden.status_code == missing.status_code == 404
    assert agent.get(f"/desk/messages/{message}/original", buffered=True).status_code == 404


def test_views_of_others_look_like_none(world: Any, agent: FlaskClient) -> None:
    def keep() -> int:
        view = View(name="Private view", owner_id=world.colleague, filters={})
        db.session.add(view)
        db.session.commit()
        return view.id

    number = world.read(keep)
    assert agent.get(f"/desk/views/{number}").status_code == agent.get("/desk/views/99999").status_code == 404
    assert agent.post(f"/desk/views/{number}/delete").status_code == 404
    assert world.read(lambda: db.session.get(View, number)) is not None


def test_only_supervisors_share_views_and_delete_those_of_others(
    world: Any, agent: FlaskClient, admin: FlaskClient
) -> None:
    assert agent.post("/desk/views", data={"name": "For all", "shared_with": "everybody"}).status_code == 403
    assert admin.post("/desk/views", data={"name": "For all", "shared_with": "everybody"}).status_code == 303
    number = world.read(lambda: db.session.query(View.id).filter_by(name="For all").scalar())
    assert agent.get(f"/desk/views/{number}").status_code == 200
    assert agent.post(f"/desk/views/{number}/delete").status_code == 403
    assert admin.post(f"/desk/views/{number}/delete").status_code == 303


def test_a_private_team_looks_like_none_to_those_outside(world: Any, agent: FlaskClient, admin: FlaskClient) -> None:
    hidden, missing = agent.get(f"/desk/teams/{world.board}"), agent.get("/desk/teams/99999")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.data == missing.data
    assert "Board" in admin.get(f"/desk/teams/{world.board}").text
    with world.app.app_context():
        board = db.session.get(Team, world.board)
        board.members.append(db.session.get(User, world.agent))
        db.session.commit()
    assert "Board" in agent.get(f"/desk/teams/{world.board}").text
    assert agent.get(f"/desk/teams/{2**70}").status_code == 404
