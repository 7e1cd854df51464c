"""A raw mail as the core takes it in."""

import re
from typing import Any

from helpdesk.api import IncomingFile, IntakeDraft
from helpdesk_email import addresses, apart
from helpdesk_email.parsing import ParsedMail

# Machine mail that a person may stand behind: a group's address, a contact form, a shop's noreply@.
_PEOPLE_BEHIND = frozenset({"list", "precedence", "robot-address", "response-suppressed"})
_TOKEN = re.compile(r"\+([0-9A-Za-z]{1,13}-[0-9A-Za-z]{1,13}-[0-9A-Za-z]{26})@")


def parse(raw: bytes) -> IntakeDraft:
    """A raw mail as the core takes it in. Reads nothing but ``raw``, and never raises."""
    mail = apart.read(raw)
    return IntakeDraft(
        channel="email",
        sender_address=_answer_to(mail),
        sender_name=mail.sender.name if mail.sender else "",
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        quoted=mail.quoted,
        files=[IncomingFile(file.name, file.content_type, file.data, file.content_id) for file in mail.attachments],
        sent_at=mail.date,
        external_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        reply_tokens=reply_tokens(mail.recipients),
        machine=mail.machine,
        machine_reason=mail.machine_reason,
        may_open=not mail.machine or (mail.machine_reason in _PEOPLE_BEHIND and not mail.returns),
        refused=mail.refused or "",
        problems=mail.problems,
        headers=mail.headers,
        copies=_copies(mail),
        returns=mail.returns,
    )


def describe(raw: bytes) -> dict[str, Any]:
    """How a raw mail is understood (``helpdesk mail parse --json``); needs no desk."""
    return apart.read(raw).as_json()


def reply_tokens(recipients: list[str]) -> list[str]:
    """What may be a signed reply token in the addresses that a mail was sent to; the core judges them."""
    return list(dict.fromkeys(match[1].lower() for match in map(_TOKEN.search, recipients) if match))


def _copies(mail: ParsedMail) -> list[tuple[str, str]]:
    """Who else it was written to, each once, in order. The desk's own addresses are among them."""
    sender = _answer_to(mail).lower()
    found: dict[str, tuple[str, str]] = {}
    for one in filter(lambda one: addresses.valid(one.email), (*mail.to, *mail.cc)):
        found.setdefault(one.email.lower(), (one.email, one.name))
    return [copy for address, copy in found.items() if address != sender]


def _answer_to(mail: ParsedMail) -> str:
    """Who wrote it. Reply-To is not used: anybody can put somebody else's address there."""
    return mail.sender.email if mail.sender else ""
