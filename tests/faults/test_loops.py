"""L1: robots that write to each other stop, whatever they leave out of their mails.

Real desks, each with a home of its own. What one sends over SMTP is handed to the other as a mail server hands it on;
other robots answer as they do in the wild, some of them without a word that they are robots.
"""

import email
import email.policy
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from helpdesk_email.settings import EmailSettings

from helpdesk.api import Delivery, Message, MessageDraft, Ticket, TicketDraft, User, db, open_ticket, receive, reply
from helpdesk.core import accounts, settings
from helpdesk.core.jobs import runner
from helpdesk.core.models import Intake
from helpdesk.testing.browsers import forget_what_was_read
from tests.faults import figures
from tests.faults.form import FORM, amount

pytestmark = pytest.mark.sqlite

# A chain that is longer has no end.
ROUNDS = 15
# What robots and the servers between them leave out.
TELLING = ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Loop", "Return-Path")
THREADING = ("References", "In-Reply-To", "Reply-To")
HELP = "help@one.example"

Robot = Callable[[EmailMessage], EmailMessage | None]


@dataclass
class Net:
    """Desks by the domain of their address, robots by their whole address, and the server that all send to."""

    mailbox: Any
    desks: dict[str, Any] = field(default_factory=dict)
    robots: dict[str, Robot] = field(default_factory=dict)
    # The headers that get lost on the way.
    lost: tuple[str, ...] = ()
    seen: int = 0

    def run(self) -> list[EmailMessage]:
        """Let everybody send, receive and answer until nobody has anything left; the mails that desks have sent."""
        sent: list[EmailMessage] = []
        for _round in range(ROUNDS):
            for app in self.desks.values():
                _work(app)
            new = list(zip(self.mailbox.messages, self.mailbox.envelopes, strict=True))[self.seen :]
            self.seen += len(new)
            if not new:
                return sent
            for mail, (sender, recipients) in new:
                sent.append(mail)
                for recipient in recipients:
                    self._hand_over(mail, sender, recipient)
        pytest.fail(f"{len(sent)} mails, and still they write.")

    def post(self, mail: EmailMessage, sender: str = "somebody@elsewhere.example") -> Any:
        """A mail comes in at the desk that it is written to; what became of it there."""
        return self._hand_over(mail, sender, mail["To"].addresses[0].addr_spec)

    def _hand_over(self, mail: EmailMessage, sender: str, recipient: str) -> Any:
        if (robot := self.robots.get(recipient)) is not None:
            answer = robot(mail)
            return self.post(answer, answer["From"].addresses[0].addr_spec) if answer is not None else None
        app = self.desks.get(recipient.rpartition("@")[2])
        if app is None:
            return None
        handed = EmailMessage(policy=mail.policy)
        handed["Return-Path"], handed["Delivered-To"] = f"<{sender}>", recipient
        raw = handed.as_bytes().split(b"\n\n")[0].rstrip() + b"\n" + mail.as_bytes()
        return _in(app, lambda: receive("email", _without(raw, self.lost)))


def _without(raw: bytes, names: tuple[str, ...]) -> bytes:
    """A mail without some of its headers, and with all else as it was."""
    head, _gap, body = raw.partition(b"\n\n")
    kept: list[bytes] = []
    lost = False
    for line in head.split(b"\n"):
        if not line.startswith((b" ", b"\t")):
            lost = line.split(b":")[0].decode().lower() in {name.lower() for name in names}
        if not lost:
            kept.append(line)
    return b"\n".join(kept) + b"\n\n" + body


def _in(app: Any, work: Callable[[], Any]) -> Any:
    with app.app_context():
        try:
            return work()
        finally:
            db.session.remove()


def _work(app: Any) -> None:
    forget_what_was_read()
    with app.app_context():
        runner.run_due()
    forget_what_was_read()


def _count(app: Any, model: type, *which: Any) -> int:
    return int(_in(app, lambda: db.session.scalar(db.select(db.func.count()).select_from(model).where(*which))))


def write(
    sender: str, subject: str = "Lamp", text: str = "It is dark.", to: str = HELP, **headers: str
) -> EmailMessage:
    """A mail; headers with an underscore for each hyphen."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{uuid.uuid4().hex}@robot.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


Desks = Callable[..., Net]


@pytest.fixture
def desks(make_app: Callable[..., Any], mailbox: Any, template_home: Path, tmp_path: Path) -> Desks:
    """``desks("one", "two")``: new ones, help@one.example and help@two.example, with an agent each."""

    def make(*names: str, **values: Any) -> Net:
        made = Net(mailbox, seen=len(mailbox.messages))
        for name in names:
            home = tmp_path / uuid.uuid4().hex
            shutil.copytree(template_home, home, ignore=shutil.ignore_patterns("*-wal", "*-shm", "queue.sqlite3"))
            app = made.desks[f"{name}.example"] = make_app(
                home=home, database_url="", public_url=f"http://{name}.example"
            )
            server = {"smtp_host": mailbox.host, "smtp_port": mailbox.port, "smtp_security": "none"}
            own = {"address": f"help@{name}.example", **server, **values}
            _in(app, lambda own=own: settings.save(EmailSettings, own, None))
            _in(app, lambda: accounts.create_user("abe@staff.example", "Abe", "agent", None))
        return made

    return make


def _agent_writes(address: str) -> None:
    """An agent opens a ticket for somebody, who gets the first message."""
    requester = accounts.requester_for(address)
    agent = db.session.scalars(db.select(User).where(User.role == "agent")).one()
    open_ticket(TicketDraft("Your lamp", requester.id, "Is it dark?", author_id=agent.id), agent)


def _agent_answers(number: int = 1) -> None:
    agent = db.session.scalars(db.select(User).where(User.role == "agent")).one()
    reply(db.session.get_one(Ticket, number), MessageDraft("Try another bulb.", status="solved"), agent)


# ---- two desks


CASES = [
    (by_hand, plus_addressing, lost)
    for by_hand in (1, 0)
    for plus_addressing in (True, False)
    for lost in ((), TELLING, THREADING, TELLING + THREADING)
]


def test_two_desks_stop_after_two_automatic_mails(desks: Desks) -> None:
    """One of them is written to by an agent of the other, or by a forger in the other's name."""
    # In the short form each half of a case once.
    cases = CASES[:: 5 if FORM == "short" else 1]
    most, afterwards = 0, 0
    for by_hand, plus_addressing, lost in cases:
        net = desks("one", "two", plus_addressing=plus_addressing)
        net.lost = lost
        one = net.desks["one.example"]
        if by_hand:
            _in(one, lambda: _agent_writes("help@two.example"))
        else:
            net.post(write("help@two.example"))
        automatic = len(net.run()) - by_hand
        assert automatic > 0 and _count(one, Ticket) > 0
        most = max(most, automatic)
        # What people write goes on: it is answered by no robot for the rest of the day.
        _in(one, _agent_answers)
        afterwards = max(afterwards, len(net.run()) - 1)
    figures.keep("L1", "two desks", cases=len(cases), automatic_mails_at_most=most, more_after_an_answer=afterwards)
    assert most <= 2 and afterwards <= 1


def test_desks_that_are_copied_on_a_customers_mail_stop(desks: Desks) -> None:
    net = desks("one", "two")
    one, two = net.desks.values()
    mail = write("ann@customer.example", to=f"{HELP}, help@two.example")
    for app in (one, two):
        _in(app, lambda: receive("email", mail.as_bytes()))
    assert len(net.run()) == 2, "one notice each, to the customer"
    for app in (one, two, one):
        _in(app, _agent_answers)
        # To the customer and, as a follower, the other desk, which says once that it has got it.
        assert len(net.run()) <= 4
    assert _count(one, Delivery, Delivery.kind == "notice", Delivery.address == "help@two.example") <= 1


def test_a_mailbox_that_forwards_to_the_desk_that_writes_to_it(desks: Desks) -> None:
    """What we send to it comes back as it was, from ourselves."""
    net = desks("one")
    net.robots["sales@one.example"] = lambda mail: _forwarded(mail)
    net.post(write("sales@one.example"))
    assert len(net.run()) == 1
    one = net.desks["one.example"]
    _in(one, _agent_answers)
    assert len(net.run()) == 1
    assert _count(one, Ticket) == 1 and _count(one, Intake, Intake.reason == "own") == 2


def _forwarded(mail: EmailMessage) -> EmailMessage:
    del mail["To"]
    mail["To"] = HELP
    return mail


def test_a_desk_that_writes_to_itself(desks: Desks) -> None:
    net = desks("one")
    one = net.desks["one.example"]
    assert net.post(write(HELP)).outcome == "ticket"
    assert net.run() == [], "our own address gets no automatic answer"
    _in(one, _agent_answers)
    assert len(net.run()) == 1 and _count(one, Ticket) == 1
    assert _count(one, Intake, Intake.reason == "own") == 1


# ---- other robots


ANSWERS = [
    {"Auto_Submitted": "auto-replied", "subject": "Re: {subject}"},
    {"Precedence": "bulk", "subject": "Vacation"},
    {"X_Autoreply": "yes", "subject": "{subject}"},
    {"X_Auto_Response_Suppress": "OOF, AutoReply", "subject": "{subject}"},
    {"subject": "Automatic reply: {subject}"},
    {"subject": "Abwesenheitsnotiz: {subject}"},
    # These two say nothing of themselves.
    {"subject": "{subject}"},
    {"subject": "Your request has been received"},
]
SILENT = 2


def test_robots_that_answer_everything(desks: Desks) -> None:
    """To the address that they should answer to and to the other, with the thread and without."""
    net = desks("one")
    one = net.desks["one.example"]
    cases = [(place, to, threads) for place in range(len(ANSWERS)) for to in ("From", "Reply-To") for threads in (1, 0)]
    cases = cases[:: 5 if FORM == "short" else 1]
    most = 0
    for place, to, threads in cases:
        address = f"{uuid.uuid4().hex}@customer.example"
        net.robots[address] = _answering(address, ANSWERS[place], to, bool(threads))
        ticket = net.post(write(address)).ticket_id
        most = max(most, len(net.run()))
        _in(one, lambda ticket=ticket: _agent_answers(ticket))
        assert len(net.run()) == 1, "the agent's answer, which the robot answers, and no more"
        if place < len(ANSWERS) - SILENT:
            status = _in(one, lambda ticket=ticket: db.session.get_one(Ticket, ticket).category)
            assert status == "solved", "being away opens no ticket again"
    figures.keep("L1", "robots that answer everything", robots=len(cases), automatic_mails_to_each_at_most=most)
    assert most == 1


def _answering(own: str, answer: dict[str, str], to: str, threads: bool) -> Robot:
    def robot(mail: EmailMessage) -> EmailMessage:
        headers = {name: value for name, value in answer.items() if name != "subject"}
        if threads:
            headers |= {"In_Reply_To": mail["Message-ID"], "References": mail["Message-ID"]}
        address = (mail[to] or mail["From"]).addresses[0].addr_spec
        subject = answer["subject"].format(subject=mail["Subject"])
        return write(own, subject, "I am away.", to=address, **headers)

    return robot


def test_a_notice_that_comes_back(desks: Desks) -> None:
    net = desks("one")
    net.robots["nobody@customer.example"] = _bouncing
    net.post(write("nobody@customer.example"))
    assert len(net.run()) == 1
    one = net.desks["one.example"]
    assert _count(one, Ticket) == 1 and _count(one, Message) == 1
    assert _in(
        one, lambda: db.session.scalar(db.select(User.bounced_at).where(User.email == "nobody@customer.example"))
    )
    assert _count(one, Intake, Intake.reason == "returned:1") == 1


def _bouncing(mail: EmailMessage) -> EmailMessage:
    lines = [
        "From: MAILER-DAEMON@customer.example",
        f"To: {mail['From'].addresses[0].addr_spec}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <{uuid.uuid4().hex}@customer.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        *("", "--b", "Content-Type: text/plain", "", "It could not be delivered."),
        *("--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; customer.example", ""),
        *(f"Final-Recipient: rfc822; {mail['To'].addresses[0].addr_spec}", "Action: failed", "Status: 5.1.1"),
        *("--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {mail['Message-ID']}", "--b--", ""),
    ]
    found = email.message_from_bytes("\n".join(lines).encode(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_lists_robots_and_floods_get_no_answer(desks: Desks) -> None:
    net, number = desks("one"), amount(5, 200)
    for place in range(number):
        header = [{"List_Id": "<x.list.example>"}, {"Precedence": "list"}, {"List_Unsubscribe": "<http://x.example>"}]
        net.post(write(f"member{place % 7}@list.example", f"News {place}", **header[place % 3]))
        net.post(write(f"no-reply@shop{place % 7}.example", f"Order {place}"))
        net.post(write("script@customer.example", f"Alarm {place}"))
    sent = net.run()
    figures.keep("L1", "lists, robots and a script that says nothing", mails=3 * number, automatic_mails=len(sent))
    assert len(sent) == 1, "the script, once"
    one = net.desks["one.example"]
    assert _count(one, Intake, Intake.state == "done") == 3 * number, "all are taken in"
