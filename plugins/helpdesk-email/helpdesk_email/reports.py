"""What came back of mail of ours: delivery reports (RFC 3464), complaints (RFC 5965), bounces of no standard.

Who did not get it, whether trying again is in vain, and the Message-ID that it travelled under.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from helpdesk.api import BOUNCE, COMPLAINT, DELAY, Return
from helpdesk_email import addresses, attachments, charsets, headers, machine
from helpdesk_email.limits import Part

MAX_RETURNS = 50
MAX_REASON = 500
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status", "message/x-delivery-status"})
_FEEDBACK = "message/feedback-report"
_RECEIPT = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_RETURNED = frozenset(
    "message/rfc822 message/global message/partial message/rfc822-headers message/global-headers text/rfc822-headers"
    " text/rfc822-header text/rfc822 text/x-rfc822-headers message/delivery-status-headers".split()
)
# A report of forged mail or of mail wrongly taken for spam (RFC 6591, RFC 6430) is no complaint.
_NO_COMPLAINT = frozenset({"auth-failure", "not-spam", "dmarc"})
# No more is read of a report, however long the mail is that comes back with it.
_READ = 200_000

_MESSAGE_ID = re.compile(rb"^[> \t|]{0,20}Message-ID:[ \t]*(?:\r?\n[> \t|]{1,20})?<?([^<>\s]{3,500})", re.I | re.M)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
# Where the copy of the mail begins that comes back.
_COPY = re.compile(
    r"^[ \t>*=_-]{0,40}(?:below (?:this line )?is (?:a|the) copy|(?:this is|here is) (?:a|the) copy|original message"
    r"|the (?:original )?message (?:headers|follows)|message header|returned message|unsent message below"
    r"|(?:included|attached) is (?:a|the) copy|begin(?:ning)? of (?:the )?(?:original|returned)|transcript of"
    r"|-{5,}.{0,40}original"
    r"|return-path:|received:|dkim-signature:|message-id:|x-[\w-]{1,40}:|content-type:)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
# An address that a line is about: alone on it, first on it in angle brackets, or behind a word that says so.
_ABOUT = re.compile(
    r"^[ \t>*•-]{0,12}(?:<([^<>\s]{3,320})>|([^<>\s@]{1,64}@[^<>\s:;,()]{1,255})[ \t]*(?:$|:|\(|\.\.\.|,|;))"
    r"|\b(?:recipient|rcpt to|user|address|mailbox|account|to)s?[ \t]*:?[ \t]*<([^<>\s]{3,320})>"
    r"|(?:final|original)-recipient:[ \t]*(?:rfc822;)?[ \t]*<?([^<>\s;]{3,320})",
    re.IGNORECASE | re.MULTILINE,
)
_ENHANCED = re.compile(r"(?<![\d.])([245])\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])[0-7]\d(?=[ -])")
_LATE = re.compile(
    r"\bdelay(?:ed)?\b|not yet been delivered|will (?:keep trying|continue|be retried)|still (?:being )?(?:try|queued)"
    r"|will retry|warning: (?:message|could not)|transient non-fatal|this is (?:only )?a warning",
    re.IGNORECASE,
)
_FOR_GOOD = re.compile(
    r"\bpermanent|user(?:name)? (?:is )?(?:unknown|not found|doesn't exist)"
    r"|(?:unknown|no such) (?:user|recipient|address|mailbox)"
    r"|does(?: not|n't) exist|invalid (?:recipient|address|mailbox|user)|not listed in|address rejected|no mailbox"
    r"|(?:couldn't|could not|wasn't) (?:be )?f(?:ind|ound)|bad destination"
    r"|account (?:is )?(?:disabled|inactive|closed)",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"(?:mailer-?daemon|postmaster|mail-daemon|mail[.-]?delivery.{0,20})(?:[+._=-].*)?", re.IGNORECASE)
_GIVEN_BACK = re.compile(
    r"could not be delivered|permanent errors?\b|failed permanently|undeliverable|delivery (?:has )?failed"
    r"|returned to (?:you|sender)",
    re.I,
)
# Hotmail and Outlook.com report so that somebody pressed the button.
_JUNK_PRESSED = re.compile(r"\s*complaint about message from ", re.IGNORECASE)


@dataclass(frozen=True)
class _Report:
    """The mail as its reports see it: parts by kind, its words, its bytes."""

    root: Part
    raw: bytes
    text: str
    parts: list[Part]

    def of(self, kinds: frozenset[str]) -> list[Part]:
        return [part for part in self.parts if attachments.content_type(part).value in kinds]


def returns(root: Part, raw: bytes, sender: str, subject: str, text: str) -> list[Return]:
    """What a mail tells of mail that we sent. Empty for letters, receipts and answers on holiday. Never raises."""
    report = _Report(root, raw, text[:_READ], list(_walk(root)))
    if feedback := report.of(frozenset({_FEEDBACK})):
        return _complaints(report, _words(feedback[0]))
    if report.of(_RECEIPT):
        return []
    if _JUNK_PRESSED.match(subject) and report.of(_RETURNED):
        return _complaints(report, "")
    told = [fields for part in report.of(_STATUS)[:5] for fields in _recipients(_words(part))]
    if told:
        return _unique(_delivery(report, told))
    if _is_bounce(root, sender, subject, report.text):
        return _unique(_bounces(report, sender))
    return []


def _unique(found: list[Return]) -> list[Return]:
    by_address: dict[tuple[str, str], Return] = {}
    for one in found:
        by_address.setdefault((one.kind, one.address.lower()), one)
    return list(by_address.values())[:MAX_RETURNS]


# Standard reports


def _recipients(text: str) -> list[dict[str, str]]:
    """The groups of a delivery report that are about a recipient; the first one is about the whole mail."""
    blocks = _blocks(text)
    envelope = blocks[0].get("original-envelope-id", "") if blocks else ""
    found = [fields for fields in blocks if fields.keys() & {"action", "final-recipient", "original-recipient"}]
    return [{"original-envelope-id": envelope} | fields for fields in found]


def _delivery(report: _Report, recipients: list[dict[str, str]]) -> list[Return]:
    identity = _identity(report)
    found = []
    for fields in recipients[:MAX_RETURNS]:
        kind = _kind_of(fields)
        if kind is None:
            continue
        status = fields.get("status", "")
        reason = _diagnostic(fields) or status
        permanent = kind == BOUNCE and not (status.startswith("4") or "expired" in fields.get("action", "").lower())
        known = identity or _only_identity(fields["original-envelope-id"])
        found.append(Return(kind, _recipient(fields), known, permanent, reason[:MAX_REASON]))
    return found


def _kind_of(fields: dict[str, str]) -> str | None:
    """What became of one recipient; None: it got there, or nothing is said."""
    action, status = fields.get("action", "").lower(), fields.get("status", "")
    if action.startswith("delay"):
        return DELAY
    if "fail" in action or action.startswith(("expired", "bounce")):
        return BOUNCE
    if action:
        return None
    return {"5": BOUNCE, "4": DELAY}.get(status[:1])


def _recipient(fields: dict[str, str]) -> str:
    """The address as we wrote it comes first; where the mail was forwarded, the final one is another."""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = fields.get(name, "").partition(";")[2] or fields.get(name, "")
        if found := _address(value):
            return found
    return ""


def _diagnostic(fields: dict[str, str]) -> str:
    value = fields.get("diagnostic-code", "")
    kind, _semicolon, words = value.partition(";")
    return (words if words and " " not in kind.strip() else value).strip()


def _complaints(report: _Report, text: str) -> list[Return]:
    fields: dict[str, str] = {}
    for block in _blocks(text):
        fields = block | fields
    kind = fields.get("feedback-type", "abuse").lower().split(";")[0].strip()
    if kind in _NO_COMPLAINT:
        return []
    named = [fields.get("original-rcpt-to", ""), fields.get("removal-recipient", "")]
    found = [address for value in named if (address := _address(value))] or _returned_recipients(report)
    identity = _identity(report)
    return [Return(COMPLAINT, address, identity, True, kind[:MAX_REASON]) for address in found[:1] or [""]]


# Bounces of no standard: qmail, Exim, old Exchange and sendmail, Gmail ...


def _is_bounce(root: Part, sender: str, subject: str, text: str) -> bool:
    if root.header("X-Failed-Recipients"):
        return True
    path = root.header("Return-Path").strip()
    if path not in ("", "<>") and not _DAEMON.fullmatch(sender.partition("@")[0]):
        return False
    if machine.tells_of_a_bounce(sender, subject, text):
        return True
    return path == "<>" and bool(_GIVEN_BACK.search(text))


def _bounces(report: _Report, sender: str) -> list[Return]:
    copy = _COPY.search(report.text)
    told = report.text[: copy.start()] if copy and copy.start() > 40 else report.text
    late = _LATE.search(told) and not re.search(r"\bpermanent|given up", told)
    kind = DELAY if late else BOUNCE
    identity = _identity(report)
    permanent = kind == BOUNCE and _for_good(told)
    return [
        Return(kind, address, identity, permanent, _said_of(told, address))
        for address in _failed(report, told, sender) or [""]
    ]


def _failed(report: _Report, told: str, sender: str) -> list[str]:
    """Whom a bounce names, by the surest sign that there is."""
    root = report.root
    named = [found.email for found in addresses.parse(root.header("X-Failed-Recipients"), limit=MAX_RETURNS)]
    if named:
        return named
    # The bounce itself goes to who sent the mail: that address is named often and never meant.
    own = {found.email.lower() for name in ("To", "Delivered-To") for found in addresses.parse(root.header(name))}
    own |= {sender.lower(), ""}
    about = [next(filter(None, match.groups()), "") for match in _ABOUT.finditer(told)]
    mentioned = [text for text in _ADDRESS.findall(told) if not _DAEMON.fullmatch(text.partition("@")[0])]
    for candidates in (about, _returned_recipients(report), mentioned):
        found = [address for text in candidates if (address := _address(text)) and address.lower() not in own]
        if found:
            return list(dict.fromkeys(found))[:MAX_RETURNS]
    return []


def _for_good(told: str) -> bool:
    for pattern in (_ENHANCED, _REPLY):
        classes = pattern.findall(told)
        if classes:
            return "5" in classes
    return bool(_FOR_GOOD.search(told))


def _said_of(told: str, address: str) -> str:
    """The words behind the address, or those with an error code."""
    position = told.find(address) if address else -1
    behind = told[position + len(address) :].lstrip("<>:.,; \t\n") if position >= 0 else ""
    code = _REPLY.search(told) or _ENHANCED.search(told)
    if code and not _REPLY.search(behind[:MAX_REASON]):
        behind = told[code.start() :]
    words = " ".join(re.split(r"\n[ \t]*\n", behind.strip() or told.strip())[0].split())
    return words[:MAX_REASON]


# What is common to both


def _returned_recipients(report: _Report) -> list[str]:
    for part in report.of(_RETURNED):
        found = addresses.parse(_head_of(part).get("to", ""), limit=2)
        if found:
            return [one.email for one in found]
    return []


def _identity(report: _Report) -> str | None:
    """The Message-ID of the mail that came back: from its part, else from wherever it stands below the head."""
    for part in report.of(_RETURNED):
        if found := _only_identity(_head_of(part).get("message-id", "")):
            return found
    head = _END_OF_HEAD.search(report.raw)
    body = report.raw[head.end() : head.end() + _READ] if head else b""
    for words in (report.text.encode(), body):
        match = _MESSAGE_ID.search(words)
        if match and (found := _only_identity(match[1].decode("ascii", "replace"))):
            return found
    # Exchange names it only here.
    answered = headers.identities(report.root.header("In-Reply-To"))
    return answered[0] if len(answered) == 1 else None


def _only_identity(value: str) -> str | None:
    found = headers.identities(value)
    return found[0] if found and "@" in found[0] else None


def _head_of(part: Part) -> dict[str, str]:
    """The header of a mail that came back, whether or not it was read as a mail."""
    children = part.children()
    if children:
        fields: dict[str, str] = {}
        for name, value in children[0].raw_items():
            fields.setdefault(name.lower(), str(value))
        return fields
    blocks = _blocks(_words(part))
    return blocks[0] if blocks else {}


def _walk(root: Part) -> Iterator[Part]:
    """The parts of a mail, outermost first; those of the mail that came back are not its own."""
    waiting = [root]
    while waiting:
        part = waiting.pop(0)
        yield part
        if part is root or not attachments.content_type(part).value.startswith("message/"):
            waiting += part.children()


def _words(part: Part) -> str:
    data = attachments.payload(part) if part.body() else attachments.original(part)
    return charsets.decode(data[:_READ], "")[0]


def _blocks(text: str) -> list[dict[str, str]]:
    """Groups of fields with empty lines between them (RFC 3464, 2.1), continued lines put together."""
    found: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    last = ""
    for line in text.split("\n")[:5_000]:
        if not line.strip():
            if fields:
                found.append(fields)
            fields, last = {}, ""
        elif line[0] in " \t" and last:
            fields[last] = f"{fields[last]} {line.strip()}"[:10_000]
        elif match := re.match(r"([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:(.*)", line):
            last = match[1].lower()
            fields.setdefault(last, match[2].strip())
    return [*found, fields] if fields else found


def _address(value: str) -> str:
    value = value.strip().strip("<>'\"").rstrip(".,:;")
    return addresses.normal(value) or next(iter(one.email for one in addresses.parse(value, limit=1)), "")
