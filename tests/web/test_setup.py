"""The first start."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import accounts, plugin_states, settings
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Delivery, Team, Ticket, User
from helpdesk.core.settings import DeskSettings

pytestmark = pytest.mark.plugins("email")

ADMIN = {"name": "Sam Idris", "email": "sam@desk.example", "password": "a rather long pass phrase"}


@pytest.fixture
def link(app: Any) -> str:
    return f"/setup/{accounts.issue_token(accounts.SETUP)}"


def test_an_empty_desk_says_that_it_waits_and_shows_no_secret(client: FlaskClient, link: str) -> None:
    page = client.get("/")
    assert page.status_code == 503
    assert link.rsplit("/", 1)[1] not in page.text and "helpdesk init" in page.text


@pytest.mark.db
def test_five_steps_make_a_desk(client: FlaskClient, link: str) -> None:
    assert client.get(link).status_code == 200
    step = client.post(link, data={"name": "Larkwheel", "default_locale": "en", "time_zone": "Europe/Paris"})
    assert step.location == f"{link}/administrator"
    assert client.post(step.location, data=ADMIN).location == "/setup/mailbox"
    signed_in = db.select(AuditEntry.data).where(AuditEntry.action == "user.signed_in")
    assert db.session.scalars(signed_in).all() == [{"by": ["setup"]}]
    assert client.get("/setup/mailbox").status_code == 200
    skipped = client.post("/setup/mailbox", data={"address": "help@desk.example", "then": "keep"})
    assert skipped.location == "/setup/team"
    team = client.post("/setup/team", data={"name": "Workshop", "people": "mia@desk.example\njonas@desk.example"})
    assert team.location == "/setup/samples"
    assert client.post("/setup/samples", data={"samples": "some"}).location == "/desk/"
    desk = settings.get(DeskSettings)
    assert (desk.name, desk.time_zone, desk.set_up) == ("Larkwheel", "Europe/Paris", True)
    assert db.session.scalar(db.select(db.func.count(Ticket.id))) == 6
    assert [team.name for team in db.session.scalars(db.select(Team))] == ["Workshop"]
    invitations = db.select(Delivery.address).where(Delivery.kind == "invitation").order_by(Delivery.id)
    assert db.session.scalars(invitations).all() == ["mia@desk.example", "jonas@desk.example"]
    assert client.get(link).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("email", "sam"), ("password", "short"), ("password", "aaaaaaaaaaaa")]
)
def test_a_bad_administrator_uses_nothing_up(client: FlaskClient, link: str, field: str, value: str) -> None:
    page = client.post(f"{link}/administrator", data={**ADMIN, field: value})
    assert page.status_code == 422 and "form-error" in page.text
    assert db.session.scalar(db.select(db.func.count(User.id))) == 0
    assert client.post(f"{link}/administrator", data=ADMIN).status_code == 303


def test_bad_names_and_zones_stay_on_the_form(client: FlaskClient, link: str) -> None:
    page = client.post(link, data={"name": "", "default_locale": "tlh", "time_zone": "Moon/Base"})
    assert page.status_code == 422
    assert page.text.count("form-error") >= 3


def test_one_bad_address_invites_nobody(client: FlaskClient, link: str) -> None:
    client.post(f"{link}/administrator", data=ADMIN)
    page = client.post("/setup/team", data={"name": "Workshop", "people": "mia@desk.example\nnot an address"})
    assert page.status_code == 422 and "not an address" in page.text
    assert db.session.scalar(db.select(db.func.count(Team.id))) == 0
    assert db.session.scalar(db.select(db.func.count(Delivery.id))) == 0


def test_who_goes_back_finds_the_team_and_makes_no_second_one(client: FlaskClient, link: str) -> None:
    client.post(f"{link}/administrator", data=ADMIN)
    client.post("/setup/team", data={"name": "Workshop", "people": "mia@desk.example"})
    page = client.get("/setup/team").text
    assert 'value="Workshop"' in page and "mia@desk.example" in page
    again = {"name": "Repairs", "people": "mia@desk.example\njonas@desk.example"}
    assert client.post("/setup/team", data=again).location == "/setup/samples"
    assert client.post("/setup/team", data=again).location == "/setup/samples"
    (team,) = db.session.scalars(db.select(Team))
    assert (team.name, sorted(person.email or "" for person in team.members)) == (
        "Repairs", ["jonas@desk.example", "mia@desk.example", "sam@desk.example"]
    )  # fmt: skip
    assert db.session.scalar(db.select(db.func.count(Delivery.id)).where(Delivery.kind == "invitation")) == 2


def test_the_mailbox_test_says_what_fails(client: FlaskClient, link: str, mailbox: Any) -> None:
    client.post(f"{link}/administrator", data=ADMIN)
    data = {"address": "help@desk.example", "smtp_host": "127.0.0.1", "smtp_port": "9", "smtp_security": "none"}
    page = client.post("/setup/mailbox", data=data)
    assert page.status_code == 422 and 'class="bad"' in page.text and "help@desk.example" in page.text
    assert client.post("/setup/mailbox", data={**data, "smtp_port": str(mailbox.port)}).location == "/setup/team"
    assert mailbox.to("sam@desk.example")


def test_an_owner_is_told_how_mail_comes_in(client: FlaskClient, link: str) -> None:
    client.post(f"{link}/administrator", data=ADMIN)
    assert "Mail comes in by a mailbox, which you add" in client.get("/setup/mailbox").text
    assert "you add a mailbox in the settings" in client.get("/setup/samples").text
    assert client.post("/setup/samples", data={"then": "settings"}).location == "/admin/"
    assert settings.get(DeskSettings).set_up
    plugin_states.switch("email", False, None)
    assert "you add a mailbox" not in client.get("/setup/samples").text


@pytest.mark.parametrize("page", ["/setup/mailbox", "/setup/team", "/setup/samples"])
def test_later_steps_are_the_administrators(client: FlaskClient, as_agent: Any, page: str) -> None:
    assert client.get(page).status_code == 303
    assert as_agent.get(page).status_code == 403
    assert as_agent.post(page).status_code == 403
