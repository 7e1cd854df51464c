"""The log of incoming mail: found, read, tried again, let in, put aside."""

import re
from typing import Any

import pytest

from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Intake
from helpdesk.core.transaction import transaction
from helpdesk.web.admin import mail

pytestmark = pytest.mark.plugins("email")

NOBODY = b"Subject: <b>nobody %d</b>\r\nTo: help@desk.example\r\n\r\nNo sender at all"
GOOD = (
    b"From: =?utf-8?q?Zo=C3=AB?= <zoe@customer.example>\r\nTo: Help <help@desk.example>\r\n"
    b"Cc: carl@customer.example\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/html\r\n\r\n<h1>Hello</h1><script>alert(1)</script>"
    b"<img src='http://evil.example/t.gif'>"
    b"<img src='cid:logo'>\r\n--x\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=list.txt\r\n"
    b"\r\none\r\n--x--\r\n"
)


def held(number: int = 0) -> int:
    outcome = intake.receive("email", NOBODY % number)
    assert outcome.outcome == "quarantined"
    return outcome.intake_id


def item(item_id: int) -> Intake:
    db.session.expire_all()
    return db.session.get_one(Intake, item_id)


def test_each_row_says_what_became_of_it_and_why(as_admin: Any) -> None:
    taken = intake.receive("email", GOOD)
    intake.receive("email", b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\n\r\nAway")
    held()
    page = as_admin.get("/admin/mail").text
    assert f"Opened #{taken.ticket_id}" in page and f"/desk/tickets/{taken.ticket_id}" in page
    assert "Ignored: an automatic answer" in page and "Held for a person: has no sender" in page
    assert "&lt;b&gt;nobody" in page and "<b>nobody" not in page
    waiting = as_admin.get("/admin/mail?state=quarantined").text
    assert "nobody" in waiting and "Grüße" not in waiting


def test_rows_are_found_by_address_words_and_mailbox(as_admin: Any) -> None:
    intake.receive("email", GOOD, account="help@desk.example")
    intake.receive("email", b"From: dan@customer.example\r\nSubject: 100% wool\r\n\r\nHi", account="shop@desk.example")

    def subjects(query: str) -> set[str]:
        page = as_admin.get(f"/admin/mail?{query}").text
        return {word for word in ("Grüße", "100% wool") if word in re.sub(r"<input[^>]*>", "", page)}

    assert subjects("text=ZOE@customer.example") == {"Grüße"}
    assert subjects("text=customer.example") == {"Grüße", "100% wool"}
    assert subjects("text=100%25") == {"100% wool"} and subjects("text=%25%25") == set()
    assert subjects("text=0%25+WOOL&account=shop@desk.example") == {"100% wool"}
    assert subjects("account=help@desk.example") == {"Grüße"}
    assert subjects("text=nobody@else.example") == subjects("account=else@desk.example") == set()
    options = re.findall(r'<option value="([^"]*)"', as_admin.get("/admin/mail?account=else@desk.example").text)
    assert options == ["", "else@desk.example", "help@desk.example", "shop@desk.example"]


@pytest.mark.db
def test_the_list_needs_few_queries_and_has_pages(as_admin: Any, count_queries: Any) -> None:
    with transaction():
        db.session.add_all(
            Intake(channel="email", transport_id=str(number), account=f"a{number % 60}@desk.example",
                   sha256="0" * 64, size=1, sender=f"p{number}@customer.example", subject=f"Number {number}.")
            for number in range(120)
        )  # fmt: skip
    as_admin.get("/admin/held")
    with count_queries() as statements:
        page = as_admin.get("/admin/mail?text=number&account=a7@desk.example&state=received").text
    assert len(statements) <= 8, statements
    assert "Number 67." in page and "Number 7." in page and "Number 8." not in page
    page = as_admin.get("/admin/mail?text=number").text
    older = re.search(r'href="(/admin/mail\?after=[0-9]+[^"]*)"', page)
    assert older is not None and "Number 70." in page and "Number 69." not in page
    assert "Number 69." in as_admin.get(older[1].replace("&amp;", "&")).text


def test_an_item_shows_what_was_understood(as_admin: Any) -> None:
    outcome = intake.receive("email", GOOD)
    page = as_admin.get(f"/admin/mail/{outcome.intake_id}").text
    assert "Zoë" in page and "zoe@customer.example" in page and "carl@customer.example" in page
    assert "Hello" in page and "list.txt" in page and "Nothing proves the sender" in page
    understood, source = page.split("<pre")
    assert "<script>alert" not in page and "evil.example" not in understood and "evil.example" in source
    with transaction():
        item(outcome.intake_id).verified = False
    assert "Sender not verified" in as_admin.get(f"/admin/mail/{outcome.intake_id}").text
    assert as_admin.get(f"/admin/mail/{outcome.intake_id}/source").data == GOOD


def test_an_item_that_cannot_be_read_is_shown_by_its_source(as_admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    number = held()
    monkeypatch.setattr(mail, "_READABLE", 10)
    assert "too large to be shown here" in as_admin.get(f"/admin/mail/{number}").text
    monkeypatch.undo()
    with transaction():
        item(number).channel = "carrier-pigeon"
    page = as_admin.get(f"/admin/mail/{number}").text
    assert "The channel “carrier-pigeon” is off" in page and "No sender at all" in page
    with transaction():
        item(number).sha256 = "f" * 64
    assert "not there any more" in as_admin.get(f"/admin/mail/{number}").text


def test_one_is_let_in_by_a_person(as_admin: Any, as_supervisor: Any, plug: Any) -> None:
    def before_message_accepted(intake: Any) -> None:
        intake.refused = "Held by a rule"

    plug("strict", before_message_accepted=before_message_accepted)
    number = intake.receive("email", GOOD).intake_id
    assert "Let it in" in as_admin.get(f"/admin/mail/{number}").text
    assert as_supervisor.post(f"/admin/mail/{number}/accept").status_code == 403
    as_admin.post(f"/admin/mail/{number}/retry")
    assert item(number).state == "quarantined"
    as_admin.post(f"/admin/mail/{number}/accept")
    assert (item(number).state, item(number).outcome) == ("done", "ticket")
    page = as_admin.post(f"/admin/mail/{number}/accept", follow_redirects=True).text
    assert "Somebody was quicker" in page and "Let it in" not in page
    assert "incoming.accepted" in set(db.session.scalars(db.select(AuditEntry.action)))


def test_several_are_put_aside_and_tried_again(as_admin: Any, as_supervisor: Any) -> None:
    numbers = [held(number) for number in range(3)]
    page = as_admin.get("/admin/mail").text
    assert page.count('name="items"') == 3
    data = {"items": [str(numbers[0]), str(numbers[1]), "x", "9" * 30, "99999"], "act": "discard"}
    assert as_supervisor.post("/admin/mail", data=data).status_code == 403
    answer = as_admin.post("/admin/mail?state=quarantined", data=data)
    assert answer.status_code == 303 and answer.location.endswith("/admin/mail?state=quarantined")
    assert [item(number).state for number in numbers] == ["discarded", "discarded", "quarantined"]
    page = as_admin.post("/admin/mail", data={"items": numbers, "act": "retry"}, follow_redirects=True).text
    assert "3 messages were tried again" in page
    assert {item(number).state for number in numbers} == {"quarantined"}
    assert "Choose some first" in as_admin.post("/admin/mail", data={"act": "retry"}, follow_redirects=True).text
