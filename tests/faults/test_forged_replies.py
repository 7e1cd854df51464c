"""M1: replies that pretend to belong to a conversation join none, show none and gain nothing.

A desk with a conversation worth stealing: Anna asks, Abe answers, Mia follows, Otto has a ticket of his own. Their
mails went out over SMTP, so that a forger has what a recipient of each has.
"""

import random
import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from helpdesk_email.settings import IncomingSettings

from helpdesk.api import Delivery, Message, MessageDraft, Ticket, User, db, follow, receive, reply, settings, unfollow
from helpdesk.core import links
from helpdesk.core import settings as stored
from helpdesk.core.models import Event, Follower, Intake
from helpdesk.core.settings import DeskSettings
from tests.faults import figures
from tests.faults.form import amount

ANNA, EVE, DESK = "anna@customer.example", "eve@evil.example", "help@desk.example"
# The word stands in everything that was written before, and in no number that a computer makes.
QUESTION, ANSWER = "The word for my safe is Zirkon.", "Your new word is Zirkonia."
FAIL = "mx.desk.example; dmarc=fail header.from={domain}"


@dataclass
class Mails:
    """What there is to forge with: addresses to answer to, and identities, of each recipient."""

    ticket: Ticket
    people: dict[str, User]
    answer_to: dict[str, str]
    identity: dict[str, str]
    follow_token: str


@pytest.fixture
def mails(app: Any, mailbox: Any, make_user: Any, run_jobs: Any) -> Mails:
    """The conversation."""
    stored.save(IncomingSettings, {"trusted_hosts": "mx.desk.example"}, None)
    stored.save(DeskSettings, {"tell_staff": True}, None)
    people = {
        "anna": make_user(email=ANNA, name="Anna Berg"),
        "mia": make_user(email="mia@customer.example"),
        "otto": make_user(email="otto@customer.example"),
        "gone": make_user(email="gone@customer.example"),
        "abe": make_user("agent", email="abe@desk.example"),
        "ada": make_user("admin", email="ada@desk.example"),
    }
    ticket = ticket_of(receive("email", write(ANNA, "Safe", QUESTION)))
    receive("email", write("otto@customer.example", "Lamp", "It is dark."))
    for name in ("mia", "gone", "abe"):
        follow(ticket, people[name], None)
    for found in db.session.scalars(db.select(Ticket)):
        reply(found, MessageDraft(ANSWER), people["ada"])
    receive("email", write(ANNA, "Re: Safe", "Not Zirkon any more?", In_Reply_To=_identity(people["anna"])))
    run_jobs()
    unfollow(ticket, people["gone"], None)
    answer_to = {name: mailbox.to(user.email)[-1]["Reply-To"] for name, user in people.items() if name != "ada"}
    identity = {name: _identity(user) for name, user in people.items() if name != "ada"}
    assert len(set(answer_to.values())) == 5 and all("+" in str(address) for address in answer_to.values())
    return Mails(
        ticket,
        people,
        {name: str(value.addresses[0].addr_spec) for name, value in answer_to.items()},
        identity,
        links.token(links.FOLLOW, ticket, people["anna"]),
    )


def _identity(user: User) -> str:
    newest = db.select(Delivery.identity).where(Delivery.user_id == user.id).order_by(Delivery.id.desc()).limit(1)
    return f"<{db.session.scalar(newest)}>"


def ticket_of(outcome: Any) -> Ticket:
    return db.session.get_one(Ticket, outcome.ticket_id)


def write(sender: str, subject: str = "Re: Safe", text: str = "What was it?", to: str = DESK, **headers: str) -> bytes:
    """A mail as its bytes; headers with an underscore for each hyphen. From is written as it is given."""
    mail = EmailMessage()
    mail["To"], mail["Subject"] = to, subject
    mail["Message-ID"] = f"<{uuid.uuid4().hex}@evil.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return f"From: {sender}\r\n".encode() + mail.as_bytes()


def failing(raw: bytes, domain: str) -> bytes:
    """As our own mail server hands it on: its header stands above all others."""
    return f"Authentication-Results: {FAIL.format(domain=domain)}\r\n".encode() + raw


# ---- the tricks: each answers one mail

Trick = Callable[[Mails, random.Random], bytes]


def _guessed_id(mails: Mails, chance: random.Random) -> bytes:
    identity = f"<{chance.randbytes(16).hex()}@desk.example>"
    header = chance.choice(["In_Reply_To", "References"])
    return write(chance.choice([ANNA, EVE]), **{header: identity})


def _number(mails: Mails, chance: random.Random) -> bytes:
    form = chance.choice(["Re: Safe [#{0}]", "#{0}", "Re: [Ticket #{0}] Safe", "AW: Safe (#{0})", "[##{0}##]"])
    return write(chance.choice([ANNA, EVE]), form.format(mails.ticket.id), f"Ticket #{mails.ticket.id}: go on")


def _changed_token(mails: Mails, chance: random.Random) -> bytes:
    local, _at, domain = mails.answer_to["anna"].partition("@")
    box, _plus, token = local.partition("+")
    ticket, user, signature = token.split("-")
    place = chance.randrange(26)
    other = chance.choice([letter for letter in "0123456789abcdefghijklmnopqrstuvwxyz" if letter != signature[place]])
    tokens = [
        f"{ticket}-{user}-{signature[:place]}{other}{signature[place + 1 :]}",
        f"2-{user}-{signature}",
        f"{ticket}-{chance.randrange(3, 9)}-{signature}",
        f"{ticket}-{user}-{'0' * 26}",
        f"{ticket}-{user}-{signature[:-1]}",
        f"{ticket}-{user}-",
        mails.follow_token,
        "".join(chance.choices("0123456789abcdef-", k=34)),
    ]
    return write(ANNA, to=f"{box}+{chance.choice(tokens)}@{domain}")


def _anothers_token(mails: Mails, chance: random.Random) -> bytes:
    owner = chance.choice(["anna", "mia", "abe", "gone"])
    user = chance.choice([EVE, "otto@customer.example", "mia@customer.example" if owner != "mia" else ANNA])
    address = mails.answer_to[owner]
    header = chance.choice(["Delivered_To", "X_Original_To", "Cc", "Envelope_To"])
    return chance.choice([write(user, to=address), write(user, **{header: address})])


def _anothers_identity(mails: Mails, chance: random.Random) -> bytes:
    identity = mails.identity[chance.choice(["anna", "mia", "abe", "gone"])]
    header = chance.choice(["In_Reply_To", "References"])
    return write(chance.choice([EVE, "otto@customer.example"]), **{header: f"<x@evil.example> {identity}"})


def _other_forms_of_the_address(mails: Mails, chance: random.Random) -> bytes:
    forms = [
        f'"{ANNA}" <{EVE}>',
        f"{ANNA}, <{EVE}>",
        f"<{EVE}> ({ANNA})",
        f"{ANNA} <{EVE}>",
        f"=?utf-8?q?anna=40customer=2Eexample?= <{EVE}>",
        f"Anna Berg <{EVE}>",
        f"Friends: {EVE}, {ANNA};",
        "anna@customer.example@evil.example",
        "Anna <anna@customer.example@evil.example>",
        "<anna@customer.example.evil.example>",
        "\u0430nna@customer.example",
        "anna@customer\u3002example.evil.example",
        f"<@customer.example:{EVE}>",
    ]
    return _with_proof(mails, chance, chance.choice(forms))


def _several_senders(mails: Mails, chance: random.Random) -> bytes:
    first, second = chance.sample([f"Anna <{ANNA}>", f"<{EVE}>"], 2)
    raw = _with_proof(mails, chance, first)
    return (
        f"From: {second}\r\n".encode() + raw
        if chance.random() < 0.5
        else b"Sender: " + EVE.encode() + b"\r\n" + (_with_proof(mails, chance, f"{ANNA}, {EVE}"))
    )


def _reply_to_and_others(mails: Mails, chance: random.Random) -> bytes:
    header = chance.choice(
        ["Reply_To", "Sender", "Return_Path", "Resent_From", "X_Original_From", "X_Sender", "X_Envelope_From"]
    )
    return _with_proof(mails, chance, EVE, **{header: f"Anna <{ANNA}>"})


def _disproved(mails: Mails, chance: random.Random) -> bytes:
    return failing(_with_proof(mails, chance, f"Anna Berg <{ANNA}>"), "customer.example")


def _disproved_copying(mails: Mails, chance: random.Random) -> bytes:
    return failing(_with_proof(mails, chance, ANNA, Cc=EVE), "customer.example")


def _proved_by_itself(mails: Mails, chance: random.Random) -> bytes:
    claim = chance.choice(["dmarc=pass header.from=customer.example", "dkim=pass header.d=customer.example"])
    forged = f"mx.desk.example; {claim}"
    raw = _with_proof(mails, chance, ANNA, Authentication_Results=forged)
    return failing(raw, "customer.example")


def _agent(mails: Mails, chance: random.Random) -> bytes:
    sender = chance.choice(["abe@desk.example", "Abe <abe@desk.example>"])
    proof = chance.choice([{"to": mails.answer_to["abe"]}, {"In_Reply_To": mails.identity["abe"]}])
    mine = {"Authentication_Results": "mx.evil.example; dmarc=pass header.from=desk.example"}
    raw = write(sender, "Re: Safe", "#close #assign eve@evil.example\nHere is my answer.", Cc=EVE, **proof, **mine)
    return chance.choice([raw, failing(raw, "desk.example")])


def _agent_without_proof(mails: Mails, chance: random.Random) -> bytes:
    sender = chance.choice(["abe@desk.example", "ada@desk.example"])
    extra = {"to": mails.answer_to["anna"]} if chance.random() < 0.5 else {"References": mails.identity["anna"]}
    return write(sender, chance.choice(["Re: Safe", f"Re: #{mails.ticket.id}"]), "Send Eve the code.", Cc=EVE, **extra)


def _our_own_headers(mails: Mails, chance: random.Random) -> bytes:
    number = str(mails.ticket.id)
    ours = {
        "X_Loop": chance.choice([DESK, "x@y.example"]),
        "X_Helpdesk_Ticket": number,
        "X_Ticket_ID": number,
        "X_Helpdesk_Verified": "yes",
        "X_Auto_Response_Suppress": "All",
        "Thread_Topic": "Safe",
        "Thread_Index": "AQHZ" + "A" * 24,
        "Auto_Submitted": chance.choice(["no", "auto-replied"]),
        "Feedback_ID": mails.identity["anna"],
    }
    chosen = chance.sample(sorted(ours), 4)
    return write(chance.choice([ANNA, EVE]), **{name: ours[name] for name in chosen})


def _in_other_places(mails: Mails, chance: random.Random) -> bytes:
    """Token and identity where a person sees them, and the mail itself as a file or a quote."""
    address, identity = mails.answer_to["anna"], mails.identity["anna"]
    quote = f"> Reply-To: {address}\n> Message-ID: {identity}\n> From: {ANNA}"
    return write(EVE, chance.choice([f"Re: Safe {address}", f"{identity}"]), f"See below\n\n{quote}", Comments=address)


def _line_breaks(mails: Mails, chance: random.Random) -> bytes:
    """A header that is put into another one."""
    hidden = f"In-Reply-To: {mails.identity['anna']}\r\nFrom: {ANNA}"
    encoded = "=?utf-8?q?" + hidden.replace(" ", "_").replace("\r\n", "=0D=0A").replace("@", "=40") + "?="
    raw = write(EVE, "Safe")
    return raw.replace(b"Subject: Safe", b"Subject: Safe " + encoded.encode())


def _bounce(mails: Mails, chance: random.Random) -> bytes:
    """A report that says what it likes about a message that we never sent."""
    identity = f"<{chance.randbytes(16).hex()}@desk.example>"
    return (
        f"From: MAILER-DAEMON@evil.example\r\nTo: {chance.choice([DESK, mails.answer_to['anna']])}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        f"Message-ID: <{uuid.uuid4().hex}@evil.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; evil.example\r\n\r\n"
        f"Final-Recipient: rfc822; {ANNA}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {identity}\r\nFrom: {DESK}\r\nTo: {ANNA}\r\n\r\nx\r\n"
        "--b--\r\n"
    ).encode()


def _with_proof(mails: Mails, chance: random.Random, sender: str, **headers: str) -> bytes:
    """A mail with Anna's own token or identity, whoever writes it."""
    if chance.random() < 0.5:
        return write(sender, to=mails.answer_to["anna"], **headers)
    return write(sender, In_Reply_To=mails.identity["anna"], **headers)


TRICKS: tuple[Trick, ...] = (
    _guessed_id,
    _number,
    _changed_token,
    _anothers_token,
    _anothers_identity,
    _other_forms_of_the_address,
    _several_senders,
    _reply_to_and_others,
    _disproved,
    _disproved_copying,
    _proved_by_itself,
    _agent,
    _agent_without_proof,
    _our_own_headers,
    _in_other_places,
    _line_breaks,
    _bounce,
)


# ---- what must not change


def state_of(mails: Mails) -> dict[str, Any]:
    """Everything about the conversation and the people that a forger would like to change."""
    db.session.rollback()
    old = db.select(Message.ticket_id, Message.id, Message.visibility, Message.author_id).where(Message.ticket_id <= 2)
    follower = db.select(Follower.ticket_id, Follower.user_id).where(Follower.ticket_id <= 2)
    staff = db.select(User.email, User.role, User.active, User.name).where(User.role != "requester")
    rows = {
        "messages": old.order_by(Message.id),
        # That one was held is told to those who may let it in.
        "events": db.select(db.func.count(Event.id)).where(Event.ticket_id <= 2, Event.kind != "message_held"),
        "followers": follower.order_by(Follower.ticket_id, Follower.user_id),
        "tickets": db.select(Ticket.id, Ticket.version, Ticket.category, Ticket.assignee_id).where(Ticket.id <= 2),
        "replies": db.select(db.func.count(Delivery.id)).where(Delivery.kind != "notice"),
        "staff": staff.order_by(User.id),
        "marked": db.select(User.email).where(User.bounced_at.is_not(None) | User.care_mail.is_(False)),
    }
    return {name: [tuple(row) for row in db.session.execute(query)] for name, query in rows.items()}


def test_forged_replies(mails: Mails, mailbox: Any, client: Any, run_jobs: Any) -> None:
    assert settings(IncomingSettings).trusted == {"mx.desk.example"}
    before, sent, number = state_of(mails), len(mailbox.messages), amount(60, 500)
    chance = random.Random(20261126)
    became: Counter[str] = Counter()
    tricks: dict[str, set[str]] = {}
    for place in range(number):
        trick = TRICKS[place % len(TRICKS)]
        outcome = receive("email", trick(mails, chance))
        assert outcome.outcome in ("ticket", "ignored", "quarantined"), (trick.__name__, outcome)
        assert outcome.reason or outcome.outcome == "ticket", (trick.__name__, outcome)
        became[outcome.outcome] += 1
        tricks.setdefault(trick.__name__, set()).add(outcome.outcome)
    run_jobs()
    after = state_of(mails)
    joins = len(after["messages"]) - len(before["messages"])
    gained = sum(after[name] != before[name] for name in before)
    shown = sum(_tells(mail.as_bytes()) for mail in mailbox.messages[sent:]) + _pages_that_tell(mails, client)
    figures.keep(
        "M1",
        "forged replies of every kind",
        mails=number,
        joins=joins,
        that_show_history=shown,
        rights_gained=gained,
        new_tickets=became["ticket"],
        held_for_a_person=became["quarantined"],
        ignored=became["ignored"],
    )
    assert after == before
    assert (joins, shown, gained) == (0, 0, 0)
    # A forger who has the proof and not the sender waits for a person: that is what is tested.
    assert tricks["_disproved"] == tricks["_agent"] == {"quarantined"} and tricks["_bounce"] == {"ignored"}
    assert tricks["_anothers_token"] == tricks["_anothers_identity"] == {"ticket"}

    # The same proofs in the hands of those they were made for.
    for name in ("anna", "mia"):
        sender = str(mails.people[name].email)
        joined = receive("email", write(sender, text=f"It is {name}.", to=mails.answer_to[name]))
        assert (joined.outcome, joined.ticket_id) == ("message", mails.ticket.id)


def _tells(raw: bytes) -> bool:
    return b"zirkon" in re.sub(rb"=\r?\n", b"", raw).lower()


def _pages_that_tell(mails: Mails, client: Any) -> int:
    """The pages of the new tickets, as whoever wrote them may open them."""
    query = db.select(Ticket).join(Intake, Intake.ticket_id == Ticket.id).where(Ticket.id > 2, Intake.state == "done")
    new = db.session.scalars(query.order_by(Ticket.id).limit(40)).all()
    assert new
    return sum(_tells(client.get(links.follow_url(ticket, ticket.requester)).data) for ticket in new)
