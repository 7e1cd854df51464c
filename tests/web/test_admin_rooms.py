"""The owner's rooms: who comes in, what can be done there, and what happens with bad input."""

import html
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import accounts, schedules, statuses
from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, Delivery, Intake, Job, Status, Team, TicketField, User
from helpdesk.core.settings import DeskSettings
from helpdesk.core.settings import get as setting
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager

ROOMS = (
    "/admin/people",
    "/admin/people?role=requester&text=x",
    "/admin/people/new",
    "/admin/people/1",
    "/admin/teams",
    "/admin/teams/new",
    "/admin/teams/1",
    "/admin/fields",
    "/admin/fields/new",
    "/admin/statuses",
    "/admin/plugins",
    "/admin/themes",
    "/admin/mail",
    "/admin/mail/1",
    "/admin/mail/out",
    "/admin/mail/out?state=waiting&text=x",
    "/admin/jobs",
    "/admin/jobs?state=failed&name=core&text=x",
    "/admin/jobs/1",
    "/admin/schedules",
    "/admin/schedules/core.backup",
    "/admin/events",
    "/admin/events?kind=ticket_opened&ticket=1",
    "/admin/facts",
    "/admin/workers",
    "/admin/backups",
    "/admin/held",
    "/admin/audit",
)


@pytest.fixture
def world(make_team: Any, make_ticket: Any) -> None:
    """A little of everything."""
    make_team()
    make_ticket(notice=True)
    intake.store("email", b"From: a@b.example\r\nSubject: <script>alert(1)</script>\r\n\r\nHi")
    schedules.sync()


@pytest.mark.parametrize("room", ROOMS)
def test_only_administrators_come_in(
    client: FlaskClient, as_requester: Any, as_agent: Any, as_supervisor: Any, as_admin: Any, world: None, room: str
) -> None:
    assert client.get(room).status_code == 303
    for other in (as_requester, as_agent, as_supervisor):
        assert other.get(room).status_code == 403
        assert other.post(room).status_code in (403, 405)
    assert as_admin.get(room).status_code == 200


@pytest.mark.plugins
@pytest.mark.parametrize("room", [room for room in ROOMS if not room.endswith(("new", "1"))])
def test_rooms_need_few_queries(as_admin: Any, world: None, count_queries: Any, room: str) -> None:
    # A process reads once what it keeps for a while: settings, texts, how the workers do.
    as_admin.get("/admin/held")
    with count_queries() as statements:
        assert as_admin.get(room).status_code == 200
    assert len(statements) <= 8, statements


@pytest.mark.parametrize("room", ["people", "teams", "fields", "mail", "jobs"])
def test_what_is_not_there_is_not_found(as_admin: Any, room: str) -> None:
    assert as_admin.get(f"/admin/{room}/99999").status_code == 404
    assert as_admin.get(f"/admin/{room}/99999999999999999999999").status_code == 404


def test_somebody_is_invited_changed_and_switched_off(as_admin: Any, make_team: Any) -> None:
    team = make_team()
    new = {"name": "Mia", "email": "mia@desk.example", "role": "agent", "teams": str(team.id)}
    assert as_admin.post("/admin/people/new", data=new).status_code == 303
    mia = accounts.by_email("mia@desk.example")
    assert mia is not None and (mia.role, [found.id for found in mia.teams]) == ("agent", [team.id])
    assert db.session.scalars(db.select(Delivery)).one().kind == "invitation"
    as_admin.post(f"/admin/people/{mia.id}", data={"name": "Mia", "role": "supervisor", "active": "1"})
    db.session.refresh(mia)
    assert (mia.role, mia.teams, mia.active) == ("supervisor", [], True)
    as_admin.post(f"/admin/people/{mia.id}", data={"name": "Mia", "role": "supervisor"})
    db.session.refresh(mia)
    assert not mia.active
    actions = set(db.session.scalars(db.select(AuditEntry.action)))
    assert {"user.created", "user.role_changed", "user.disabled"} <= actions


@pytest.mark.parametrize("bad", [{"email": "no address"}, {"role": "king"}])
def test_a_bad_invitation_keeps_what_was_typed(as_admin: Any, bad: dict[str, str]) -> None:
    page = as_admin.post(
        "/admin/people/new", data={"name": "Kept", "email": "mia@desk.example", "role": "agent", **bad}
    )
    assert page.status_code == 422 and "Kept" in page.text and "form-error" in page.text


def test_the_last_administrator_stays(as_admin: Any) -> None:
    user = as_admin.user
    for data in ({"role": "agent", "active": "1"}, {"role": "admin"}):
        page = as_admin.post(f"/admin/people/{user.id}", data={"name": user.name, **data})
        assert page.status_code == 422 and "last administrator" in page.text
    db.session.refresh(user)
    assert user.active and user.role == "admin"


def test_teams_are_made_and_changed(as_admin: Any, make_user: Any) -> None:
    agent = make_user("agent")
    data = {"name": "Sales", "color": "green", "members": str(agent.id), "private": "1"}
    assert as_admin.post("/admin/teams/new", data=data).status_code == 303
    team = db.session.scalars(db.select(Team)).one()
    assert (team.name, team.color, team.private, team.members) == ("Sales", "green", True, [agent])
    again = as_admin.post("/admin/teams/new", data={"name": "sales"})
    assert again.status_code == 422 and "already" in again.text
    as_admin.post(f"/admin/teams/{team.id}", data={"name": "Selling", "color": "blue"})
    db.session.refresh(team)
    assert (team.name, team.private, team.active, team.members) == ("Selling", False, False, [])
    assert as_admin.post(f"/admin/teams/{team.id}", data={"name": " "}).status_code == 422


def test_fields_are_made_and_changed(as_admin: Any) -> None:
    data = {"label": "Größe & Farbe", "kind": "choice", "choices": "S\nM\n\nM", "public": "1"}
    assert as_admin.post("/admin/fields/new", data=data).status_code == 303
    field = db.session.scalars(db.select(TicketField)).one()
    assert (field.key, field.choices, field.public, field.required) == ("groe_farbe", ["S", "M"], True, False)
    as_admin.post("/admin/fields/new", data={"label": "Größe Farbe", "kind": "text"})
    assert set(db.session.scalars(db.select(TicketField.key))) == {"groe_farbe", "groe_farbe_2"}
    as_admin.post(
        f"/admin/fields/{field.id}", data={"label": "Size", "choices": "S\nL", "required": "1", "active": "1"}
    )
    db.session.refresh(field)
    assert (field.label, field.choices, field.required, field.active) == ("Size", ["S", "L"], True, True)
    for bad in ({"label": "", "kind": "text"}, {"label": "x", "kind": "blob"}, {"label": "x", "kind": "choice"}):
        assert as_admin.post("/admin/fields/new", data=bad).status_code == 422


def test_statuses_are_named_added_and_protected(as_admin: Any) -> None:
    pending = statuses.of_category("pending")
    assert as_admin.post(f"/admin/statuses/{pending.id}", data={"name": "Asked", "active": "1"}).status_code == 303
    last = as_admin.post(f"/admin/statuses/{pending.id}", data={"name": "Asked"})
    assert last.status_code == 422 and "last status" in last.text
    assert as_admin.post("/admin/statuses", data={"name": "At the maker", "category": "on_hold"}).status_code == 303
    added = db.session.scalar(db.select(Status).where(Status.key == "at_the_maker"))
    assert added is not None and added.category == "on_hold"
    for bad in ({"name": "", "category": "open"}, {"name": "x", "category": "nonsense"}):
        assert as_admin.post("/admin/statuses", data=bad).status_code == 422
    assert as_admin.post("/admin/statuses/9999", data={"name": "x"}).status_code == 404


@pytest.mark.plugins("email")
def test_a_plugin_is_switched(as_admin: Any) -> None:
    assert manager.current().is_on("email")
    assert as_admin.post("/admin/plugins/email/off").status_code == 303
    assert not manager.current().is_on("email")
    assert as_admin.post("/admin/plugins/email/on").status_code == 303
    assert manager.current().is_on("email")
    assert as_admin.post("/admin/plugins/nothing/on").status_code == 404
    assert as_admin.post("/admin/plugins/email/maybe").status_code == 404


def test_a_plugin_that_failed_is_shown_with_its_error(as_admin: Any, plug: Any) -> None:
    plug("broken", misspelt_hook=lambda: None)
    page = as_admin.get("/admin/plugins").text
    assert "broken" in page and "misspelt_hook" in page


def test_a_theme_is_used(as_admin: Any) -> None:
    assert as_admin.post("/admin/themes/ember").status_code == 303
    assert setting(DeskSettings).theme == "ember"
    assert as_admin.post("/admin/themes/nothing").status_code == 404


@pytest.mark.plugins("email")
def test_quarantine_is_seen_retried_and_put_aside(as_admin: Any) -> None:
    raw = b"Subject: <b>nobody</b>\r\n\r\nNo sender at all"
    outcome = intake.receive("email", raw)
    assert outcome.outcome == "quarantined"
    page = as_admin.get(f"/admin/mail/{outcome.intake_id}").text
    assert "&lt;b&gt;nobody" in page and "<b>nobody" not in page
    assert as_admin.get(f"/admin/mail/{outcome.intake_id}/source").data == raw
    assert "1 needs attention" in as_admin.get("/admin/").text
    assert as_admin.post(f"/admin/mail/{outcome.intake_id}/retry").status_code == 303
    assert as_admin.post(f"/admin/mail/{outcome.intake_id}/discard").status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Intake, outcome.intake_id).state == "discarded"


def test_a_failed_message_is_sent_again(as_admin: Any, make_ticket: Any) -> None:
    make_ticket(notice=True)
    delivery = db.session.scalars(db.select(Delivery)).one()
    with transaction():
        delivery.state, delivery.error = "failed", "550 no such person"
    assert "550 no such person" in as_admin.get("/admin/mail/out?state=failed").text
    assert as_admin.post(f"/admin/mail/out/{delivery.id}/retry").status_code == 303
    db.session.refresh(delivery)
    assert delivery.state == "waiting"
    assert as_admin.post("/admin/mail/out/9999/retry").status_code == 404


def test_jobs_are_cancelled_and_run_again(as_admin: Any) -> None:
    job = ledger.schedule("nothing.at_all")
    assert as_admin.post(f"/admin/jobs/{job.id}/cancel").status_code == 303
    db.session.refresh(job)
    assert job.state == "cancelled"
    as_admin.post(f"/admin/jobs/{job.id}/retry")
    db.session.refresh(job)
    assert job.state == "waiting"
    assert as_admin.post("/admin/jobs/9999/cancel").status_code == 404


def test_long_lists_have_pages(as_admin: Any) -> None:
    with transaction():
        for number in range(60):
            db.session.add(Job(name=f"job.{number:02}", state="done"))
    first = as_admin.get("/admin/jobs").text
    assert "job.59" in first and "job.09" not in first
    after = db.session.scalars(db.select(Job.id).where(Job.name == "job.10")).one()
    assert "job.09" in as_admin.get(f"/admin/jobs?after={after}").text
    assert as_admin.get("/admin/jobs?after=x'--").status_code == 200


def test_the_record_is_filtered(as_admin: Any, make_user: Any) -> None:
    as_admin.post("/admin/themes/ember")
    page = as_admin.get("/admin/audit?action=settings.changed").text
    assert "settings.changed" in page and as_admin.user.name in page
    assert db.session.scalar(db.select(db.func.count(User.id)))


@pytest.mark.plugins("email")
def test_what_is_wrong_with_the_address_says_where_it_is_written(
    as_admin: Any, mailbox: Any, make_ticket: Any, run_jobs: Any
) -> None:
    make_ticket(notice=True)
    run_jobs()
    page = html.unescape(as_admin.get("/admin/").text)
    assert "into the file helpdesk.toml" in page and 'public_url = "https://help.shop.example"' in page
