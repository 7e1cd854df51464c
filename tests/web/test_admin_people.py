"""People in the owner's rooms: what is typed wrongly is kept, links are shown once, lists are ordered by hand."""

import re
from typing import Any

from helpdesk.core import accounts, fields, status_editing
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Status
from helpdesk.core.organizations import make_organization

PASSWORD = "a rather long pass phrase"


def test_name_teams_and_organization_are_changed(as_admin: Any, make_user: Any, make_team: Any) -> None:
    user, team, firm = make_user("agent", name="Mia"), make_team("Workshop"), make_organization("Acme", None)
    data = {"name": "Mia Sorel", "role": "agent", "active": "1", "teams": str(team.id), "organization": "ACME"}
    data["phone"] = "+49 30 901820"
    assert as_admin.post(f"/admin/people/{user.id}", data=data).status_code == 303
    db.session.expire_all()
    assert (user.name, user.teams, user.organization, user.phone) == ("Mia Sorel", [team], firm, "+49 30 901820")
    page = as_admin.get(f"/admin/people/{user.id}").text
    assert 'value="+49 30 901820"' in page and 'value="Acme"' in page and re.search(rf'value="{team.id}" checked', page)


def test_wrong_values_are_said_and_kept(as_admin: Any, make_user: Any) -> None:
    user = make_user("agent", name="Mia")
    for bad in ({"organization": "Nobody Ltd"}, {"name": " "}, {"role": "king"}, {"phone": "7" * 65}):
        data = {"name": "Kept", "role": "supervisor", "active": "1", **bad}
        page = as_admin.post(f"/admin/people/{user.id}", data=data)
        assert page.status_code == 422 and "form-error" in page.text
        assert next(iter(bad.values())) in page.text or bad == {"role": "king"}
    db.session.expire_all()
    assert (user.name, user.role, user.organization_id) == ("Mia", "agent", None)


def test_a_customer_needs_no_name(as_admin: Any) -> None:
    user = accounts.requester_for("anna@post.example")
    assert as_admin.post(f"/admin/people/{user.id}", data={"role": "requester", "active": "1"}).status_code == 303
    assert as_admin.get("/admin/people?role=requester").status_code == 200


def test_an_invitation_link_is_shown_once_and_lets_in(as_admin: Any, client: Any, make_user: Any) -> None:
    user = make_user("agent", name="Mia")
    assert "Make a link" in as_admin.get(f"/admin/people/{user.id}").text
    page = as_admin.post(f"/admin/people/{user.id}/link")
    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    link = re.search(r"http://desk\.example(/auth/password/invitation/\S+?)<", page.text)
    assert link and link[1] not in as_admin.get(f"/admin/people/{user.id}").text
    assert client.post(link[1], data={"password": PASSWORD, "repeated": PASSWORD}).status_code == 303
    again = as_admin.post(f"/admin/people/{user.id}/link")
    assert again.status_code == 422 and "password already" in again.text and "/auth/password/" not in again.text


def test_a_password_link_is_mailed_unless_the_account_is_off(as_admin: Any, make_user: Any) -> None:
    user = make_user("agent", password=PASSWORD)
    assert as_admin.post(f"/admin/people/{user.id}/reset").status_code == 303
    assert db.session.scalars(db.select(Delivery.kind)).all() == ["reset"]
    accounts.set_active(user, False, None)
    page = as_admin.post(f"/admin/people/{user.id}/reset")
    assert page.status_code == 422 and "switched off" in page.text
    assert as_admin.post("/admin/people/9999/reset").status_code == 404


def test_the_list_is_found_by_role_and_words_and_takes_odd_input(as_admin: Any, make_user: Any) -> None:
    make_user("agent", name="Mia 100%"), make_user("agent", name="Jonas"), make_user(name="Customer Carl")
    page = as_admin.get("/admin/people?text=100%25").text
    assert "Mia 100%" in page and "Jonas" not in page
    assert "Customer Carl" not in as_admin.get("/admin/people").text
    assert "Customer Carl" in as_admin.get("/admin/people?role=requester").text
    for odd in ("role=king", "after=-1", "after=99999999999999999999", "text=%00%27--", "after=x"):
        assert as_admin.get(f"/admin/people?{odd}").status_code == 200, odd


def test_statuses_and_fields_are_moved(as_admin: Any) -> None:
    status = status_editing.add_status("Parked", "open", None)
    assert as_admin.post(f"/admin/statuses/{status.id}/up").status_code == 303
    keys = db.session.scalars(db.select(Status.key).where(Status.category == "open").order_by(Status.position))
    assert list(keys) == ["parked", "open"]
    first, second = fields.make_field("First", "text", None), fields.make_field("Second", "text", None)
    assert as_admin.post(f"/admin/fields/{first.id}/down").status_code == 303
    db.session.expire_all()
    assert second.position < first.position
    for path in ("statuses/9999/up", "fields/9999/up", f"fields/{first.id}/sideways"):
        assert as_admin.post(f"/admin/{path}").status_code == 404


def test_fields_that_are_off_are_ordered_among_themselves(as_admin: Any) -> None:
    first, last, off = (fields.make_field(label, "text", None) for label in ("First", "Last", "Gone"))
    fields.change_field(off, None, label="Gone", choices=(), public=False, required=False, active=False)
    page = as_admin.get("/admin/fields").text

    def button(field: Any, way: str) -> str:
        at = page.index(f'action="/admin/fields/{field.id}/{way}"')
        return page[at : page.index("</form>", at)]

    assert "disabled" in button(last, "down") and "disabled" not in button(last, "up")
    assert "disabled" in button(first, "up") and "disabled" not in button(first, "down")
    assert f"/admin/fields/{off.id}/up" not in page


def test_a_status_with_a_wrong_name_keeps_it_in_its_row(as_admin: Any) -> None:
    status = status_editing.add_status("Parked", "open", None)
    page = as_admin.post(f"/admin/statuses/{status.id}", data={"name": "Pending", "active": "1"})
    assert page.status_code == 422
    row = page.text[page.text.index(f'id="status-{status.id}"') :].split("</div>")[0]
    assert 'value="Pending"' in row and "is-invalid" in row
    added = as_admin.post("/admin/statuses", data={"name": "Pending", "category": "open"})
    assert added.status_code == 422 and 'id="new-status-error"' in added.text
