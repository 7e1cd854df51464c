"""Servers that fail while mail is fetched: nothing is lost, nothing is settled that is not kept, nobody is held up."""

import imaplib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from helpdesk_email import fetching
from helpdesk_email.access import Source
from helpdesk_email.imap import Imap
from helpdesk_email.models import Mailbox
from imap_tools.errors import MailboxFetchError

from helpdesk.api import Ticket, db, now, transaction


def mail(number: int) -> bytes:
    """A customer's mail."""
    return f"From: anna@customer.example\r\nSubject: Order {number}\r\n\r\nWhere is it?\r\n".encode()


@pytest.fixture
def user() -> str:
    """Somebody whose mailbox nobody else uses."""
    return f"user-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def box(app: Flask, mail_server: Any, user: str) -> int:
    """A mailbox of the desk that is fetched from there, and deleted from."""
    place = {"host": mail_server.host, "port": mail_server.port, "security": "none", "afterwards": "delete"}
    with transaction():
        made = Mailbox(address="help@shop.example", username=user, password=mail_server.password, **place)
        db.session.add(made)
    return made.id


@pytest.fixture
def line(mail_server: Any, user: str) -> Iterator[Imap]:
    """A line of ours to the user's mailbox."""
    place = (mail_server.host, mail_server.port, "none", user, "INBOX", "seen", "")
    found = Imap(Source(1, "a@b.example", "imap", *place, mail_server.password))
    yield found
    found.close()


def row(number: int) -> Mailbox:
    db.session.rollback()
    return db.session.get_one(Mailbox, number)


def subjects(run_jobs: Callable[[], int]) -> list[str]:
    run_jobs()
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Ticket.subject)))


def fail_at(monkeypatch: pytest.MonkeyPatch, bad: Callable[[Any], Exception | None]) -> list[list[int]]:
    """Have reads fail as ``bad`` says; answers what is read."""
    real, tried = Imap.read, []

    def read(self: Imap, uids: Any) -> dict[int, bytes]:
        tried.append(list(uids))
        if error := bad(uids):
            raise error
        return real(self, uids)

    monkeypatch.setattr(Imap, "read", read)
    return tried


def test_a_server_that_says_no_to_all_loses_nothing(
    box: int, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.put(user, [mail(number) for number in range(30)])
    no = MailboxFetchError(("NO", [b"[UNAVAILABLE] Try again later"]), "OK")
    with monkeypatch.context() as patch:
        tried = fail_at(patch, lambda _uids: no)
        for _poll in range(4):
            assert "[UNAVAILABLE] Try again later" in fetching.fetch(box).error
    # A group, one of it alone; from the third poll on two others, to see whether it gives them out.
    assert len(tried) == 2 + 2 + 4 + 4
    found = row(box)
    assert (found.last_uid, found.fetched, len(mail_server.flags(user))) == (0, 0, 30)
    assert fetching.fetch(box) == fetching.Fetched(30)
    assert len(subjects(run_jobs)) == 30


def test_one_that_cannot_be_fetched_holds_up_others_for_some_polls_alone(
    box: int, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.put(user, [mail(1), mail(2), mail(3)])
    with monkeypatch.context() as patch:
        fail_at(patch, lambda uids: EOFError() if 2 in uids else None)
        done = [fetching.fetch(box) for _poll in range(4)]
    assert [one.mails for one in done] == [1, 0, 1, 0]
    assert "closed the connection" in done[1].error and "stays on the server" in done[2].error and not done[3].error
    found = row(box)
    assert (found.last_uid, found.fetched, len(mail_server.flags(user))) == (3, 2, 1)
    assert subjects(run_jobs) == ["Order 1", "Order 3"]
    # When the owner has all looked at once more, it comes itself.
    with transaction():
        row(box).uidvalidity = None
    assert fetching.fetch(box).mails == 1
    assert subjects(run_jobs) == ["Order 1", "Order 2", "Order 3"]


@pytest.mark.parametrize("answer", [{}, {2: b""}])
def test_one_that_is_left_out_is_asked_for_again_and_not_passed(
    box: int, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch,
    answer: dict[int, bytes],
) -> None:  # fmt: skip
    mail_server.put(user, [mail(1), mail(2), mail(3)])
    real = Imap.read
    with monkeypatch.context() as patch:
        patch.setattr(Imap, "read", lambda *said: {n: raw for n, raw in real(*said).items() if n != 2} | answer)
        assert "does not give out" in fetching.fetch(box).error
    assert row(box).last_uid == 1 and len(mail_server.flags(user)) == 2
    assert fetching.fetch(box) == fetching.Fetched(2)
    assert subjects(run_jobs) == ["Order 1", "Order 2", "Order 3"]


def test_a_header_that_is_not_given_out_is_waited_for(
    box: int, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 1_000)
    mail_server.put(user, [mail(1) + b"x" * 2_000, mail(2)])

    def broken(_self: Imap, _uid: int) -> bytes:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(Imap, "head", broken)
        assert "did not answer within" in fetching.fetch(box).error
    assert row(box).last_uid == 0
    assert fetching.fetch(box) == fetching.Fetched(1)
    assert subjects(run_jobs) == ["Order 1", "Order 2"]


def test_one_that_somebody_else_has_deleted_meanwhile_is_passed(
    box: int, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.put(user, [mail(1), mail(2), mail(3)])

    def expunge(uids: Any) -> None:
        if len(uids) == 3:
            other = mail_server.open(user)
            other.select("INBOX")
            other.uid("STORE", "2", "+FLAGS.SILENT", r"(\Deleted)")
            other.expunge()
            other.logout()

    fail_at(monkeypatch, expunge)
    assert fetching.fetch(box) == fetching.Fetched(2)
    assert row(box).last_uid == 3 and mail_server.flags(user) == []
    assert subjects(run_jobs) == ["Order 1", "Order 3"]


def test_nil_is_no_mail_and_quotes_are_one(
    line: Imap, mail_server: Any, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.put(user, [mail(1)])
    told = [rb"1 (UID 5 BODY[] NIL)", rb'2 (BODY[] "To: \"UID 9\" \\" UID 6)', rb'3 (UID 7 BODY[] "")']
    told += [(rb"4 (UID 8 BODY[] {3}", b"abc"), b")"]
    monkeypatch.setattr(imaplib.IMAP4, "uid", lambda *_words: ("OK", told))
    assert line.read([5, 6, 7, 8]) == {6: rb'To: "UID 9" \ '.strip(), 7: b"", 8: b"abc"}


def test_a_line_that_breaks_while_mail_is_settled_has_it_settled_in_the_next_poll(
    box: int, mail_server: Any, user: str, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.put(user, [mail(1), mail(2)])

    def broken(_self: Imap, _uids: Any) -> None:
        raise imaplib.IMAP4.abort("socket error: EOF")

    with monkeypatch.context() as patch:
        patch.setattr(Imap, "settle", broken)
        assert "closed the connection" in fetching.fetch(box).error
    assert row(box).last_uid == 0
    assert fetching.fetch(box).error == "" and mail_server.flags(user) == []
    assert subjects(run_jobs) == ["Order 1", "Order 2"]


def test_whatever_goes_wrong_stands_on_the_mailbox(
    box: int, mail_server: Any, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        row(box).host = "imap..example"
    assert "no server named imap..example" in fetching.fetch(box).error
    with transaction():
        row(box).host = mail_server.host

    def surprise(_self: Imap, after: int = 0) -> list[int]:
        raise KeyError(after)

    monkeypatch.setattr(Imap, "waiting", surprise)
    assert "KeyError" in fetching.fetch(box).error
    assert "KeyError" in row(box).error and row(box).fetcher == "" and row(box).failed_at <= now()


def test_a_mailbox_that_is_handed_in_is_spoken_to_by_nobody(box: int) -> None:
    with transaction():
        row(box).kind = "handed"
    assert fetching.fetch(box) == fetching.Fetched(busy=True)


def test_a_name_of_a_server_that_can_be_none_is_refused(as_admin: Any) -> None:
    data = {"address": "b@desk.example", "kind": "imap", "host": "imap..example", "username": "b", "password": "x"}
    answer = as_admin.post("/p/email/mailboxes/new", data=data)
    assert answer.status_code == 422 and 'id="f-host-error"' in answer.text
