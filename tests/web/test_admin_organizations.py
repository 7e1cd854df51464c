"""Organizations in the owner's rooms, and who joins them."""

from typing import Any

import pytest

from helpdesk.core import accounts
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Organization, User
from helpdesk.core.organizations import make_organization

ROOM = "/admin/organizations"


@pytest.mark.parametrize("page", [ROOM, f"{ROOM}/new", f"{ROOM}/1"])
def test_only_administrators_come_in(client: Any, as_agent: Any, as_supervisor: Any, as_admin: Any, page: str) -> None:
    make_organization("Acme", None)
    assert client.get(page).status_code == 303
    for other in (as_agent, as_supervisor):
        assert other.get(page).status_code == 403
        assert other.post(page, data={"name": "Mine"}).status_code in (403, 405)
    assert as_admin.get(page).status_code == 200
    assert db.session.scalars(db.select(Organization.name)).all() == ["Acme"]


@pytest.mark.db
def test_customers_of_the_domain_join_and_others_do_not(as_admin: Any, make_user: Any, make_team: Any) -> None:
    other = make_organization("Other", None)
    anna, ben = make_user(email="anna@acme.example"), make_user(email="ben@notacme.example")
    carl, dora = make_user(email="carl@acme.example", organization_id=other.id), make_user(email="d@x.acme.example")
    agent = make_user("agent", email="abe@acme.example")
    data = {"name": " Acme  Ltd ", "domain": "@ACME.example", "notes": "Pays late\r\nand well", "shares_tickets": "1"}
    assert as_admin.post(f"{ROOM}/new", data=data).status_code == 303
    acme = db.session.scalars(db.select(Organization).where(Organization.name == "Acme Ltd")).one()
    assert (acme.domain, acme.notes, acme.shares_tickets) == ("acme.example", "Pays late\nand well", True)
    db.session.expire_all()
    assert [user.organization_id for user in (anna, ben, carl, dora, agent)] == [acme.id, None, other.id, None, None]
    assert accounts.requester_for("new@acme.example").organization_id == acme.id
    created = db.select(AuditEntry).where(AuditEntry.action == "organization.created").order_by(AuditEntry.id)
    entry = db.session.scalars(created).all()[-1]
    assert (entry.subject, entry.data) == ("Acme Ltd", {"joined": 1})


def test_an_organization_is_changed_and_nobody_leaves(as_admin: Any, make_user: Any) -> None:
    anna = make_user(email="anna@acme.example")
    acme = make_organization("Acme", None, domain="acme.example", shares_tickets=True)
    page = as_admin.get(f"{ROOM}/{acme.id}").text
    assert 'value="acme.example"' in page and "checked" in page
    assert as_admin.post(f"{ROOM}/{acme.id}", data={"name": "Acme 2", "domain": ""}).status_code == 303
    db.session.expire_all()
    assert (acme.name, acme.domain, acme.shares_tickets, anna.organization_id) == ("Acme 2", None, False, acme.id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "other"),
        ("name", "x" * 201),
        ("domain", "taken.example"),
        ("domain", "no domain"),
        ("domain", "localhost"),
        ("domain", "a@b.example"),
        ("domain", "%.example"),
        ("notes", "x" * 5001),
    ],
)
def test_bad_input_is_said_beside_its_field_and_kept(as_admin: Any, field: str, value: str) -> None:
    make_organization("Other", None, domain="taken.example")
    acme = make_organization("Acme", None)
    for path in (f"{ROOM}/new", f"{ROOM}/{acme.id}"):
        page = as_admin.post(path, data={"name": "Kept", "domain": "kept.example", "notes": "Kept, too", field: value})
        assert page.status_code == 422 and f'id="f-{field}-error"' in page.text
        assert field == "notes" or "Kept, too" in page.text
    db.session.expire_all()
    assert (acme.name, acme.domain) == ("Acme", None)
    assert db.session.scalar(db.select(db.func.count(Organization.id))) == 2


def test_the_list_is_searched_and_cheap(as_admin: Any, make_user: Any, count_queries: Any) -> None:
    for number in range(60):
        make_organization(f"Firm {number:02}", None, domain=f"firm{number}.example")
    assert "Firm 59" in as_admin.get(ROOM).text and "Firm 05" not in as_admin.get(ROOM).text
    found = as_admin.get(f"{ROOM}?text=FIRM5.").text
    assert "Firm 05" in found and "Firm 06" not in found
    assert "Firm 05" not in as_admin.get(f"{ROOM}?text=%25").text
    last = db.session.scalar(db.select(Organization.id).where(Organization.name == "Firm 10"))
    assert "Firm 05" in as_admin.get(f"{ROOM}?after={last}").text
    with count_queries() as statements:
        as_admin.get(ROOM)
    assert len(statements) <= 8, statements


@pytest.mark.parametrize("number", ["9999", "99999999999999999999999"])
def test_what_is_not_there_is_not_found(as_admin: Any, number: str) -> None:
    assert as_admin.get(f"{ROOM}/{number}").status_code == 404
    assert as_admin.post(f"{ROOM}/{number}", data={"name": "x"}).status_code == 404
    assert db.session.scalar(db.select(db.func.count(User.id))) == 1
