"""A raw mail as plain data. Whatever the bytes are, something comes out, and what was wrong is said."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from helpdesk.api import Return
from helpdesk.api import gettext as _
from helpdesk_email import addresses, authentication, bodies, detection, headers, limits, machine, reports
from helpdesk_email.addresses import Address
from helpdesk_email.attachments import MailFile
from helpdesk_email.limits import Part

# Where the transport notes to which of our addresses it delivered: a signed reply address may stand only there.
_DELIVERED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To")
MAX_HEADERS = 200
MAX_HEADER = 2_000
MAX_PROOF = 16_000
# What decisions hang on: proofs, rules, to which of our addresses it came.
_KEPT_FIRST = frozenset(
    "from sender reply-to to cc subject date message-id return-path authentication-results auto-submitted precedence"
    " list-id list-unsubscribe x-spam-flag x-spam-status x-spam-score delivered-to x-original-to envelope-to"
    " x-envelope-to x-delivered-to".split()
)


@dataclass(frozen=True)
class ParsedMail:
    """What a mail says. Message ids are without angle brackets, ``date`` is in UTC."""

    subject: str = ""
    sender: Address | None = None
    reply_to: list[Address] = field(default_factory=list)
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    # Every address that it was sent or delivered to.
    recipients: list[str] = field(default_factory=list)
    date: datetime | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: list[str] = field(default_factory=list)
    auto_submitted: str = ""
    # What stood in front of it, for rules: names in small letters, decoded but for what proofs are read from.
    headers: dict[str, list[str]] = field(default_factory=dict)
    machine: bool = False
    machine_reason: str = ""
    # What the person wrote, and what was quoted below it.
    text: str = ""
    quoted: str = ""
    html: str = ""
    html_quoted: str = ""
    attachments: list[MailFile] = field(default_factory=list)
    # What it tells of mail that we sent.
    returns: list[Return] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # A sentence when it cannot be used at all.
    refused: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The shape that ``helpdesk mail parse --json`` prints; other programs rely on it."""
        return {
            "subject": self.subject,
            "from": (self.sender or Address("", "")).as_json(),
            "reply_to": [address.as_json() for address in self.reply_to],
            "to": [address.as_json() for address in self.to],
            "cc": [address.as_json() for address in self.cc],
            "date": self.date.isoformat() if self.date else None,
            "message_id": self.message_id,
            "in_reply_to": self.in_reply_to,
            "references": self.references,
            "machine": self.machine,
            "text": self.text,
            "quoted": self.quoted,
            "html": self.html,
            "attachments": [file.as_json() for file in self.attachments],
            "problems": self.problems,
        }


def parse(raw: bytes, careful: bool = False) -> ParsedMail:
    """Read ``raw`` as far as it can be read; stores nothing.

    Raises :class:`limits.Suspicious` when ``careful`` and reading it may take long; nothing otherwise, for any bytes.
    """
    detection.begin()
    root, problems, refused = limits.read(raw)
    problems = list(problems)
    hint = bodies.charset_of(root)
    sender, several = addresses.sender(root.header("From"), root.header("Sender"), hint)
    if several:
        problems.append(_("From names several people; only one of them can have sent it."))
    if len(root.all_headers("From")) > 1:
        problems.append(_("It has more than one From header."))
    subject = headers.words(root.header("Subject"), hint)[:1_000]
    body, wrong = bodies.read(root, hint, careful) if refused is None else (bodies.Body("", "", "", "", []), [])
    words = f"{body.text}\n{body.quoted}"
    reason = machine.reason(root, sender.email if sender else "", subject, words[:20_000])
    in_reply_to = _identities(root, "In-Reply-To")
    to, cc, recipients = _recipients(root, hint, problems)
    return ParsedMail(
        subject=subject,
        sender=sender,
        reply_to=addresses.parse(root.header("Reply-To"), hint, 20),
        to=to,
        cc=cc,
        recipients=recipients,
        date=headers.moment(root.header("Date")),
        message_id=next(iter(_identities(root, "Message-ID")), None),
        in_reply_to=in_reply_to[0] if in_reply_to else None,
        references=_identities(root, "References"),
        auto_submitted=headers.words(root.header("Auto-Submitted"))[:100],
        headers=_headers(root, hint),
        machine=bool(reason),
        machine_reason=reason,
        text=body.text,
        quoted=body.quoted,
        html=body.html,
        html_quoted=body.html_quoted,
        attachments=body.files,
        returns=reports.returns(root, raw, sender.email if sender else "", subject, words) if reason else [],
        problems=[*problems, *(found for found in wrong if found not in problems)],
        refused=refused,
    )


def _headers(root: Part, hint: str) -> dict[str, list[str]]:
    """At most :data:`MAX_HEADERS` of its headers, those that decisions hang on before all others."""
    items = [(name.lower(), str(value)) for name, value in root.raw_items()]
    kept = [item for item in items if item[0] in _KEPT_FIRST][:MAX_HEADERS]
    kept += [item for item in items if item[0] not in _KEPT_FIRST][: MAX_HEADERS - len(kept)]
    found: dict[str, list[str]] = {}
    for name, value in kept:
        # An encoded word in a proof was put there by the mail, to be taken for one when it is decoded.
        proof = name == authentication.HEADER
        text = headers.unfolded(value)[:MAX_PROOF] if proof else headers.words(value[: MAX_HEADER * 4], hint)
        found.setdefault(name[:100], []).append(text if proof else text[:MAX_HEADER])
    return found


def _identities(root: Part, name: str) -> list[str]:
    return headers.identities(" ".join(root.all_headers(name)))


def _recipients(root: Part, hint: str, problems: list[str]) -> tuple[list[Address], list[Address], list[str]]:
    to = _addresses(root, "To", hint)
    cc = _addresses(root, "Cc", hint)
    if len(to) + len(cc) > limits.MAX_RECIPIENTS:
        problems.append(_("It has more than %(limit)s recipients; the rest was left out.", limit=limits.MAX_RECIPIENTS))
        to = to[: limits.MAX_RECIPIENTS]
        cc = cc[: limits.MAX_RECIPIENTS - len(to)]
    delivered = [
        found.email for value in root.all_headers(*_DELIVERED)[:50] for found in addresses.parse(value, hint, 5)
    ]
    return to, cc, list(dict.fromkeys([*delivered, *(address.email for address in (*to, *cc))]))


def _addresses(root: Part, name: str, hint: str) -> list[Address]:
    found: list[Address] = []
    for value in root.all_headers(name):
        found += addresses.parse(value, hint, limits.MAX_RECIPIENTS + 1 - len(found))
        if len(found) > limits.MAX_RECIPIENTS:
            break
    return found
