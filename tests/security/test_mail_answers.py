"""Who may answer what by mail, through the real intake, against the table in the e-mail plugin's access.toml."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from helpdesk.core import links
from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Ticket, User
from tests.security.actors import MAIL_SERVER, FilledDesk

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

PROOFS = ("proved", "unknown", "disproved")
_BECOMES = {"message": "joins", "ticket": "opens", "quarantined": "held"}
_STRANGER = "new@elsewhere.example"
_VERDICTS = {"proved": "pass", "disproved": "fail"}
TABLE = tomllib.loads((files("helpdesk_email") / "access.toml").read_text("utf-8"))["mail"]


@pytest.mark.parametrize("thing", ["own", "private"])
@pytest.mark.parametrize("way", TABLE)
def test_answers_by_mail_become_what_the_table_says(filled: FilledDesk, way: str, thing: str) -> None:
    """Joins, opens or is held; what does not join adds nobody and nothing to the ticket that it names."""
    faults = []
    for sender, line in TABLE[way][thing].items():
        for proof, expected in zip(PROOFS, line.split(), strict=True):
            seen = _becomes(filled, way, thing, sender, proof)
            if seen != expected:
                faults.append(f"{sender}, {proof}, to the {thing} ticket by {way}: expected {expected}, seen {seen}")
    assert not faults, "\n".join(faults)


def _becomes(desk: FilledDesk, way: str, thing: str, sender: str, proof: str) -> str:
    with desk.app.app_context():
        ticket = db.session.get_one(Ticket, desk.values["number"][thing])
        number, before = ticket.id, _state(ticket)
        outcome = intake.receive("email", _mail(desk, ticket, way, sender, proof))
        db.session.expire_all()
        joined = outcome.ticket_id == number and outcome.outcome == "message"
        changed = _state(db.session.get_one(Ticket, number)) != before
        db.session.remove()
    desk.put_back()
    assert changed == joined, f"{outcome} and the ticket {'has' if changed else 'has not'} changed"
    return _BECOMES[str(outcome.outcome)]


def _state(ticket: Ticket) -> tuple[Any, ...]:
    followers = db.session.scalars(db.select(Follower.user_id).where(Follower.ticket_id == ticket.id))
    return ticket.version, ticket.status_id, ticket.snippet, sorted(followers)


def _mail(desk: FilledDesk, ticket: Ticket, way: str, sender: str, proof: str) -> bytes:
    address = desk.emails.get(sender, _STRANGER)
    owner = db.session.get_one(User, desk.people[sender]) if way == "given" else ticket.requester
    to = "help" if way == "number" else f"help+{links.token(links.REPLY, ticket, owner)}"
    lines = [f"From: {address}", f"To: {to}@desk.example", "Message-ID: <answer@elsewhere.example>"]
    lines += [f"Subject: Re: [#{ticket.id}] {ticket.subject}", "", "And now?", ""]
    if proof in _VERDICTS:
        domain = address.partition("@")[2]
        lines.insert(0, f"Authentication-Results: {MAIL_SERVER}; dmarc={_VERDICTS[proof]} header.from={domain}")
    return "\r\n".join(lines).encode()
