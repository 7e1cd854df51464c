"""The bell, the list and the choices."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Notification, NotificationChoice, User
from helpdesk.core.notifications import reading


@pytest.fixture
def abe(as_agent: Any) -> User:
    return db.session.scalars(select(User).where(User.role == "agent")).one()


def news(browser: Any, **query: Any) -> Any:
    return browser.get("/desk/notifications/news", query_string=query)


def test_the_bell_tells_what_is_new_until_the_ticket_is_opened(
    as_agent: Any, abe: User, make_ticket: Any, run_jobs: Any, count_queries: Any
) -> None:
    first = news(as_agent).json
    assert (first["unread"], first["items"], first["label"]) == (0, [], "Notices")
    assert news(as_agent, since=first["newest"], unread=0).status_code == 204
    ticket = make_ticket("Creaking", assignee=abe)
    run_jobs()
    with count_queries() as statements:
        found = news(as_agent, since=first["newest"], unread=0).json
    assert len(statements) <= 4
    assert (found["unread"], found["shown"], found["label"]) == (1, "1", "Notices: 1 unread")
    assert [(item["title"], item["text"]) for item in found["items"]] == [
        (f"#{ticket.id} Creaking", "It is new, and yours.")
    ]
    assert news(as_agent, since=found["newest"], unread=1).status_code == 204
    assert as_agent.get(f"/desk/tickets/{ticket.id}").status_code == 200
    assert news(as_agent).json["unread"] == 1, "a GET never writes"
    assert as_agent.post(f"/desk/tickets/{ticket.id}/read").status_code == 204
    assert news(as_agent, since=found["newest"], unread=1).json["unread"] == 0


def test_the_list_goes_page_by_page_and_is_marked_read(
    as_agent: Any, abe: User, make_ticket: Any, run_jobs: Any, count_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nothing yet" in as_agent.get("/desk/notifications").text
    tickets = [make_ticket(f"Matter {number}") for number in range(3)]
    workflow.note(tickets[0], MessageDraft("Note"), None)
    run_jobs()
    monkeypatch.setitem(reading.page.__kwdefaults__, "size", 2)
    with count_queries() as statements:
        page = as_agent.get("/desk/notifications").text
    assert len(statements) <= 8
    assert page.index("Matter 2") < page.index("Matter 1") and "Matter 0" not in page
    assert "New from" in page and 'aria-label="Mark as read: Matter 2"' in page
    numbers = list(db.session.scalars(select(Notification.id).order_by(Notification.id)))
    older = as_agent.get("/desk/notifications", query_string={"before": numbers[1]}).text
    assert "Matter 0" in older and "Matter 1" not in older
    as_agent.post("/desk/notifications/read", data={"id": numbers[0]})
    assert news(as_agent).json["unread"] == 2
    as_agent.post("/desk/notifications/read", data={"until": numbers[1]})
    assert news(as_agent).json["unread"] == 1, "what came later stays unread"
    page = as_agent.get("/desk/notifications?unread=1").text
    assert "Matter 2" in page and "Matter 1" not in page
    for wrong in ("x", "²", "9" * 40, "-1"):
        assert as_agent.get("/desk/notifications", query_string={"before": wrong}).status_code == 200
        assert as_agent.post("/desk/notifications/read", data={"id": wrong, "until": wrong}).status_code == 303
        assert news(as_agent, since=wrong, unread=wrong).status_code == 200


def test_nobody_marks_or_sees_what_another_is_told(
    as_agent: Any, as_admin: Any, abe: User, make_ticket: Any, run_jobs: Any
) -> None:
    ticket = make_ticket("Mine", assignee=abe)
    run_jobs()
    (row,) = db.session.scalars(select(Notification).where(Notification.user_id == abe.id))
    assert "Mine" not in as_admin.get("/desk/notifications").text
    as_admin.post("/desk/notifications/read", data={"id": row.id})
    as_admin.post("/desk/notifications/read", data={"until": row.id})
    as_admin.post(f"/desk/tickets/{ticket.id}/read")
    assert news(as_agent).json["unread"] == 1


FORM = {
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "digest_at": "08:30",
    "assigned-page": "1",
    "assigned-mail": "digest",
}


def test_choices_are_kept_and_what_is_wrong_is_said_beside_the_field(as_agent: Any, abe: User) -> None:
    page = as_agent.get("/desk/notifications/choices").text
    assert page.count('-page" value="1"') == page.count('-browser" value="1"') == page.count("<select") == 7
    assert as_agent.post("/desk/notifications/choices", data=FORM).status_code == 303
    db.session.expire_all()
    assert (abe.quiet_from, abe.quiet_until, abe.digest_at) == ("22:00", "07:00", "08:30")
    row = db.session.get_one(NotificationChoice, (abe.id, "assigned"))
    assert (row.page, row.browser, row.mail) == (True, False, "digest")
    for wrong, sentence in (
        ({"quiet_from": "25:00"}, "Write a time like 20:30."),
        ({"quiet_until": ""}, "Quiet hours need a beginning and an end"),
        ({"quiet_until": "22:00"}, "Quiet hours end at another time"),
        ({"digest_at": ""}, "Write a time like 20:30."),
        ({"assigned-mail": "hourly"}, "Choose one of the list."),
    ):
        answer = as_agent.post("/desk/notifications/choices", data={**FORM, "digest_at": "09:15", **wrong})
        assert answer.status_code == 422 and sentence in answer.text
    assert 'value="22:00"' in answer.text, "what was typed stays"
    db.session.expire_all()
    assert abe.digest_at == "08:30"
