"""Files that cannot be taken: one sentence says why, and what was typed is there again."""

import io
from dataclasses import replace
from typing import Any

import pytest

from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Message
from helpdesk.web import uploads

TEXT = "The rear brake rubs since Monday"
# Beyond half a megabyte the test client leaves files open.
LARGE = 2000


def send(client: Any, path: str, size: int = LARGE, **form: str) -> Any:
    data = {**form, "text": TEXT, "files": (io.BytesIO(b"x" * size), "photo.png")}
    return client.post(path, data=data, content_type="multipart/form-data")


@pytest.mark.parametrize("fault", ["no room", "too large"])
def test_whatever_form_it_is(
    client: Any, as_agent: Any, as_requester: Any, make_ticket: Any, app: Any, monkeypatch: Any, fault: str
) -> None:
    monkeypatch.setattr(uploads, "SMALL", LARGE)
    if fault == "no room":
        # More than any disk has.
        monkeypatch.setattr(uploads, "RESERVE", 1 << 80)
        sentence, small = "no room for files just now", 200
    else:
        monkeypatch.setitem(app.config, "HELPDESK", replace(app.config["HELPDESK"], max_upload_mb=0))
        sentence, small = "“photo.png” is too large", 0
    ticket = make_ticket(requester=as_requester.user)
    asked = {"email": "tom@post.example", "subject": "Brake"}
    for who, path, form in (
        (client, "/ask", asked),
        (as_requester, f"/tickets/{ticket.id}/reply", {}),
        (as_agent, f"/desk/tickets/{ticket.id}/messages", {}),
        (as_agent, "/desk/tickets/new", {**asked, "written_by": "us"}),
    ):
        answer = send(who, path, **form)
        assert answer.status_code in (413, 422) and sentence in answer.text and TEXT in answer.text, path
    assert db.session.scalars(db.select(Attachment)).all() == []
    assert TEXT not in [message.text for message in db.session.scalars(db.select(Message))]
    if small:
        assert send(as_requester, f"/tickets/{ticket.id}/reply", small).status_code == 303, "what is small is taken"
        assert [row.size for row in db.session.scalars(db.select(Attachment))] == [small]
