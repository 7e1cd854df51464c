"""The rooms of mailboxes and mail servers: who comes in, what is kept, what is said about bad input."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_email.models import Mailbox, MainServer, Server
from helpdesk_email.rooms import TESTS
from helpdesk_email.settings import EmailSettings
from sqlalchemy import func, select

from helpdesk.api import Delivery, db, now, transaction

BOX = {
    "address": "Shop@desk.example", "kind": "imap", "host": "imap.desk.example", "security": "tls",
    "username": "shop", "password": "very secret", "afterwards": "seen",
}  # fmt: skip
SERVER = {"name": "Spare", "host": "smtp.desk.example", "security": "starttls", "username": "shop", "password": "hush"}
ROOMS = ("mailboxes", "mailboxes/new", "mailboxes/1", "mailboxes/1/delete", "mailboxes/1/take", "servers",
         "servers/new", "servers/1", "servers/1/delete", "rules", "rules/new", "rules/1", "rules/1/delete")  # fmt: skip


@pytest.fixture
def box(as_admin: Any) -> Mailbox:
    assert as_admin.post("/p/email/mailboxes/new", data=BOX).status_code == 303
    return db.session.scalars(select(Mailbox)).one()


@pytest.fixture
def server(as_admin: Any) -> Server:
    assert as_admin.post("/p/email/servers/new", data=SERVER).status_code == 303
    return db.session.scalars(select(Server)).one()


def change(row: Any, **values: Any) -> None:
    with transaction():
        for key, value in values.items():
            setattr(row, key, value)


@pytest.mark.parametrize("room", ROOMS)
def test_only_administrators_come_in(
    client: Any, as_agent: Any, as_supervisor: Any, as_admin: Any, box: Mailbox, server: Server, count_queries: Any,
    room: str,
) -> None:  # fmt: skip
    """register_permissions gives email.manage to nobody else."""
    as_admin.post("/p/email/rules/new", data={"part": "subject", "how": "is", "pattern": "x", "act": "hold"})
    assert client.get(f"/p/email/{room}").status_code == 303
    for other in (as_agent, as_supervisor):
        assert other.get(f"/p/email/{room}").status_code == 403
        assert other.post(f"/p/email/{room}").status_code in (403, 405)
    as_admin.get("/admin/held")
    with count_queries() as statements:
        assert as_admin.get(f"/p/email/{room}").status_code == 200
    assert len(statements) <= 8, statements


def test_a_mailbox_is_made_with_what_is_usual(as_admin: Any, box: Mailbox) -> None:
    assert (box.address, box.port, box.folder, box.active) == ("shop@desk.example", 993, "INBOX", True)
    assert (box.team_id, box.locale, box.server_id, box.password) == (None, None, None, "very secret")
    for page in ("/p/email/mailboxes", f"/p/email/mailboxes/{box.id}", "/admin/audit"):
        assert "very secret" not in as_admin.get(page).text
    assert "One is saved" in as_admin.get(f"/p/email/mailboxes/{box.id}").text
    # Only new mail becomes tickets.
    assert box.since is not None and now() - timedelta(minutes=5) < box.since < now()
    as_admin.post("/p/email/mailboxes/new", data={**BOX, "address": "b@desk.example", "there": "take"})
    assert db.session.scalars(select(Mailbox.since).where(Mailbox.address == "b@desk.example")).one() is None


def test_a_mailbox_is_changed_and_keeps_its_secrets(as_admin: Any, box: Mailbox, make_team: Any) -> None:
    team = make_team()
    change(box, error="It was refused.", failed_at=now())
    data = {**BOX, "password": "", "security": "starttls", "folder": "Anfragen/Größen", "afterwards": "move",
            "move_to": "Done", "team_id": str(team.id), "locale": "zh_Hans", "signature": "Yours\r\nThe shop",
            "sender_name": "Shop"}  # fmt: skip
    assert as_admin.post(f"/p/email/mailboxes/{box.id}", data=data).status_code == 303
    db.session.refresh(box)
    assert (box.password, box.port, box.folder, box.move_to) == ("very secret", 143, "Anfragen/Größen", "Done")
    assert (box.team_id, box.locale, box.signature, box.error) == (team.id, "zh_Hans", "Yours\nThe shop", "")
    # A saved password goes to no server that it was not typed for.
    other = as_admin.post(f"/p/email/mailboxes/{box.id}", data={**data, "host": "evil.example"})
    assert other.status_code == 422 and 'id="f-password-error"' in other.text
    assert as_admin.post(f"/p/email/mailboxes/{box.id}", data={**data, "host": "b.example", "password": "new"})
    db.session.refresh(box)
    assert (box.host, box.password) == ("b.example", "new")
    record = as_admin.get("/admin/audit").text
    assert "Mailbox changed" in record and "very secret" not in record


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"address": "no address"}, "address"),
        ({"address": "a+b@desk.example"}, "address"),
        ({"address": "TAKEN@desk.example"}, "address"),
        ({"kind": "pigeon"}, "kind"),
        ({"host": ""}, "host"),
        ({"host": "https://imap.desk.example"}, "host"),
        ({"port": "0"}, "port"),
        ({"port": "６５"}, "port"),
        ({"port": "99999"}, "port"),
        ({"security": "rot13"}, "security"),
        ({"username": ""}, "username"),
        ({"username": "x" * 321}, "username"),
        ({"password": ""}, "password"),
        ({"password": "two\nlines"}, "password"),
        ({"folder": "a\x00b"}, "folder"),
        ({"afterwards": "burn"}, "afterwards"),
        ({"there": "burn"}, "there"),
        ({"afterwards": "move", "move_to": ""}, "move_to"),
        ({"kind": "pop3", "afterwards": "move", "move_to": "Done"}, "afterwards"),
        ({"team_id": "4711"}, "team_id"),
        ({"locale": "tlh"}, "locale"),
        ({"server_id": "-1"}, "server_id"),
        ({"signature": "x" * 5_001}, "signature"),
        ({"oauth": "google", "oauth_client_id": "", "oauth_refresh_token": "r"}, "oauth_client_id"),
        ({"oauth": "google", "oauth_client_id": "i"}, "oauth_refresh_token"),
        ({"oauth": "custom", "oauth_client_id": "i", "oauth_refresh_token": "r"}, "oauth_token_url"),
        ({"oauth": "myspace"}, "oauth"),
    ],
)
def test_bad_input_stands_beside_its_field_and_what_was_typed_stays(
    as_admin: Any, bad: dict[str, str], field: str
) -> None:
    as_admin.post("/p/email/mailboxes/new", data={**BOX, "address": "taken@desk.example"})
    answer = as_admin.post("/p/email/mailboxes/new", data={**BOX, "sender_name": "Kept <b>", **bad})
    assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text
    assert "Kept &lt;b&gt;" in answer.text and "very secret" not in answer.text
    if "password" not in bad:
        assert "Passwords and keys are not sent back to the browser" in answer.text
    assert db.session.scalar(select(func.count(Mailbox.id))) == 1


def test_a_mailbox_by_oauth_needs_no_password(as_admin: Any) -> None:
    data = {**BOX, "password": "", "oauth": "microsoft", "oauth_client_id": "i", "oauth_refresh_token": "long-lasting"}
    assert as_admin.post("/p/email/mailboxes/new", data=data).status_code == 303
    box = db.session.scalars(select(Mailbox)).one()
    change(box, oauth_access_token="short-lived", oauth_expires_at=now())
    as_admin.post(f"/p/email/mailboxes/{box.id}", data={**data, "oauth_refresh_token": "", "sender_name": "Shop"})
    db.session.refresh(box)
    assert (box.oauth_refresh_token, box.oauth_access_token) == ("long-lasting", "short-lived")
    as_admin.post(f"/p/email/mailboxes/{box.id}", data={**data, "oauth_refresh_token": "another"})
    db.session.refresh(box)
    assert (box.oauth_refresh_token, box.oauth_access_token, box.oauth_expires_at) == ("another", "", None)


@pytest.mark.db
def test_a_mailbox_is_paused_asked_and_deleted(as_admin: Any, box: Mailbox, server: Server) -> None:
    here = f"/p/email/mailboxes/{box.id}"
    change(box, server_id=server.id)
    as_admin.post(f"{here}/pause")
    page = as_admin.get(here).text
    assert "Paused" in page and "Fetch now" not in page
    as_admin.post(f"{here}/resume")
    assert as_admin.post(f"{here}/fetch").status_code == 303
    assert "email.fetch" in as_admin.get("/admin/jobs?state=waiting&name=email").text
    assert "shop@desk.example" in as_admin.get(f"{here}/delete").text
    assert as_admin.post(f"/p/email/servers/{server.id}/delete").status_code == 303
    db.session.refresh(box)
    assert box.server_id is None
    assert as_admin.post(f"{here}/delete").status_code == 303
    assert as_admin.get(here).status_code == as_admin.post(f"{here}/fetch").status_code == 404
    assert as_admin.get(f"/p/email/mailboxes/{10**20}").status_code == 404
    record = as_admin.get("/admin/audit").text
    assert all(f"email.mailbox_{act}" in record for act in ("added", "paused", "resumed", "deleted"))


def test_the_list_says_how_each_does_and_home_what_has_failed_for_long(as_admin: Any, box: Mailbox) -> None:
    """admin_rooms counts it as well."""
    assert "Not fetched yet" in as_admin.get("/p/email/mailboxes").text
    change(box, polled_at=now(), fetched=12_000, backlog=38_000, fetching_until=now() + timedelta(minutes=1))
    page = as_admin.get("/p/email/mailboxes").text
    assert "Fetching" in page and "38,000 mails to go" in page and 'value="12000" max="50000"' in page
    change(box, fetching_until=None, backlog=0)
    assert "Works" in as_admin.get("/p/email/mailboxes").text
    change(box, error="<b>Refused</b>", failed_at=now() - timedelta(minutes=10))
    page = as_admin.get("/p/email/mailboxes").text
    assert "Fails" in page and "&lt;b&gt;Refused" in page
    assert "1 needs attention" not in as_admin.get("/admin/").text
    change(box, failed_at=now() - timedelta(minutes=16))
    assert "1 needs attention" in as_admin.get("/admin/").text


def test_the_test_of_a_mailbox_says_what_fails(as_admin: Any, box: Mailbox) -> None:
    change(box, host="127.0.0.1", port=1, security="none")
    page = as_admin.post(f"/p/email/mailboxes/{box.id}/test").text
    assert "127.0.0.1 does not answer on port 1" in page and page.count("Not tried yet") == 2
    data = {**BOX, "test": "1", "host": "127.0.0.1", "port": "1", "security": "none"}
    answer = as_admin.post(f"/p/email/mailboxes/{box.id}", data=data)
    assert answer.status_code == 200 and "127.0.0.1 does not answer on port 1" in answer.text


def test_whoever_tests_too_often_waits(
    as_admin: Any, sign_in: Any, make_user: Any, box: Mailbox, server: Server, travel: Any
) -> None:
    travel(minutes=0)
    change(box, host="127.0.0.1", port=1, security="none")
    answers = [as_admin.post(f"/p/email/mailboxes/{box.id}/test").text for _turn in range(TESTS)]
    assert all("does not answer on port 1" in page for page in answers)
    for path in (f"mailboxes/{box.id}/test", f"servers/{server.id}/test", "servers/main/test"):
        page = as_admin.post(f"/p/email/{path}").text
        assert "Wait ten minutes, then test again" in page and "does not answer" not in page
    other = sign_in(make_user("admin"))
    assert "does not answer on port 1" in other.post(f"/p/email/mailboxes/{box.id}/test").text
    travel(minutes=11)
    assert "does not answer on port 1" in as_admin.post(f"/p/email/mailboxes/{box.id}/test").text


def test_what_another_host_is_told_takes_a_proof(
    make_user: Any, sign_in: Any, box: Mailbox, server: Server, travel: Any
) -> None:
    browser = sign_in(make_user("admin"))
    travel(minutes=11)
    for path, form in ((f"mailboxes/{box.id}", BOX), (f"servers/{server.id}", SERVER)):
        answer = browser.post(f"/p/email/{path}", data={**form, "host": "127.0.0.1", "test": "1"})
        assert answer.status_code == 403 and "Is it you?" in answer.text
    db.session.expire_all()
    assert "127.0.0.1" not in (box.host, server.host)


@pytest.mark.slow
def test_the_test_of_a_mailbox_looks_into_it(as_admin: Any, box: Mailbox, mail_server: Any) -> None:
    mail_server.put("looked", [b"Subject: one\r\n\r\n1", b"Subject: two\r\n\r\n2"])
    change(box, host=mail_server.host, port=mail_server.port, security="none", username="looked", password="secret")
    page = as_admin.post(f"/p/email/mailboxes/{box.id}/test").text
    assert "2 mails lie there" in page and "Not tried yet" not in page
    change(box, folder="Nowhere")
    page = as_admin.post(f"/p/email/mailboxes/{box.id}/test").text
    assert "does not open the folder “Nowhere”" in page and page.count("circle-check") >= 2
    change(box, password="wrong")
    page = as_admin.post(f"/p/email/mailboxes/{box.id}/test").text
    assert "did not accept the user name and password" in page and page.count("Not tried yet") == 1
    assert mail_server.flags("looked") and not any("Seen" in flags for flags in mail_server.flags("looked"))


def test_mail_that_is_handed_in_is_explained_with_a_secret_that_is_shown_once(as_admin: Any) -> None:
    data = {"address": "orders@desk.example", "kind": "handed"}
    assert as_admin.post("/p/email/mailboxes/new", data=data).status_code == 303
    box = db.session.scalars(select(Mailbox)).one()
    here = f"/p/email/mailboxes/{box.id}"
    page = as_admin.get(here).text
    assert "http://desk.example/p/email/in/orders@desk.example" in page and "nobody can post" in page
    assert "mail receive --account orders@desk.example" in page and "does not listen yet" in page
    shown = as_admin.post(f"{here}/secret").text
    db.session.refresh(box)
    assert len(box.secret) >= 43 and box.secret in shown and "Make a new secret" in shown
    assert box.secret not in as_admin.get(here).text and box.secret not in as_admin.get("/admin/audit").text
    before = box.secret
    as_admin.post(f"{here}/secret")
    db.session.refresh(box)
    assert box.secret != before


# ---- servers


def test_servers_change_places_with_each_other_and_with_the_settings(as_admin: Any, server: Server) -> None:
    as_admin.post("/p/email/servers/new", data={**SERVER, "name": "Third"})

    def order() -> list[tuple[str, bool]]:
        rows = db.session.scalars(select(Server).order_by(Server.position, Server.id)).all()
        return [(row.name, row.position <= 0) for row in rows]

    assert order() == [("Spare", False), ("Third", False)]
    third = db.session.scalars(select(Server).where(Server.name == "Third")).one().id
    for expected in (
        [("Third", False), ("Spare", False)],
        [("Third", True), ("Spare", False)],
        [("Third", True), ("Spare", False)],
    ):
        as_admin.post(f"/p/email/servers/{third}/up")
        assert order() == expected
    as_admin.post(f"/p/email/servers/{server.id}/down")
    as_admin.post(f"/p/email/servers/{third}/down")
    assert order() == [("Third", False), ("Spare", False)]


def test_a_server_is_changed_paused_and_tried_again_at_once(as_admin: Any, server: Server) -> None:
    change(server, rests_until=now() + timedelta(hours=1), error="421 busy", failed_at=now())
    page = as_admin.get("/p/email/servers").text
    assert "421 busy" in page and "rests until" in page and "hush" not in page
    assert as_admin.post(f"/p/email/servers/{server.id}", data={**SERVER, "password": ""}).status_code == 303
    db.session.refresh(server)
    assert (server.password, server.port, server.rests_until, server.error) == ("hush", 587, None, "")
    as_admin.post(f"/p/email/servers/{server.id}/pause")
    assert "Paused" in as_admin.get("/p/email/servers").text
    as_admin.post(f"/p/email/servers/{server.id}/resume")
    db.session.refresh(server)
    assert server.active
    for bad in ({"name": ""}, {"name": "SPARE"}, {"host": "a b"}, {"password": ""}):
        answer = as_admin.post("/p/email/servers/new", data={**SERVER, "name": "Other", **bad})
        assert answer.status_code == 422 and f'id="f-{next(iter(bad))}-error"' in answer.text
    assert as_admin.get("/p/email/servers/99").status_code == 404


def test_a_mail_to_me_shows_that_a_server_sends(as_admin: Any, server: Server, mailbox: Any) -> None:
    change(server, host=mailbox.host, port=mailbox.port, security="none", username="", password="")
    page = as_admin.post(f"/p/email/servers/{server.id}/test").text
    assert "Not tried yet" not in page
    assert [message["To"] for message in mailbox.to(as_admin.user.email)] == [as_admin.user.email]
    mailbox.refuse = "550 no such person"
    assert "550 no such person" in as_admin.post(f"/p/email/servers/{server.id}/test").text


def test_the_settings_server_stands_in_the_list(as_admin: Any, configure: Any, server: Server) -> None:
    configure(EmailSettings, smtp_host="mail.desk.example", smtp_port=465)
    assert "mail.desk.example:465" in as_admin.get("/p/email/servers").text


def test_the_settings_server_says_how_it_does_and_is_tested(
    as_admin: Any, configure: Any, mailbox: Any, free_port: int
) -> None:
    assert "Not used yet" in as_admin.get("/p/email/servers").text
    page = as_admin.post("/p/email/servers/main/test").text
    assert "The test" in page and "Not tried yet" not in page
    assert [message["To"] for message in mailbox.to(as_admin.user.email)] == [as_admin.user.email]
    configure(EmailSettings, smtp_port=free_port)
    page = as_admin.post("/p/email/servers/main/test").text
    assert f"does not answer on port {free_port}" in page


def test_trouble_with_the_settings_server_is_over_when_its_test_works(as_admin: Any, mailbox: Any) -> None:
    with transaction():
        place = f"{mailbox.host}:{mailbox.port}"
        db.session.add(MainServer(place=place, error="421 <busy>", failed_at=now(), rests_until=now()))
    page = as_admin.get("/p/email/servers").text
    assert "421 &lt;busy&gt;" in page and "Fails" in page
    assert 'href="/p/email/servers">Mail servers (1)</a>' in as_admin.get("/admin/").text
    assert "421 &lt;busy&gt;" not in as_admin.post("/p/email/servers/main/test").text
    assert "Mail servers (1)" not in as_admin.get("/admin/").text


@pytest.mark.parametrize(
    ("kind", "security", "port", "expected"),
    [
        ("imap", "tls", "", 993),
        ("imap", "starttls", "993", 143),
        ("pop3", "tls", "993", 995),
        ("pop3", "starttls", "993", 110),
        ("imap", "starttls", "1143", 1143),
    ],
)
def test_the_port_goes_with_the_way_in_unless_it_was_typed(
    as_admin: Any, box: Mailbox, kind: str, security: str, port: str, expected: int
) -> None:
    data = {**BOX, "kind": kind, "security": security, "port": port, "password": ""}
    assert as_admin.post(f"/p/email/mailboxes/{box.id}", data=data).status_code == 303
    db.session.refresh(box)
    assert box.port == expected


def test_a_mailbox_that_was_handed_in_gets_the_usual_port_when_it_is_fetched(as_admin: Any) -> None:
    assert as_admin.post("/p/email/mailboxes/new", data={**BOX, "kind": "handed"}).status_code == 303
    box = db.session.scalars(select(Mailbox)).one()
    change(box, port=143)
    assert as_admin.post(f"/p/email/mailboxes/{box.id}", data={**BOX, "port": "143"}).status_code == 303
    db.session.refresh(box)
    assert (box.kind, box.port) == ("imap", 993)


def test_the_port_of_a_server_goes_with_its_security(as_admin: Any, server: Server) -> None:
    data = {**SERVER, "password": "", "security": "tls", "port": str(server.port)}
    assert as_admin.post(f"/p/email/servers/{server.id}", data=data).status_code == 303
    db.session.refresh(server)
    assert server.port == 465


def test_who_proves_senders_is_typed_for_each_mailbox(as_admin: Any, box: Mailbox) -> None:
    data = {**BOX, "password": "", "trusted_hosts": "mx.a.example, mx.b.example", "exchange": "1"}
    assert as_admin.post(f"/p/email/mailboxes/{box.id}", data=data).status_code == 303
    db.session.refresh(box)
    assert box.trusted == {"mx.a.example", "mx.b.example"} and box.exchange and box.proves
    answer = as_admin.post(f"/p/email/mailboxes/{box.id}", data={**data, "trusted_hosts": "a b"})
    assert answer.status_code == 422 and 'id="f-trusted_hosts-error"' in answer.text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:8000", "leads customers nowhere"),
        ("http://localhost:8000", "leads customers nowhere"),
        ("https://[::1]:8000", "leads customers nowhere"),
        ("http://desk.example", "others can read"),
        ("https://desk.example", ""),
    ],
)
def test_an_address_that_links_cannot_have_is_said(as_admin: Any, app: Any, address: str, words: str) -> None:
    app.config["HELPDESK"] = replace(app.config["HELPDESK"], public_url=address)
    for page in ("/p/email/mailboxes", "/p/email/servers"):
        text = as_admin.get(page).text
        assert ("Links in mails begin with" in text) is bool(words) and words in text
    # The first page says so once mail goes out.
    assert "Links in mails" not in as_admin.get("/admin/").text
    with transaction():
        row = Delivery(channel="email", kind="reset", address="a@b.example", identity="1@b.example", state="sent")
        db.session.add(row)
    assert ("Links in mails" in as_admin.get("/admin/").text) is bool(words)
