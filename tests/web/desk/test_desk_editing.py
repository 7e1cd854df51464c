"""The facts of a ticket, changed in place; people; preferences; new tickets."""

import io
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import accounts, workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Follower, Message, Ticket, TicketField, User


def _set(
    client: FlaskClient, world: Any, what: str, value: Any, headers: dict[str, str] | None = None, **form: Any
) -> Any:
    return client.post(f"/desk/tickets/{world.ticket}/set/{what}", data={"value": value, **form}, headers=headers)


def _ticket(world: Any, look: Any) -> Any:
    return world.read(lambda: look(db.session.get(Ticket, world.ticket)))


@pytest.mark.parametrize(
    ("what", "value", "look", "after"),
    [
        ("subject", " Brake  squeals ", lambda ticket: ticket.subject, "Brake squeals"),
        ("status", "solved", lambda ticket: ticket.category, "solved"),
        ("priority", "urgent", lambda ticket: ticket.priority, "urgent"),
        ("team", "", lambda ticket: ticket.team_id, None),
        ("assignee", "2", lambda ticket: ticket.assignee_id, 2),
        (
            "tags",
            "Brakes, warranty，新车",
            lambda ticket: {tag.name for tag in ticket.tags},
            {"brakes", "warranty", "新车"},
        ),
    ],
)
def test_each_fact_is_changed_by_a_plain_form_and_by_htmx(
    world: Any, agent: FlaskClient, htmx: dict[str, str], what: str, value: str, look: Any, after: Any
) -> None:
    assert _set(agent, world, what, value).status_code == 303
    assert _ticket(world, look) == after
    answer = _set(agent, world, what, value, headers=htmx)
    assert answer.status_code == 204 and "ticket-changed" in json.loads(answer.headers["HX-Trigger"])


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("subject", " "),
        ("subject", "x" * 301),
        ("status", "sold"),
        ("priority", "nuclear"),
        ("team", "999"),
        ("team", "x"),
    ]
    + [("assignee", "999"), ("assignee", "4"), ("tags", "x" * 60), ("assignee", "9" * 30)],
)
def test_what_cannot_be_is_said_in_a_sentence(
    world: Any, agent: FlaskClient, htmx: dict[str, str], what: str, value: str
) -> None:
    before = _ticket(world, lambda ticket: ticket.version)
    for headers in (None, htmx):
        answer = _set(agent, world, what, value, headers=headers)
        assert answer.status_code == 422 and b"Nothing was changed" in answer.data
    assert _ticket(world, lambda ticket: ticket.version) == before


def test_an_unknown_fact_is_not_there(world: Any, agent: FlaskClient) -> None:
    assert _set(agent, world, "requester_id", "5").status_code == 404
    assert _set(agent, world, "access_key", "x").status_code == 404


@pytest.mark.parametrize(
    ("what", "verb", "theirs", "mine", "shown"),
    [
        ("priority", workflow.set_priority, "low", "urgent", "Urgent"),
        ("subject", workflow.set_subject, "Theirs", "Mine", "Mine"),
        ("status", workflow.set_status, "solved", "pending", "Pending"),
        ("tags", workflow.set_tags, ["theirs"], "mine", "mine"),
    ],
)
def test_a_stale_form_gets_the_choice(
    world: Any, agent: FlaskClient, what: str, verb: Any, theirs: Any, mine: str, shown: str
) -> None:
    version = _ticket(world, lambda ticket: ticket.version)
    world.do(verb, theirs, actor=world.colleague)
    answer = _set(agent, world, what, mine, version=version)
    page = answer.data.decode()
    assert answer.status_code == 409
    assert "Somebody changed the same thing" in page and "Cora Colleague" in page and f"Set it anyway: {shown}" in page
    newer = re.search(r'name="version" value="(\d+)"', page)[1]
    assert _set(agent, world, what, mine, version=newer).status_code == 303


def test_assignee_and_team_can_be_stale_too(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    version = _ticket(world, lambda ticket: ticket.version)

    def theirs() -> None:
        colleague = db.session.get(User, world.colleague)
        workflow.assign(db.session.get(Ticket, world.ticket), colleague, colleague)
        workflow.move(db.session.get(Ticket, world.ticket), None, colleague)

    world.read(theirs)
    mine = _set(agent, world, "assignee", str(world.agent), headers=htmx, version=version)
    assert mine.status_code == 409 and b"Set it anyway: Abe Agent" in mine.data and b"<html" not in mine.data
    moved = _set(agent, world, "team", str(world.workshop), version=version)
    assert moved.status_code == 409 and b"Set it anyway: Workshop" in moved.data


def test_menus_offer_agents_and_teams(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    menu = agent.get(f"/desk/tickets/{world.ticket}/menu/assignee", headers=htmx).data.decode()
    assert "Take it myself" in menu and "Cora Colleague" in menu and "Rita Requester" not in menu
    assert "Workshop" in agent.get(f"/desk/tickets/{world.ticket}/menu/team", headers=htmx).data.decode()


# ---- followers and fields


def _followers(world: Any) -> set[int]:
    return world.read(lambda: {row.user_id for row in db.session.query(Follower).filter_by(ticket_id=world.ticket)})


def test_followers_come_and_go(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    path = f"/desk/tickets/{world.ticket}/followers"
    assert agent.post(path, headers=htmx).status_code == 200
    assert agent.post(path, data={"email": "Otto@Other.example"}).status_code == 303
    assert _followers(world) == {world.agent, world.other_requester}
    assert "otto@other.example" in agent.get(f"/desk/tickets/{world.ticket}").data.decode()
    assert agent.post(f"{path}/{world.other_requester}/remove", headers=htmx).status_code == 200
    assert _followers(world) == {world.agent}


def test_an_address_that_is_none_stays_in_its_field(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    for headers in (None, htmx):
        answer = agent.post(f"/desk/tickets/{world.ticket}/followers", data={"email": "nobody"}, headers=headers)
        page = answer.data.decode()
        assert answer.status_code == 422 and "“nobody” is no e-mail address." in page
        assert 'value="nobody"' in page and 'aria-describedby="side-problem"' in page


@pytest.fixture
def fields(world: Any) -> Any:
    def make() -> None:
        kinds = [
            ("serial", "text", []),
            ("model", "choice", ["Alba", "Minnow"]),
            ("weight", "number", []),
            ("bought", "date", []),
        ]
        db.session.add_all(
            TicketField(key=key, label=key.title(), kind=kind, choices=choices) for key, kind, choices in kinds
        )
        db.session.add(TicketField(key="club", label="Club", kind="checkbox"))
        db.session.commit()

    world.read(make)
    return world


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("serial", "A7", 'value="A7"'),
        ("model", "Minnow", '<option value="Minnow" selected>'),
        ("weight", "12.5", 'value="12.5"'),
        ("bought", "2026-02-14", 'value="2026-02-14"'),
        ("club", "yes", 'value="yes" checked'),
    ],
)
def test_every_kind_of_field_is_filled_in_and_emptied(
    fields: Any, agent: FlaskClient, htmx: dict[str, str], key: str, value: str, shown: str
) -> None:
    path = f"/desk/tickets/{fields.ticket}/fields"
    answer = agent.post(path, data={"key": key, "value": value}, headers=htmx)
    assert answer.status_code == 200 and shown in answer.data.decode()
    assert shown not in agent.post(path, data={"key": key}, headers=htmx).data.decode()


@pytest.mark.parametrize(
    ("key", "value"), [("model", "Tandem"), ("weight", "heavy"), ("bought", "yesterday"), ("nothing", "x")]
)
def test_a_value_that_does_not_fit_is_said_beside_the_field(
    fields: Any, agent: FlaskClient, htmx: dict[str, str], key: str, value: str
) -> None:
    answer = agent.post(f"/desk/tickets/{fields.ticket}/fields", data={"key": key, "value": value}, headers=htmx)
    assert answer.status_code == 422
    if key in ("weight", "bought"):
        assert f'value="{value}"' in answer.data.decode() and "takes a" in answer.data.decode()


# ---- new tickets


def _new(client: FlaskClient, **form: Any) -> Any:
    data = {
        "email": "New@Person.example",
        "name": "Nia",
        "subject": "A call",
        "text": "She asks",
        "written_by": "customer",
        **form,
    }
    return client.post("/desk/tickets/new", data=data, content_type="multipart/form-data")


@pytest.mark.parametrize(
    ("written_by", "author_is_staff", "visibility", "sent"),
    [("customer", False, "public", 0), ("us", True, "public", 1), ("note", True, "internal", 0)],
)
def test_a_ticket_is_opened_for_somebody(
    world: Any, agent: FlaskClient, written_by: str, author_is_staff: bool, visibility: str, sent: int
) -> None:
    answer = _new(
        agent,
        written_by=written_by,
        team=world.workshop,
        priority="high",
        take="1",
        files=[(io.BytesIO(b"x"), "x.txt")],
    )
    assert answer.status_code == 303

    def look() -> Any:
        message = db.session.query(Message).order_by(Message.id.desc()).first()
        ticket = message.ticket
        facts = ticket.requester.email, ticket.requester.name, ticket.team_id, ticket.priority, ticket.assignee_id
        return (
            facts,
            message.author.is_staff,
            message.visibility,
            len(message.attachments),
            db.session.query(Delivery).count(),
        )

    facts = ("new@person.example", "Nia", world.workshop, "high", world.agent)
    assert world.read(look) == (facts, author_is_staff, visibility, 1, sent)


def test_a_form_with_mistakes_comes_back_as_it_was_typed(world: Any, agent: FlaskClient) -> None:
    before = world.read(lambda: (db.session.query(Ticket).count(), db.session.query(User).count()))
    answer = _new(agent, email="nobody", subject=" ", text="Long text", files=[(io.BytesIO(b"x"), "x.txt")])
    page = answer.data.decode()
    assert answer.status_code == 422
    assert "“nobody” is no e-mail address." in page and "Say in a few words" in page
    assert "Long text</textarea>" in page and 'value="nobody"' in page and 'name="kept"' in page and "x.txt" in page
    assert world.read(lambda: (db.session.query(Ticket).count(), db.session.query(User).count())) == before


def test_a_wrong_choice_is_refused(world: Any, agent: FlaskClient) -> None:
    assert _new(agent, written_by="me").status_code == 422
    assert _new(agent, priority="nuclear").status_code == 422


# ---- people and preferences


def test_people_are_found_and_listed(world: Any, agent: FlaskClient) -> None:
    page = agent.get("/desk/people?text=RITA").data.decode()
    assert "Rita Requester" in page and "otto@other.example" not in page and "Abe Agent" not in page.split("<table")[1]
    assert b"Nobody found" in agent.get("/desk/people?text=%25%25").data
    page = agent.get(f"/desk/people/{world.requester}").data.decode()
    assert "rita@customer.example" in page and "Rear brake rubs" in page
    assert agent.get("/desk/people/999").status_code == 404
    assert agent.get("/desk/people/99999999999999999999").status_code == 404


def test_people_are_paged(world: Any, agent: FlaskClient) -> None:
    def more() -> None:
        db.session.add_all(User(email=f"p{number}@many.example", name=f"Person {number}") for number in range(60))
        db.session.commit()

    world.read(more)
    first = agent.get("/desk/people?text=many").data.decode()
    rest = agent.get(re.search(r'href="([^"]*after=\d+)" rel="next"', first)[1].replace("&amp;", "&")).data.decode()
    assert first.count("@many.example") == 50 and rest.count("@many.example") == 10


def _me(**values: str) -> dict[str, str]:
    return {
        "name": "Abe",
        "locale": "en",
        "time_zone": "Asia/Tokyo",
        "color_scheme": "dark",
        "signature": "Abe",
        **values,
    }


def test_preferences_are_kept(world: Any, agent: FlaskClient) -> None:
    assert agent.post("/desk/me", data=_me()).status_code == 303
    page = agent.get("/desk/me").data.decode()
    assert (
        'data-bs-theme="dark"' in page and '<option value="Asia/Tokyo" selected>' in page and "Abe</textarea>" in page
    )


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"locale": "xx"}, {"time_zone": "Mars/Base"}, {"color_scheme": "pink"}, {"signature": "x" * 3000}],
)
def test_a_wrong_preference_is_said_and_nothing_is_kept(world: Any, agent: FlaskClient, wrong: dict[str, str]) -> None:
    answer = agent.post("/desk/me", data=_me(**wrong))
    assert answer.status_code == 422 and b'class="form-error"' in answer.data
    assert world.read(lambda: db.session.get(User, world.agent).color_scheme) == "auto"


def test_fields_that_are_not_offered_are_not_assigned(world: Any, agent: FlaskClient) -> None:
    agent.post("/desk/me", data=_me(role="admin", email="x@y.example", password_hash="x"))
    assert world.read(lambda: (db.session.get(User, world.agent).role, db.session.get(User, world.agent).email)) == (
        "agent",
        "abe@desk.example",
    )


def test_a_new_password_ends_every_other_session(world: Any, agent: FlaskClient) -> None:
    elsewhere = world.client(world.agent)
    old, new = "correct horse battery", "purple staple rocket"
    form = {"password": old, "new_password": new, "repeated": new}
    for wrong in (
        {"password": "guess"},
        {"repeated": "another one entirely"},
        {"new_password": "short", "repeated": "short"},
    ):
        assert agent.post("/auth/security/password", data={**form, **wrong}).status_code == 422
    assert elsewhere.get("/desk/me").status_code == 200
    assert agent.post("/auth/security/password", data=form).status_code == 303
    assert agent.get("/desk/me").status_code == 200
    assert elsewhere.get("/desk/me").status_code == 303
    assert world.read(lambda: accounts.check_password(db.session.get(User, world.agent), new))


def test_guessing_the_present_password_is_slowed_down(world: Any, agent: FlaskClient) -> None:
    form = {"password": "guess", "new_password": "x" * 12, "repeated": "x" * 12}
    pages = [agent.post("/auth/security/password", data=form).data.decode() for _try in range(accounts.FAILURES + 1)]
    assert "Too many tries" in pages[-1] and "Too many tries" not in pages[0]
