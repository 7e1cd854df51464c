"""What agents are told of mail that did not arrive, or that was not wanted."""

from typing import Any

from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Follower, User
from helpdesk.core.transaction import transaction

SAID = "550 <no> such person"


def bounce(person: User) -> None:
    with transaction():
        person.bounced_at, person.bounce_reason = now(), SAID


def test_mail_that_came_back_is_said_where_somebody_answers(as_agent: Any, make_ticket: Any, make_user: Any) -> None:
    ticket, follower = make_ticket(), make_user()
    with transaction():
        db.session.add(Follower(ticket_id=ticket.id, user_id=follower.id))
    pages = (f"/desk/tickets/{ticket.id}", f"/desk/tickets/{ticket.id}/side", f"/desk/people/{ticket.requester_id}")
    for page in pages:
        assert "came back" not in as_agent.get(page).text
    bounce(ticket.requester)
    assert "your reply may not arrive" in as_agent.get(pages[0]).text
    for page in pages[1:]:
        assert "Mail to this address came back on" in as_agent.get(page).text
        assert "550 &lt;no&gt; such person" in as_agent.get(page).text
    bounce(follower)
    assert "Mail to this address came back." in as_agent.get(pages[1]).text


def test_an_agent_says_that_an_address_works_again(as_agent: Any, as_requester: Any, make_user: Any) -> None:
    person = make_user()
    bounce(person)
    here = f"/desk/people/{person.id}"
    assert "It works again" in as_agent.get(here).text
    assert as_requester.post(f"{here}/mail-arrives").status_code == 403
    assert as_agent.post("/desk/people/99999/mail-arrives").status_code == 404
    for _twice in range(2):
        assert as_agent.post(f"{here}/mail-arrives").status_code == 303
    db.session.refresh(person)
    assert (person.bounced_at, person.bounce_reason) == (None, "")
    acts = db.session.scalars(db.select(AuditEntry.action).where(AuditEntry.actor_id == as_agent.user.id))
    assert list(acts) == ["user.address_works"]


def test_who_wants_no_care_mail_is_known(as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    pages = (f"/desk/tickets/{ticket.id}/side", f"/desk/people/{ticket.requester_id}")
    assert all("Not wanted" not in as_agent.get(page).text for page in pages)
    with transaction():
        ticket.requester.care_mail = False
    assert all("Not wanted" in as_agent.get(page).text for page in pages)


def test_care_mail_is_wanted_again(as_agent: Any, make_user: Any) -> None:
    person = make_user()
    here = f"/desk/people/{person.id}"
    assert "Wanted again" not in as_agent.get(here).text
    with transaction():
        person.care_mail = False
    assert "Wanted again" in as_agent.get(here).text
    for _twice in range(2):
        assert as_agent.post(f"{here}/wants-care").status_code == 303
    db.session.refresh(person)
    assert person.care_mail and as_agent.post("/desk/people/99999/wants-care").status_code == 404
    acts = db.session.scalars(db.select(AuditEntry.action).where(AuditEntry.actor_id == as_agent.user.id))
    assert list(acts) == ["user.care_wanted"]


def test_delays_and_complaints_stand_in_the_history(as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    data = {"address": "anna@customer.example", "reason": "<later>"}
    with transaction():
        record("delivery_delayed", ticket, None, data)
        record("delivery_complained", ticket, None, data)
    page = as_agent.get(f"/desk/tickets/{ticket.id}").text
    assert "is late: " in page and "complained of the message as unwanted" in page and "&lt;later&gt;" in page
