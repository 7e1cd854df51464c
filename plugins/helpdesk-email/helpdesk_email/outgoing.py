"""Outgoing mail, built by the ``email`` package and never glued: no text can change its structure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_IDENTITY = re.compile(r"[!-;=?-~]{1,500}")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_LINK = re.compile(r"https?://[!-;=?-~]{1,500}")
MAX_SUBJECT = 400


class _Identities(UnstructuredHeader, BaseHeader):
    """Message ids or links, one a line: the package would encode a long one as words, and no program would know it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: " + f"{policy.linesep} ".join(str(self).split()) + policy.linesep


def _policy() -> Any:
    registry = HeaderRegistry()
    for name in ("references", "in-reply-to", "message-id", "list-unsubscribe"):
        registry.map_to_type(name, _Identities)
    return SMTP.clone(header_factory=registry)


POLICY = _policy()


class Unusable(ValueError):
    """An address that no mail can be sent to."""


@dataclass(frozen=True)
class OutgoingFile:
    """A file to send along; with ``content_id`` the HTML shows it in its place."""

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str | None = None


@dataclass(frozen=True)
class Letter:
    """Everything that goes into one mail to one recipient. Message ids are without angle brackets."""

    sender: tuple[str, str]
    recipient: tuple[str, str]
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    reply_to: tuple[str, str] | None = None
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    # "", "auto-replied" (an answer that no person wrote) or "auto-generated" (RFC 3834, 5).
    auto_submitted: str = ""
    language: str = ""
    files: Sequence[OutgoingFile] = ()
    # The address by which we know mail of ours again when it comes back.
    loop: str = ""
    # Where the recipient says that no more of this kind is wanted.
    unsubscribe: str = ""


def build(letter: Letter) -> EmailMessage:
    """The mail of ``letter``. Raises :class:`Unusable` for an address that is none."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = _address(*letter.sender)
    mail["To"] = _address(*letter.recipient)
    if letter.reply_to is not None:
        mail["Reply-To"] = _address(*letter.reply_to)
    mail["Subject"] = one_line(letter.subject)[:MAX_SUBJECT]
    mail["Date"] = letter.date
    mail["Message-ID"] = _identities([letter.message_id])
    if in_reply_to := _identities([letter.in_reply_to or ""]):
        mail["In-Reply-To"] = in_reply_to
    if references := _identities(letter.references):
        mail["References"] = references
    if letter.auto_submitted:
        mail["Auto-Submitted"] = letter.auto_submitted
        # What Exchange looks at instead of RFC 3834.
        mail["X-Auto-Response-Suppress"] = "All"
    if letter.loop:
        mail["X-Loop"] = one_line(letter.loop)
    if _LINK.fullmatch(letter.unsubscribe):
        mail["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        if letter.unsubscribe.startswith("https:"):
            # One click in the mail program (RFC 8058).
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_body(letter.text), cte="quoted-printable")
    if letter.html:
        _add_html(mail, letter)
    for file in letter.files:
        if not _shown_inside(file, letter.html):
            maintype, subtype = _content_type(file)
            mail.add_attachment(file.data, maintype, subtype, filename=_file_name(file.name))
    if letter.language:
        # Last: setting the content removes every Content- header.
        mail["Content-Language"] = one_line(letter.language)
    return mail


def one_line(text: str) -> str:
    """``text`` without line breaks and other control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _add_html(mail: EmailMessage, letter: Letter) -> None:
    mail.add_alternative(_body(letter.html), subtype="html", cte="quoted-printable")
    shown = [file for file in letter.files if _shown_inside(file, letter.html)]
    payload = mail.get_payload()
    assert isinstance(payload, list)
    html = payload[1]
    assert isinstance(html, EmailMessage)
    for file in shown:
        maintype, subtype = _content_type(file)
        identity = f"<{file.content_id}>"
        html.add_related(
            file.data, maintype, subtype, cid=identity, filename=_file_name(file.name), disposition="inline"
        )


def _shown_inside(file: OutgoingFile, html: str) -> bool:
    identity = file.content_id or ""
    return bool(_IDENTITY.fullmatch(identity)) and f"cid:{identity}" in html


def _content_type(file: OutgoingFile) -> tuple[str, str]:
    kind = file.content_type.lower()
    # A mail inside a mail would have to be parsed to be built: it travels as a file.
    if not _TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    maintype, _slash, subtype = kind.partition("/")
    return maintype, subtype


def _file_name(name: str) -> str:
    return one_line(name)[:200] or "attachment"


def _address(name: str, email: str) -> Address:
    email = email.strip()
    if _CONTROL.search(email) or any(mark in email for mark in ' ,;<>"()[]\\') or email.count("@") != 1:
        raise Unusable(email)
    local, _at, domain = email.partition("@")
    try:
        domain = domain.encode("ascii").decode("ascii")
    except UnicodeError:
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise Unusable(email) from None
    try:
        return Address(display_name=one_line(name)[:120], username=local, domain=domain)
    except (ValueError, IndexError):
        raise Unusable(email) from None


def _identities(identities: Sequence[str]) -> str:
    return " ".join(f"<{identity}>" for identity in identities if _IDENTITY.fullmatch(identity))


def _body(text: str) -> str:
    """Text with line ends as the package wants them, and without what cannot be written."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
