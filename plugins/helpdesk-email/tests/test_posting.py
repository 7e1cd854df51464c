"""Mail that providers post: who may, in which forms, and what they are answered."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from helpdesk_email import posting
from helpdesk_email.models import Mailbox

from helpdesk.api import Ticket, db, keep_incoming, transaction

# 8-bit bytes that are no UTF-8 stay as they are.
MAIL = b"From: anna@customer.example\r\nSubject: Gr\xfc\xdfe\r\n\r\nHow much is it?\r\n"
PLACE = "/p/email/in/sales@shop.example"


@pytest.fixture
def browser(app: Flask) -> Any:
    """A provider: nobody who has signed in, and form tokens are asked for."""
    app.config["WTF_CSRF_ENABLED"] = True
    with transaction():
        db.session.add(Mailbox(address="sales@shop.example", kind="handed", secret="s3cret-of-sales"))
        db.session.add(Mailbox(address="old@shop.example", kind="handed"))
    return app.test_client()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the desk was given to keep."""
    found: list[bytes] = []

    def keep(channel: str, raw: bytes, **more: Any) -> None:
        found.append(raw)
        keep_incoming(channel, raw, **more)

    monkeypatch.setattr(posting, "keep_incoming", keep)
    return found


def signed(body: bytes, moment: float = 0.0, secret: str = "s3cret-of-sales") -> dict[str, str]:
    return {posting.SIGNATURE: posting.sign(secret, body, int(time.time() + moment))}


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}


def test_a_signed_mail_is_kept_once(browser: Any, run_jobs: Callable[[], int]) -> None:
    for _turn in range(2):
        answer = browser.post(PLACE, data=MAIL, content_type="message/rfc822", headers=signed(MAIL))
        assert (answer.status_code, answer.json) == (202, {"said": "Kept."})
    run_jobs()
    found = [tuple(row) for row in db.session.execute(db.select(Ticket.subject, Ticket.account))]
    assert found == [("Grüße", "sales@shop.example")]


@pytest.mark.parametrize("form", ["urlencoded", "field", "file", "json"])
def test_each_form_of_providers_gives_the_same_bytes(browser: Any, kept: list[bytes], form: str) -> None:
    mail = MAIL if form != "json" else MAIL.replace(b"\xfc\xdf", "üß".encode())
    if form == "urlencoded":
        data: Any = {"body-mime": mail}
        answer = browser.post(PLACE, data=_urlencoded(data), content_type=_URLENCODED, headers=basic("s3cret-of-sales"))
    elif form == "json":
        body = json.dumps({"RawEmail": mail.decode(), "From": "x"})
        answer = browser.post(PLACE, data=body, content_type="application/json", headers=basic("s3cret-of-sales"))
    else:
        name = b'; filename="mail.eml"' if form == "file" else b""
        body = b'--xx\r\nContent-Disposition: form-data; name="email"' + name + b"\r\n\r\n" + mail + b"\r\n--xx--\r\n"
        answer = browser.post(
            PLACE, data=body, content_type="multipart/form-data; boundary=xx", headers=basic("s3cret-of-sales")
        )
    assert answer.status_code == 202, answer.data
    assert kept == [mail]


_URLENCODED = "application/x-www-form-urlencoded"


def _urlencoded(fields: dict[str, bytes]) -> str:
    from urllib.parse import urlencode

    return urlencode(fields)


@pytest.mark.parametrize("address", ["sales@shop.example", "old@shop.example", "nobody@shop.example"])
def test_others_are_refused_alike(browser: Any, kept: list[bytes], address: str) -> None:
    wrong = [
        {},
        *({posting.SIGNATURE: header} for header in ("t=now,v1=x", "nonsense", "t=²,v1=x")),
        *(signed(body, moment) for body, moment in ((MAIL + b"x", 0), (MAIL, -400), (MAIL, 400))),
        *(signed(MAIL, secret=secret) for secret in ("another", "")),
        *(basic(password) for password in ("another", "", "s3cret-of-sälés")),
    ]
    for headers in wrong:
        answer = browser.post(f"/p/email/in/{address}", data=MAIL, content_type="message/rfc822", headers=headers)
        assert answer.status_code == 401 and "Basic" in answer.headers["WWW-Authenticate"], headers
    assert kept == []


def test_nothing_is_read_from_those_who_cannot_be_right(browser: Any) -> None:
    class Unread:
        """A body that must not be asked for."""

        def read(self, *_size: int) -> bytes:
            raise AssertionError

        readline = read

    told = signed(MAIL)[posting.SIGNATURE]
    wrong = [{posting.SIGNATURE: header} for header in ("t=now,v1=x", told.partition(",")[0])]
    wrong += [signed(MAIL, -400), basic("another"), {}]
    for place, headers in [*((PLACE, one) for one in wrong), ("/p/email/in/old@shop.example", signed(MAIL))]:
        answer = browser.post(
            place,
            headers=headers,
            content_type="message/rfc822",
            environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "30000000"},
        )
        assert answer.status_code == 401, headers


def test_mail_to_a_paused_mailbox_comes_again(browser: Any, kept: list[bytes]) -> None:
    with transaction():
        db.session.execute(db.update(Mailbox).values(active=False))
    for headers in (basic("s3cret-of-sales"), signed(MAIL)):
        answer = browser.post(PLACE, data=MAIL, content_type="message/rfc822", headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"], kept) == (503, "60", [])
    assert browser.post(PLACE, data=MAIL, headers=basic("another")).status_code == 401


def test_what_cannot_be_used_is_said(browser: Any, kept: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def post(data: Any, kind: str) -> int:
        return int(browser.post(PLACE, data=data, content_type=kind, headers=basic("s3cret-of-sales")).status_code)

    assert post(MAIL, "text/plain") == 415
    assert post(b"{}", "application/json") == 415
    assert post(b"--xx\r\nnonsense", "multipart/form-data; boundary=xx") == 415
    assert post(b"a=b", _URLENCODED) == 415
    assert post(b"\r\n", "message/rfc822") == 415
    assert post(b"x" * (posting.LARGEST + 1), "message/rfc822") == 413
    answer = browser.post(
        PLACE,
        data=MAIL,
        content_type="message/rfc822",
        headers=basic("s3cret-of-sales"),
        environ_overrides={"CONTENT_LENGTH": str(posting.LARGEST * 2)},
    )
    assert answer.status_code == 413

    def full(*_arguments: Any, **_more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(posting, "keep_incoming", full)
    again = browser.post(PLACE, data=MAIL, content_type="message/rfc822", headers=basic("s3cret-of-sales"))
    assert (again.status_code, again.headers["Retry-After"]) == (503, "60")
    assert kept == []


def test_a_browser_of_somebody_who_has_signed_in_is_nobody(app: Flask, browser: Any, as_admin: Any) -> None:
    answer = as_admin.post(PLACE, data=MAIL, content_type="message/rfc822")
    assert answer.status_code == 401


def test_a_machine_s_page_knows_nobody(make_app: Callable[..., Any], as_admin: Any, plug: Any) -> None:
    from flask_login import current_user

    from helpdesk.api import machine_page

    with as_admin.application.test_request_context("/"):

        @machine_page
        def who() -> bool:
            return bool(current_user.is_authenticated)

        from flask_login import login_user

        login_user(as_admin.user)
        assert current_user.is_authenticated
        assert who() is False
