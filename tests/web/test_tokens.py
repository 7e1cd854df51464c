"""The pages on which tokens are made, shown once, and revoked; and accounts that are programs'."""

import re
from datetime import timedelta
from typing import Any

import pytest

from helpdesk.core import accounts, api_tokens, permissions, service_accounts, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import ApiToken, AuditEntry, User
from helpdesk.core.permissions import NotAllowed


def secret_on(page: str) -> str:
    found = re.search(r"hd_[A-Za-z0-9_-]{43}[0-9a-f]{8}", page)
    assert found is not None
    return found[0]


def test_a_token_is_shown_once_and_kept_nowhere(as_agent: Any, caplog: Any) -> None:
    answer = as_agent.post("/desk/me/tokens", data={"name": "Shop", "scopes": ["ticket.read"], "expires": "90"})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert "/api/v1</code>" in answer.text and "Authorization: Bearer" in answer.text
    secret = secret_on(answer.text)
    page = as_agent.get("/desk/me/tokens").text
    assert "Shop" in page and secret not in page and secret[:10] in page
    row = db.session.scalars(db.select(ApiToken)).one()
    assert secret not in str([getattr(row, column.key) for column in ApiToken.__table__.columns])
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "token.made")).one()
    assert secret[11:] not in str(entry.data) and entry.data["token"] == secret[:10]
    assert secret not in caplog.text


def test_it_is_revoked_by_its_owner_alone(as_agent: Any, sign_in: Any, make_user: Any, client: Any) -> None:
    made = api_tokens.make(as_agent.user, "Shop", ["ticket.read"], now() + timedelta(days=3), as_agent.user)
    number, other = made.row.id, sign_in(make_user("agent"))
    answers = {other.post(f"/desk/me/tokens/{one}/revoke").status_code for one in (number, 999)}
    assert answers == {404}
    header = {"Authorization": f"Bearer {made.secret}"}
    assert client.get("/api/v1/me", headers=header).status_code == 200
    assert as_agent.post(f"/desk/me/tokens/{number}/revoke").status_code == 303
    assert client.get("/api/v1/me", headers=header).status_code == 401
    assert "Shop" not in as_agent.get("/desk/me/tokens").text.split("New token")[0].split("<tbody>")[-1]


def test_an_administrator_sees_and_revokes_the_tokens_of_a_person(
    as_admin: Any, as_supervisor: Any, make_user: Any, client: Any
) -> None:
    mia, jonas = make_user("agent", name="Mia"), make_user("agent", name="Jonas")
    made = api_tokens.make(mia, "Scripts of Mia", ["ticket.read"], now() + timedelta(days=3), mia)
    kept = api_tokens.make(mia, "Phone of Mia", ["ticket.read"], now() + timedelta(days=3), mia)
    page = as_admin.get(f"/admin/people/{mia.id}").text
    assert "Scripts of Mia" in page and made.row.prefix in page and made.secret not in page
    assert "Scripts of Mia" not in as_admin.get(f"/admin/people/{jonas.id}").text
    revoke = f"/tokens/{made.row.id}/revoke"
    assert as_supervisor.post(f"/admin/people/{mia.id}{revoke}").status_code == 403
    assert as_admin.post(f"/admin/people/{jonas.id}{revoke}").status_code == 404
    assert as_admin.post(f"/admin/people/{mia.id}{revoke}").status_code == 303
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {made.secret}"}).status_code == 401
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {kept.secret}"}).status_code == 200
    page = as_admin.get(f"/admin/people/{mia.id}").text
    assert made.row.prefix not in page and "Phone of Mia" in page
    assert as_admin.post(f"/admin/people/{mia.id}{revoke}").status_code == 404, "once is enough"


def test_what_does_not_fit_keeps_what_was_typed(as_agent: Any) -> None:
    for wrong in (
        {"name": " "},
        {"scopes": []},
        {"scopes": ["audit.read"]},
        {"scopes": ["<b>"]},
        {"expires": ""},
        {"expires": "never"},
        {"expires": "90", "date": "2026-02-14"},
        {"expires": "date", "date": "soon"},
        {"expires": "date", "date": "2001-01-01"},
        {"expires": "date", "date": "9999-12-31"},
    ):
        values = {"name": "Kept", "scopes": ["ticket.read"], "expires": "90", **wrong}
        answer = as_agent.post("/desk/me/tokens", data=values)
        assert answer.status_code == 422 and ("Kept" in answer.text or "name" in wrong), wrong
    assert db.session.query(ApiToken).count() == 0


def test_never_is_for_administrators(as_admin: Any) -> None:
    values = {"name": "Shop", "scopes": ["ticket.read"], "expires": "never"}
    assert "It never expires." in as_admin.post("/desk/me/tokens", data=values).text


def test_customers_make_none(as_requester: Any) -> None:
    assert as_requester.get("/desk/me/tokens").status_code == 403
    with pytest.raises(NotAllowed):
        api_tokens.make(as_requester.user, "A", ["ticket.read"], now() + timedelta(days=3), as_requester.user)


def test_a_program_gets_an_account_and_a_token(as_admin: Any, client: Any, make_team: Any) -> None:
    team = make_team("Board", private=True)
    made = as_admin.post("/admin/services/new", data={"name": "Shop", "role": "agent", "teams": [team.id]})
    assert made.status_code == 303
    path = made.headers["Location"]
    shown = as_admin.post(f"{path}/tokens", data={"name": "Main", "scopes": ["ticket.read"], "expires": "never"})
    header = {"Authorization": f"Bearer {secret_on(shown.text)}"}
    assert client.get("/api/v1/tickets", headers=header).status_code == 200
    assert "Main" in as_admin.get(path).text and "Shop" in as_admin.get("/admin/services").text
    saved = as_admin.post(path, data={"name": "Shop", "role": "agent", "teams": [team.id]})
    assert saved.status_code == 303
    assert client.get("/api/v1/tickets", headers=header).status_code == 401, "switched off"


def test_people_are_no_programs(as_admin: Any, as_agent: Any) -> None:
    numbers = (as_agent.user.id, 999)
    for path in ("", "/tokens", "/tokens/1/revoke"):
        assert {as_admin.post(f"/admin/services/{one}{path}").status_code for one in numbers} == {404}
    assert as_agent.get("/admin/services").status_code == 403
    with pytest.raises(NotAllowed):
        api_tokens.make(as_agent.user, "A", ["ticket.read"], now() + timedelta(days=3), as_admin.user)


def test_nobody_signs_in_to_a_program_writes_to_it_or_assigns_to_it(
    as_admin: Any, client: Any, make_ticket: Any, run_jobs: Any
) -> None:
    shop, ticket = service_accounts.create("Shop", "admin", [], None), make_ticket()
    with pytest.raises(accounts.AccountError):
        accounts.set_password(shop, "a long password of words", None)
    with pytest.raises(workflow.Invalid):
        workflow.assign(ticket, shop, as_admin.user)
    assert f'value="{shop.id}"' not in as_admin.get(f"/desk/tickets/{ticket.number}/menu/assignee").text
    assert "Shop" not in as_admin.get("/admin/people").text
    assert as_admin.get(f"/admin/people/{shop.id}").status_code == 404
    for login in ("Shop", "", str(shop.id), "None"):
        assert client.post("/auth/sign-in", data={"email": login, "password": "x" * 12}).status_code == 422


def test_a_program_is_no_administrator_that_could_be_the_last(make_user: Any) -> None:
    admin = make_user("admin")
    service_accounts.create("Shop", "admin", [], None)
    with pytest.raises(accounts.AccountError):
        accounts.change_role(admin, "agent", None)
    accounts.set_active(make_user("admin"), False, None)
    assert accounts.has_admin()


# Every verb of the core that takes a permission, with the permission that it takes.
_VERBS: list[tuple[str, Any]] = [
    ("ticket.reply", lambda ticket, user: workflow.reply(ticket, MessageDraft(text="A"), user)),
    ("ticket.note", lambda ticket, user: workflow.note(ticket, MessageDraft(text="A"), user)),
    ("ticket.edit", lambda ticket, user: workflow.assign(ticket, user, user)),
    ("ticket.edit", lambda ticket, user: workflow.move(ticket, None, user)),
    ("ticket.edit", lambda ticket, user: workflow.set_status(ticket, "open", user)),
    ("ticket.edit", lambda ticket, user: workflow.solve(ticket, user)),
    ("ticket.edit", lambda ticket, user: workflow.set_subject(ticket, "A", user)),
    ("ticket.edit", lambda ticket, user: workflow.set_priority(ticket, "low", user)),
    ("ticket.edit", lambda ticket, user: workflow.set_tags(ticket, ["a"], user)),
    ("ticket.edit", lambda ticket, user: workflow.tag(ticket, ["a"], user)),
    ("ticket.open", lambda ticket, user: workflow.open_ticket(TicketDraft("A", ticket.requester_id, "B"), user)),
    ("user.edit", lambda ticket, user: accounts.create_user("new@desk.example", "New", "admin", user)),
    ("user.edit", lambda ticket, user: accounts.change_role(ticket.requester, "admin", user)),
    ("user.edit", lambda ticket, user: accounts.set_active(ticket.requester, False, user)),
    ("user.edit", lambda ticket, user: service_accounts.create("Shop", "agent", [], user)),
]


def test_every_verb_sees_the_scopes(make_ticket: Any, make_user: Any) -> None:
    user, other, person = make_user("admin"), make_user("admin"), make_user()
    everything = permissions.ROLE_PERMISSIONS["admin"]
    for permission, verb in _VERBS:
        ticket = make_ticket(requester=person)
        permissions.narrow(user, everything - {permission})
        with pytest.raises(NotAllowed):
            verb(ticket, user)
        db.session.rollback()
        assert not permissions.allowed(user, permission) and permissions.allowed(other, permission)
        permissions.narrow(user, everything)
        verb(ticket, user)


def test_without_the_scope_no_ticket_is_seen(make_ticket: Any, make_user: Any) -> None:
    make_ticket()
    user = make_user("admin")
    permissions.narrow(user, {"ticket.reply", "desk.use"})
    assert db.session.scalars(permissions.visible_tickets(user)).all() == []
    assert permissions.find_ticket(user, 1) is None


def test_a_plugins_page_is_opened_by_a_token(make_app: Any) -> None:
    from flask import Blueprint

    from helpdesk.api import Permission, Refused, Reject, hookimpl, reader, token_page

    pages = Blueprint("orders", __name__)

    @pages.get("/list.json")
    @token_page("orders.see")
    def orders() -> Any:
        return {"reader": reader().name}

    @pages.post("/list.json")
    @token_page("orders.see")
    def refused() -> Any:
        raise Refused("Not today.")

    # A route that stands below the mark has taken the view itself.
    @token_page("orders.see")
    @pages.get("/below.json")
    def below() -> Any:
        return {"reader": reader().name}

    class Orders:
        @hookimpl
        def register_permissions(self) -> Any:
            return [Permission("orders.see", "See orders", roles=("agent",))]

        @hookimpl
        def register_blueprints(self) -> Any:
            return [pages]

    app = make_app({"orders": Orders()})
    with app.app_context():
        shop = service_accounts.create("Shop", "agent", [], None)
        good = api_tokens.make(shop, "A", ["orders.see"], None, None, never=True).secret
        bad = api_tokens.make(shop, "B", ["ticket.read"], None, None, never=True).secret
    browser = app.test_client()

    def ask(secret: str, path: str = "list.json", method: str = "GET") -> Any:
        return browser.open(f"/p/orders/{path}", method=method, headers={"Authorization": f"Bearer {secret}"})

    assert ask(good).json == ask(good, "below.json").json == {"reader": "Shop"}
    assert {ask(bad, path).status_code for path in ("list.json", "below.json")} == {403}
    assert {browser.get(f"/p/orders/{path}").status_code for path in ("list.json", "below.json")} == {401}
    assert ask(good, method="POST").status_code == 422 and Reject
    assert isinstance(shop, User)


def test_who_has_a_token_is_told_when_one_is_made_and_before_it_expires(
    as_agent: Any, as_admin: Any, travel: Any, run_jobs: Any
) -> None:
    from helpdesk.core import token_expiry
    from helpdesk.core.jobs import ledger
    from helpdesk.core.models import Delivery

    def told() -> list[tuple[str, str, str]]:
        rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "security").order_by(Delivery.id))
        return [(row.address, row.data["act"], row.data["name"]) for row in rows]

    def look() -> None:
        ledger.schedule(token_expiry.JOB)
        run_jobs()

    agent, admin = as_agent.user, as_admin.user
    shop, soon = service_accounts.create("Shop", "agent", [], None), now() + timedelta(days=20)
    api_tokens.make(agent, "Script", ["ticket.read"], soon, agent)
    api_tokens.make(shop, "Till", ["ticket.read"], soon, admin)
    gone = api_tokens.make(agent, "Old", ["ticket.read"], soon, agent)
    api_tokens.revoke(gone.row, agent)
    made = [
        (agent.email, "token_made", "Script"),
        (admin.email, "program_token_made", "Till"),
        (agent.email, "token_made", "Old"),
    ]
    look()
    assert told() == made
    travel(days=14)
    look()
    look()
    assert told() == [*made, (agent.email, "token_expires", "Script"), (admin.email, "token_expires", "Till")]


def test_the_mails_about_tokens_say_what_to_do(as_agent: Any, as_admin: Any, travel: Any, run_jobs: Any) -> None:
    from helpdesk.core import security_notices, token_expiry
    from helpdesk.core.jobs import ledger
    from helpdesk.core.models import Delivery

    soon = now() + timedelta(days=20)
    api_tokens.make(as_agent.user, "Script", ["ticket.read"], soon, as_agent.user)
    shop = service_accounts.create("Shop", "agent", [], None)
    api_tokens.make(shop, "Till", ["ticket.read"], None, None, never=True)
    travel(days=14)
    ledger.schedule(token_expiry.JOB)
    run_jobs()
    rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "security").order_by(Delivery.id))
    texts = [security_notices.words(row.data, "Larkwheel")[1] for row in rows]
    own, program, expiry = texts
    assert "“Script”" in own and "Your tokens" in own
    assert "“Till”" in program and "“Shop”" in program and "Programs" in program
    assert "“Script”" in expiry and "ends by itself" in expiry
    assert not any("new password" in text for text in texts)


def test_a_role_that_needs_a_second_step_stops_no_token(as_agent: Any, client: Any, configure: Any) -> None:
    from helpdesk.core.settings import SecuritySettings

    made = api_tokens.make(as_agent.user, "Shop", ["ticket.read"], now() + timedelta(days=3), as_agent.user)
    configure(SecuritySettings, second_factor_agents=True)
    assert as_agent.get("/desk/me").location == "/auth/second-factor"
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {made.secret}"}).status_code == 200


def test_a_persons_export_has_their_tokens(make_user: Any) -> None:
    from helpdesk.core import personal_data

    agent = make_user("agent")
    made = api_tokens.make(agent, "Script", ["ticket.read"], now() + timedelta(days=20), agent)
    found = personal_data.export(agent, None)
    assert [(row["name"], row["scopes"]) for row in found["tokens"]] == [("Script", ["ticket.read"])]
    assert made.secret not in str(found)
