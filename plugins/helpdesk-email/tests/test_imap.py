"""Fetching by IMAP from a real Dovecot: kept first, then flagged, moved or deleted; what goes wrong, in words."""

import dataclasses
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from helpdesk_email import fetching, idle
from helpdesk_email.access import Source
from helpdesk_email.imap import Imap
from helpdesk_email.models import Mailbox

from helpdesk.api import CheckStep, Ticket, db, now, transaction
from helpdesk.testing.served import wait_for


def mail(number: int, size: int = 0) -> bytes:
    """A customer's mail."""
    made = EmailMessage()
    made["From"], made["To"] = "Anna Berg <anna@customer.example>", "support@shop.example"
    made["Subject"] = f"Order {number}"
    made["Message-ID"] = f"<{number}@customer.example>"
    made.set_content(f"Where is my order {number}?\n" + "x" * size)
    return made.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def user() -> str:
    """Somebody whose mailbox nobody else uses."""
    return f"user-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_box(app: Flask, mail_server: Any, user: str) -> Callable[..., int]:
    """A mailbox of the desk that is fetched from there; answers its id."""

    def make(**values: Any) -> int:
        known = {"host": mail_server.host, "port": mail_server.port, "security": "none"}
        signed = {"username": user, "password": mail_server.password}
        with transaction():
            box = Mailbox(**{"address": "support@shop.example", **known, **signed, **values})
            db.session.add(box)
        return box.id

    return make


def row(number: int) -> Mailbox:
    db.session.rollback()
    return db.session.get_one(Mailbox, number)


def change(number: int, **values: Any) -> None:
    with transaction():
        box = db.session.get_one(Mailbox, number)
        for name, value in values.items():
            setattr(box, name, value)


def subjects() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Ticket.subject)))


def test_mail_becomes_tickets_once_and_is_flagged(
    make_box: Any, mail_server: Any, user: str, run_jobs: Callable[[], int]
) -> None:
    mail_server.put(user, [mail(1), mail(2)])
    box = make_box()
    assert fetching.fetch(box).mails == 2
    assert all("\\Seen" in flags for flags in mail_server.flags(user))
    run_jobs()
    assert subjects() == ["Order 1", "Order 2"]
    found = row(box)
    assert (found.last_uid, found.fetched, found.backlog, found.error, found.fetcher) == (2, 2, 0, "", "")
    assert db.session.scalar(db.select(Ticket.account).limit(1)) == "support@shop.example"
    # Somebody reads the next one before it is fetched, and the old ones are there still.
    mail_server.put(user, [mail(3)])
    assert fetching.poll_now("Support@shop.example") == [
        CheckStep("support@shop.example", True, "1 mail was taken in.")
    ]
    assert fetching.poll_now() == [CheckStep("support@shop.example", True, "0 mails were taken in.")]
    assert [step.ok for step in fetching.poll_now("nobody@shop.example")] == [False]


@pytest.mark.parametrize("clever", [True, False])
@pytest.mark.parametrize("afterwards", ["move", "delete"])
def test_what_is_kept_is_moved_or_deleted(
    make_box: Any, mail_server: Any, user: str, afterwards: str, clever: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not clever:
        # As a server without MOVE and UIDPLUS: what it can do is asked for, so it is not told.
        monkeypatch.setattr("helpdesk_email.imap._told", lambda _data: ("IMAP4REV1",))
    mail_server.put(user, [mail(number) for number in range(3)])
    assert fetching.fetch(make_box(afterwards=afterwards, move_to="Erledigt & gut")).mails == 3
    assert mail_server.flags(user) == []
    folder = '"Erledigt &- gut"'
    assert len(mail_server.flags(user, folder) if afterwards == "move" else "xxx") == 3


def test_a_folder_that_is_made_anew_is_looked_through_and_nothing_comes_twice(
    make_box: Any, mail_server: Any, user: str, run_jobs: Callable[[], int]
) -> None:
    mail_server.put(user, [mail(number) for number in range(5)], "Support")
    box = make_box(folder="Support")
    fetching.fetch(box)
    before = row(box).uidvalidity
    line = mail_server.open(user)
    line.rename("Support", "Old")
    line.create("Support")
    line.select("Old")
    line.copy("1:*", "Support")
    line.logout()
    mail_server.put(user, [mail(99)], "Support")
    assert fetching.fetch(box).mails == 6
    found = row(box)
    assert found.uidvalidity != before and found.last_uid == 6
    run_jobs()
    assert subjects() == [f"Order {number}" for number in (0, 1, 2, 3, 4, 99)]


def test_what_was_there_is_left_until_the_owner_wants_it(
    make_box: Any, mail_server: Any, user: str, as_admin: Any, run_jobs: Callable[[], int]
) -> None:
    def put_old(number: int) -> None:
        line = mail_server.open(user)
        line.create("Support")
        line.append("Support", "()", '"01-Feb-2026 10:00:00 +0000"', mail(number))
        line.logout()

    put_old(1)
    # It came between the choice and the first look; the server sorts by number, not by time.
    mail_server.put(user, [mail(2)], "Support")
    put_old(3)
    box = make_box(folder="Support", since=now() - timedelta(minutes=5))
    assert [fetching.fetch(box).mails for _turn in range(2)] == [1, 0]
    # Somebody moves an old one there: it is meant for the desk.
    put_old(4)
    mail_server.put(user, [mail(5)], "Support")
    assert fetching.fetch(box).mails == 2
    line = mail_server.open(user)
    line.rename("Support", "Old")
    line.create("Support")
    line.select("Old")
    line.copy("1:*", "Support")
    line.logout()
    assert fetching.fetch(box).error == ""
    run_jobs()
    assert subjects() == ["Order 2", "Order 4", "Order 5"]
    page = as_admin.get(f"/p/email/mailboxes/{box}").text
    assert f'href="/p/email/mailboxes/{box}/take"' in page
    assert as_admin.get(f"/p/email/mailboxes/{box}/take").status_code == 200
    assert as_admin.post(f"/p/email/mailboxes/{box}/take").status_code == 303
    run_jobs()
    assert subjects() == [f"Order {number}" for number in range(1, 6)]
    assert "/take" not in as_admin.get(f"/p/email/mailboxes/{box}").text


def test_one_too_large_stays_there_and_its_header_stands_for_it(
    make_box: Any, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 20_000)
    mail_server.put(user, [mail(1), mail(2, size=30_000), mail(3)])
    box = make_box(afterwards="delete")
    assert fetching.fetch(box).mails == 2
    assert len(mail_server.flags(user)) == 1
    run_jobs()
    assert subjects() == ["Order 1", "Order 2", "Order 3"]
    from helpdesk.api import Message

    texts = list(db.session.scalars(db.select(Message.text)))
    assert sum("was left on the mail server" in text for text in texts) == 1


def test_two_fetchers_at_once_take_each_mail_once(
    app: Flask, make_box: Any, mail_server: Any, user: str, travel: Callable[..., Any]
) -> None:
    mail_server.put(user, [mail(number) for number in range(30)])
    box = make_box()
    done: list[fetching.Fetched] = []

    def fetch() -> None:
        with app.app_context():
            done.append(fetching.fetch(box))

    threads = [threading.Thread(target=fetch) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.mails for one in done) == 30
    change(box, fetcher="another", fetching_until=now() + fetching.LEASE)
    assert fetching.fetch(box).busy
    # One that is not heard of loses it in time.
    travel(seconds=fetching.LEASE.total_seconds() + 1)
    assert not fetching.fetch(box).busy


def test_the_line_is_protected_as_the_owner_says(
    make_box: Any, mail_server: Any, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.put(user, [mail(1)])
    box = make_box(security="tls", port=mail_server.tls_port)
    assert "signed by the server itself" in fetching.fetch(box).error
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_server.certificate))
    assert fetching.fetch(box) == fetching.Fetched(1)
    change(box, security="starttls", port=mail_server.port)
    mail_server.put(user, [mail(2)])
    assert fetching.fetch(box) == fetching.Fetched(1)
    change(box, security="none", host="93.184.216.34")
    assert "for all to read" in fetching.fetch(box).error


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "wrong"}, "did not accept the user name and password: "),
        ({"folder": "Nowhere"}, "does not open the folder “Nowhere”: "),
        ({"port": 1}, "does not answer on port 1"),
        ({"host": "mail.invalid"}, "There is no server named mail.invalid"),
    ],
)
def test_what_is_wrong_stands_on_the_mailbox_until_it_is_mended(
    make_box: Any, mail_server: Any, wrong: dict[str, Any], words: str, travel: Callable[..., Any], monkeypatch: Any
) -> None:
    real = socket.getaddrinfo

    def look_up(host: Any, *how: Any, **more: Any) -> Any:
        # What answers for the machine's network may be slow, or know every name.
        if host == "mail.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *how, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    box = make_box(**wrong)
    assert words in fetching.fetch(box).error
    first = row(box)
    assert words in first.error and first.failed_at is not None and first.fetcher == ""
    since = first.failed_at
    travel(minutes=30)
    fetching.fetch(box)
    assert row(box).failed_at == since
    # It is asked less often by and by.
    assert fetching._rests(row(box))


def test_the_poll_of_every_minute_fetches_from_each_mailbox(
    make_box: Any, mail_server: Any, user: str, run_jobs: Callable[[], int], travel: Callable[..., Any]
) -> None:
    """register_schedules: the look of every minute."""
    mail_server.put(user, [mail(1)])
    box = make_box()
    run_jobs()
    travel(minutes=2)
    run_jobs()
    run_jobs()
    assert subjects() == ["Order 1"]
    assert row(box).polled_at is not None


def test_the_server_s_word_has_it_fetched_at_once(
    app: Flask, make_box: Any, mail_server: Any, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """register_services: the watch of each IMAP mailbox."""
    asked: list[int] = []
    heard: list[str] = []
    real = Imap.hears

    def hears(self: Imap, *how: Any) -> bool:
        if found := real(self, *how):
            heard.append(self._source.folder)
        return found

    monkeypatch.setattr(Imap, "hears", hears)
    monkeypatch.setattr(idle, "_LOOK", 0.1)
    monkeypatch.setattr(idle, "_FIRST_PAUSE", 0.1)
    monkeypatch.setattr(idle, "ask", lambda number, **_how: asked.append(number))
    stop = threading.Event()

    def watch() -> None:
        with app.app_context():
            idle.watch(stop)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        # Made while it runs; asked for at once for what had come before.
        box = make_box()
        wait_for(lambda: box in asked)
        wait_for(lambda: mail_server.put(user, [mail(1)]) or "INBOX" in heard)
        change(box, folder="Other")
        wait_for(lambda: mail_server.put(user, [mail(2)], "Other") or "Other" in heard)
        # For each word, and as each of the two lines was opened.
        wait_for(lambda: len(asked) >= len(heard) + 2)
        assert set(asked) == {box}
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def line(mail_server: Any, user: str) -> Iterator[Imap]:
    """A line of ours to the user's mailbox."""
    source = Source(
        *(1, "a@b.example", "imap", mail_server.host, mail_server.port, "none", user, "INBOX", "seen", ""), "secret"
    )
    found = Imap(source)
    yield found
    found.close()


def test_reading_flags_nothing_and_names_what_is_gone(line: Imap, mail_server: Any, user: str) -> None:
    mail_server.put(user, [mail(1), mail(2)])
    assert line.waiting(0) == [1, 2] and line.waiting(2) == []
    assert line.read([1, 7]) == {1: mail(1)}
    assert line.sizes([2, 7]) == {2: len(mail(2))}
    assert line.head(2) == mail(2).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert not any("Seen" in flags for flags in mail_server.flags(user))


@pytest.mark.parametrize("afterwards", ["seen", "move", "delete"])
def test_what_another_program_takes_away_meanwhile_does_not_keep_the_rest(
    line: Imap, mail_server: Any, user: str, afterwards: str
) -> None:
    mail_server.put(user, [mail(1), mail(2), mail(3)])
    line.waiting(0)
    line._source = dataclasses.replace(line._source, afterwards=afterwards, move_to="Done")
    other = mail_server.open(user)
    other.select("INBOX")
    other.uid("STORE", "1:2", "+FLAGS", r"(\Deleted)")
    other.expunge()
    other.logout()
    line.settle([1, 2, 3])
    assert [flags for flags in mail_server.flags(user) if "\\Seen" not in flags] == []
    assert len(mail_server.flags(user)) == (afterwards == "seen")
    if afterwards == "move":
        assert len(mail_server.flags(user, "Done")) == 1
    # And where nothing is left of them, there is nothing to do.
    line.settle([1, 2])
