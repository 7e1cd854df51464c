"""The page of canned responses, and how one comes into a reply without a script."""

import io
from typing import Any

import pytest

from helpdesk.core import canned
from helpdesk.core.canned import Canned
from helpdesk.core.extensions import db
from helpdesk.core.models import CannedResponse

pytestmark = pytest.mark.db


def test_one_is_made_found_previewed_changed_and_deleted(as_agent: Any, as_supervisor: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    form = {"name": "Thanks", "folder": "Short", "text_en": "Thank you, {{ customer.shoe }}!", "shared_with": "mine"}
    refused = as_agent.post("/desk/canned/new", data=form)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422 and "There is no placeholder “customer.shoe”." in page and "Thank you," in page
    form["text_en"] = "Thank you, {{ customer.organization }}! #{{ ticket.number }}"
    address = as_agent.post("/desk/canned/new", data=form).headers["Location"]
    assert "Thanks" in as_agent.get("/desk/canned?text=thank").get_data(as_text=True)
    assert "Thanks" not in as_agent.get("/desk/canned?text=nothing").get_data(as_text=True)
    page = as_agent.get(f"{address}?ticket={ticket.number}").get_data(as_text=True)
    assert f"Thank you! #{ticket.number}" in page and "Nothing is known for: Organization of the customer" in page
    assert "You see no ticket with this number." in as_agent.get(f"{address}?ticket=²").get_data(as_text=True)
    # Nobody else's.
    assert as_supervisor.get(address).status_code == 404
    assert as_agent.post(address, data={**form, "shared_with": "everybody"}).status_code == 403
    as_agent.post(address, data={**form, "name": "Many thanks"})
    (kept,) = canned.listed(as_agent.user)
    assert kept.name == "Many thanks" and not kept.active
    as_agent.post(f"{address}/delete")
    assert db.session.scalar(db.select(db.func.count(CannedResponse.id))) == 0


def test_one_is_put_into_what_was_typed(as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    response = canned.save(None, Canned("Hello", {"en": "Hello {{ team.name }} there"}, "A"), as_agent.user)
    (offer,) = as_agent.get(f"/desk/tickets/{ticket.id}/canned?q=hel").get_json()
    assert offer["name"] == "Hello" and offer["hint"] == "A"
    assert as_agent.get(offer["url"]).get_json() == {"text": "Hello there", "missing": ["Team of the ticket"]}
    typed = {"mode": "reply", "text": "Dear Mia,", "once": "c" * 20}
    page = as_agent.post(f"/desk/tickets/{ticket.id}/canned", data=typed).get_data(as_text=True)
    assert "Dear Mia,</textarea>" in page and "A: Hello</option>" in page
    chosen = {**typed, "canned": response.id, "insert": "1"}
    page = as_agent.post(f"/desk/tickets/{ticket.id}/canned", data=chosen).get_data(as_text=True)
    assert "Dear Mia,\n\nHello there</textarea>" in page and "Nothing is known for: Team of the ticket" in page
    as_agent.post(f"/desk/tickets/{ticket.id}/messages", data={**chosen, "status": "pending"})
    db.session.refresh(response)
    assert response.used == 1


def test_a_file_is_taken_in_whole_or_not(as_agent: Any) -> None:
    def send(data: bytes) -> Any:
        return as_agent.post("/desk/canned/import", data={"file": (io.BytesIO(data), "a.csv")})

    assert send(b"name,text\nA,{{ no }}\n").status_code == 422
    assert send("name,text\nA,您好\n".encode()).status_code == 303
    assert "您好" in as_agent.get("/desk/canned/export?format=csv").get_data(as_text=True)
    assert as_agent.get("/desk/canned/export").get_json()[0]["name"] == "A"


def test_who_is_named_in_a_note_is_told(as_agent: Any, make_user: Any, make_ticket: Any) -> None:
    ticket, cora, gone = (
        make_ticket(),
        make_user("agent", name="Cora Neumann"),
        make_user("agent", name="Gone", active=False),
    )
    longer = make_user("agent", name="Cora Neumann-Ort")
    (first, _second) = as_agent.get(f"/desk/tickets/{ticket.id}/colleagues?q=cora").get_json()
    assert first["name"] == "Cora Neumann"
    text = "@cora neumann-ort and @Gone look"
    as_agent.post(f"/desk/tickets/{ticket.id}/messages", data={"mode": "note", "text": text})
    from helpdesk.core.models import Event

    event = db.session.scalars(db.select(Event).where(Event.kind == "message_added").order_by(Event.id.desc())).first()
    assert event.data["mentions"] == [longer.id] and cora.id != longer.id and not gone.active


@pytest.mark.parametrize(
    "data",
    [
        b'[{"name": "a\\ud800", "texts": {"en": "{{ no }}"}}]',
        b'[{"name": "a", "texts": {"\\ud800": "b"}}]',
        b'[{"name": {"\\udfff": 1}, "texts": {"en": ""}}]',
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
        b"name,text\n" + b"a" * 200_000 + b",b\n",
        b"name,name,text\na\n",
        b"\xff\xfe",
        b"",
    ],
)
def test_a_hostile_file_gets_a_sentence(as_agent: Any, data: bytes) -> None:
    answer = as_agent.post("/desk/canned/import", data={"file": (io.BytesIO(data), "a.json")})
    assert answer.status_code == 422 and "alert" in answer.text
    assert db.session.scalar(db.select(db.func.count(CannedResponse.id))) == 0


def test_what_is_not_theirs_is_refused_before_anything_is_said_of_it(as_agent: Any, as_supervisor: Any) -> None:
    response = canned.save(None, Canned("Hello", {"en": "Hello"}, shared_with="everybody"), as_supervisor.user)
    for form in ({}, {"name": "Hi", "text_en": "Hi", "shared_with": "mine"}):
        assert as_agent.post(f"/desk/canned/{response.id}", data=form).status_code == 403
    assert as_agent.post(f"/desk/canned/{response.id}/delete").status_code == 403
    taken = as_agent.post(
        "/desk/canned/import",
        data={"file": (io.BytesIO(b"name,text\nHello,Mine\n"), "a.csv"), "everybody": "1"},
    )
    assert taken.status_code == 403
    as_agent.post("/desk/canned/import", data={"file": (io.BytesIO(b"name,text\nHello,Mine\n"), "a.csv")})
    db.session.expire_all()
    assert canned.text_of(response, "en") == "Hello"


def test_the_link_in_a_text_opens_nothing_by_itself(as_agent: Any, client: Any, make_ticket: Any) -> None:
    """All who follow read it, and our own people: it must not be the customer's signed one."""
    ticket = make_ticket()
    response = canned.save(None, Canned("Link", {"en": "See {{ ticket.link }}"}), as_agent.user)
    text = as_agent.get(f"/desk/tickets/{ticket.id}/canned/{response.id}").get_json()["text"]
    assert text.endswith(f"/tickets/{ticket.id}") and "/t/" not in text
