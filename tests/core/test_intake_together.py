"""Many items that are taken in together: as alone, in their order, and one bad one spoils no other."""

from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import event, select

from helpdesk.core import deliveries, files
from helpdesk.core.channels import automatic, intake
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Delivery, Intake, Job, Message, Ticket
from helpdesk.core.models.intake import RECEIVED

pytestmark = pytest.mark.plugins("email")


def _mail(number: int, sender: str = "") -> bytes:
    sender = sender or f"c{number}@post.example"
    return f"From: {sender}\nSubject: Question {number}\nMessage-ID: <q{number}@post.example>\n\nHow?\n".encode()


@pytest.mark.db
def test_each_becomes_what_it_would_be_alone(app: Any) -> None:
    robot = b"From: robot@post.example\nAuto-Submitted: auto-replied\n\nAway.\n"
    raws = [_mail(1), b"Subject: nobody\n\nWho?\n", _mail(2), robot, _mail(1), _mail(3, "c2@post.example")]
    outcomes = intake.receive_many("email", raws)
    assert [outcome.outcome for outcome in outcomes] == [
        *("ticket", "quarantined", "ticket", "ignored", "ticket", "ticket")
    ]
    assert outcomes[0].ticket_id == outcomes[4].ticket_id, "the same bytes are one item"
    tickets = {ticket.id: ticket for ticket in db.session.scalars(select(Ticket))}
    assert [tickets[outcomes[place].ticket_id].subject for place in (0, 2, 5)] == [
        *("Question 1", "Question 2", "Question 3")
    ]
    second, third = (tickets[outcomes[place].ticket_id] for place in (2, 5))
    assert second.requester_id == third.requester_id
    again = intake.receive_many("email", raws)
    assert [outcome.intake_id for outcome in again] == [outcome.intake_id for outcome in outcomes]
    assert len(db.session.scalars(select(Ticket)).all()) == 3


def test_copies_of_one_message_in_one_handful_are_one_ticket(app: Any) -> None:
    copy = b"Delivered-To: sales@shop.example\n" + _mail(1)
    first, second = intake.receive_many("email", [_mail(1), copy])
    assert (first.outcome, second.outcome, second.reason) == ("ticket", "ignored", f"copy:{first.intake_id}")
    assert second.ticket_id == first.ticket_id


def test_what_cannot_be_written_is_quarantined_and_the_others_are_not(app: Any, monkeypatch: Any) -> None:
    queueing = deliveries.queueing

    def fail(kind: str, people: Any, *, ticket: Ticket, **more: Any) -> Any:
        if ticket.subject == "Question 2":
            raise ValueError("no")
        return queueing(kind, people, ticket=ticket, **more)

    monkeypatch.setattr(deliveries, "queueing", fail)
    outcomes = intake.receive_many("email", [_mail(1), _mail(2), _mail(3)])
    assert [outcome.outcome for outcome in outcomes] == ["ticket", "quarantined", "ticket"]
    assert outcomes[1].reason == "ValueError: no"
    assert len(db.session.scalars(select(Ticket)).all()) == 2


def test_a_worker_does_what_a_process_that_died_has_left(
    app: Any, run_jobs: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(intake, "together", die)
        with pytest.raises(KeyboardInterrupt):
            intake.receive_many("email", [_mail(1), _mail(2)])
    assert set(db.session.scalars(select(Intake.state))) == {RECEIVED}
    run_jobs()
    assert db.session.scalars(select(Ticket)).all() == [], "the process may be at it still"
    travel(minutes=3)
    run_jobs()
    assert len(db.session.scalars(select(Ticket)).all()) == 2
    assert not db.session.scalars(select(Job).where(Job.name == intake.LEFT_JOB, Job.state != "done")).all()


def test_a_handful_costs_as_many_commits_and_queries_as_two(app: Any, count_queries: Any) -> None:
    commits: list[str] = []
    event.listen(db.engine, "commit", lambda _connection: commits.append("commit"))
    intake.receive_many("email", [_mail(1)])
    counts = []
    for numbers in (range(10, 12), range(20, 40)):
        commits.clear()
        with count_queries() as statements:
            outcomes = intake.receive_many("email", [_mail(number) for number in numbers])
        assert {outcome.outcome for outcome in outcomes} == {"ticket"}
        # Rows that are written with one statement each, and what is looked up from time to time.
        beside = ("INSERT INTO", "SELECT generation", "SELECT email_mailbox")
        counts.append((len(commits), sum(not statement.startswith(beside) for statement in statements)))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 6, "kept, people, tickets; each with what is read before"


def test_a_sender_who_writes_often_gets_what_it_would_get_alone(app: Any) -> None:
    raws = [_mail(number, "ann@post.example") for number in range(automatic.BREAKER)]
    outcomes = intake.receive_many("email", [*raws, _mail(99)])
    assert [outcome.outcome for outcome in outcomes] == ["ticket"] * (automatic.BREAKER + 1)
    assert [outcome.reason for outcome in outcomes] == [*[""] * (automatic.BREAKER - 1), "breaker", ""]
    notices = db.session.scalars(select(Delivery.address).where(Delivery.kind == "notice")).all()
    assert sorted(notices) == ["ann@post.example", "c99@post.example"]


def test_files_of_many_are_each_on_their_own_message(app: Any) -> None:
    raws = [_with_file(number) for number in range(5)]
    outcomes = intake.receive_many("email", raws)
    tickets = [outcome.ticket_id for outcome in outcomes]
    query = select(Message.ticket_id, Attachment.name, Attachment.sha256).join(Attachment.message)
    found = {ticket: (name, files.path_of(digest).read_bytes()) for ticket, name, digest in db.session.execute(query)}
    assert [found[ticket] for ticket in tickets] == [
        (f"{number}.txt", f"file {number}".encode()) for number in range(5)
    ]


def _with_file(number: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = f"c{number}@post.example", f"Question {number}"
    mail.set_content("See the file.")
    mail.add_attachment(f"file {number}".encode(), maintype="text", subtype="x-plain", filename=f"{number}.txt")
    return mail.as_bytes()
