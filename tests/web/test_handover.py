"""The owner hands somebody's work over."""

from typing import Any

from flask.testing import FlaskClient

from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket


def test_switching_an_account_off_leads_to_the_handover(sign_in: Any, make_user: Any, make_ticket: Any) -> None:
    jo, mia = make_user("agent", name="Jo"), make_user("agent", name="Mia")
    ticket = make_ticket(assignee=jo)
    owner: FlaskClient = sign_in(make_user("admin"))
    assert "/handover" in owner.get(f"/admin/people/{jo.id}").text
    answer = owner.post(f"/admin/people/{jo.id}", data={"name": "Jo", "role": "agent"})
    assert answer.location == f"/admin/people/{jo.id}/handover"
    page = owner.get(answer.location).text
    assert "1 unsolved ticket" in page and f'value="person-{mia.id}"' in page and f"person-{jo.id}" not in page
    for wrong in ("", "team-99", "person-0", f"person-{jo.id}", "x"):
        assert owner.post(answer.location, data={"to": wrong}).status_code == 422
    assert owner.post(answer.location, data={"to": f"person-{mia.id}"}).status_code == 303
    db.session.rollback()
    assert db.session.get_one(Ticket, ticket.id).assignee_id == mia.id
    assert "nothing in hand" in owner.get(answer.location).text
