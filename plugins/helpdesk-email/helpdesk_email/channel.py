"""E-mail as a channel: raw mails in, outgoing messages out, and a test that says exactly what fails."""

import re
import smtplib
import ssl
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpdesk.api import (
    CheckStep,
    DeliveryFailed,
    DeskSettings,
    IncomingFile,
    IntakeDraft,
    OutgoingMessage,
    now,
    settings,
)
from helpdesk.api import gettext as _
from helpdesk_email import outgoing as letters
from helpdesk_email import rendering, smtp
from helpdesk_email.parsing import ParsedMail
from helpdesk_email.parsing import parse as parse_mail
from helpdesk_email.settings import STARTTLS, TLS, EmailSettings

# The local part of an address may have 64 octets (RFC 5321, 4.5.3.1.1).
_MAX_LOCAL = 64
# Machine mail that a person may stand behind: a group's address, a contact form, a shop's noreply@.
_PEOPLE_BEHIND = frozenset({"list", "precedence", "robot-address", "response-suppressed"})
_TOKEN = re.compile(r"\+([0-9A-Za-z]{1,13}-[0-9A-Za-z]{1,13}-[0-9A-Za-z]{26})@")


def parse(raw: bytes) -> IntakeDraft:
    """A raw mail as the core takes it in. Reads nothing but ``raw``, and never raises."""
    mail = parse_mail(raw)
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
        may_open=not mail.machine or mail.machine_reason in _PEOPLE_BEHIND,
        refused=mail.refused or "",
        problems=mail.problems,
    )


def describe(raw: bytes) -> dict[str, Any]:
    """How a raw mail is understood (``helpdesk mail parse --json``); needs no desk."""
    return parse_mail(raw).as_json()


def reply_tokens(recipients: list[str]) -> list[str]:
    """What may be a signed reply token in the addresses that a mail was sent to; the core judges them."""
    return list(dict.fromkeys(match[1].lower() for match in map(_TOKEN.search, recipients) if match))


def reply_address(address: str, token: str | None) -> str:
    """``address`` with ``token`` in it (``support+token@…``, RFC 5233), or as it is when that gets too long."""
    local, _at, domain = address.rpartition("@")
    if not token or len(f"{local}+{token}".encode()) > _MAX_LOCAL:
        return address
    return f"{local}+{token}@{domain}"


def new_identity() -> str:
    """A Message-ID, without its brackets, that a mail will travel under."""
    return f"{uuid.uuid4().hex}@{settings(EmailSettings).domain or 'helpdesk.invalid'}"


def send(outgoing: OutgoingMessage) -> None:
    """Send one message. Raises ``DeliveryFailed``; called again for the same one it sends the same Message-ID."""
    configured = settings(EmailSettings)
    if not configured.address or not configured.smtp_host:
        raise DeliveryFailed(
            _("Mail cannot be sent yet. Enter the desk's mail address and the outgoing server in the e-mail settings.")
        )
    try:
        mail = letters.build(_letter(outgoing, configured))
    except letters.Unusable as error:
        raise DeliveryFailed(
            _("“%(address)s” is not an address that mail can be sent to.", address=str(error)), permanent=True
        ) from error
    except OSError as error:
        raise DeliveryFailed(_("An attachment could not be read: %(reason)s.", reason=error.strerror)) from error
    # An automatic answer has the null sender, so that no robot answers it (RFC 3834, 3.3).
    sender = "" if outgoing.kind == "notice" else configured.address
    smtp.send(mail, mail["To"].addresses[0].addr_spec, sender, smtp.Server.of(configured))


def check(address: str) -> list[CheckStep]:
    """Try the outgoing server step by step with the saved settings, and send a test mail to ``address``."""
    configured = settings(EmailSettings)
    server = smtp.Server.of(configured)
    labels = [_("Connect to the server"), _("Sign in"), _("Send a test mail")]
    if not configured.address or not configured.smtp_host:
        sentence = _("Enter the desk's mail address and the outgoing server first.")
        return [CheckStep(labels[0], False, sentence), *(CheckStep(label, None) for label in labels[1:])]
    steps: list[CheckStep] = []
    connections: list[smtplib.SMTP] = []

    def send_test() -> None:
        desk = settings(DeskSettings).name
        subject = _("Test from %(desk)s", desk=desk)
        words = _("This mail shows that %(desk)s can send.", desk=desk)
        mail = letters.build(
            letters.Letter(
                (configured.sender_name or desk, configured.address),
                ("", address),
                subject,
                words,
                "",
                new_identity(),
                now(),
                auto_submitted="auto-generated",
            )
        )
        connections[0].send_message(mail, configured.address, [address])

    attempts: list[tuple[str, Callable[[], None]]] = [
        (labels[0], lambda: connections.append(smtp.connect(server))),
        (labels[1], lambda: smtp.log_in(connections[0], server)),
        (labels[2], send_test),
    ]
    try:
        for label, attempt in attempts:
            failed = any(step.ok is False for step in steps)
            steps.append(CheckStep(label, None) if failed else _step(label, attempt, server, address))
    finally:
        for connection in connections:
            connection.close()
    return steps


def _step(label: str, attempt: Callable[[], None], server: smtp.Server, address: str) -> CheckStep:
    begun = time.monotonic()
    try:
        attempt()
    except letters.Unusable:
        return CheckStep(label, False, _("“%(address)s” is not an address that mail can be sent to.", address=address))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        sentence, _permanent = smtp.explain(error, server, address)
        words = smtp.said(error) if isinstance(error, smtplib.SMTPResponseException) else ""
        return CheckStep(label, False, sentence, words, _advice(error, server), _since(begun))
    return CheckStep(label, True, milliseconds=_since(begun))


def _advice(error: Exception, server: smtp.Server) -> list[str]:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return [
            _("Many providers want an app password here instead of the one you sign in with."),
            _("The user name is often the whole mail address."),
        ]
    if isinstance(error, smtplib.SMTPServerDisconnected | ssl.SSLError | TimeoutError | ConnectionRefusedError):
        if server.security == STARTTLS and server.port == 465:
            return [_("Port 465 is usually for TLS: choose TLS.")]
        if server.security == TLS and server.port in (25, 587):
            return [_("Port %(port)s is usually for STARTTLS: choose STARTTLS.", port=server.port)]
    return []


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


def _answer_to(mail: ParsedMail) -> str:
    """Who wrote it. Reply-To is not used: anybody can put somebody else's address there."""
    return mail.sender.email if mail.sender else ""


def _letter(outgoing: OutgoingMessage, configured: EmailSettings) -> letters.Letter:
    text, html = rendering.render(outgoing)
    name = configured.sender_name or settings(DeskSettings).name
    shown = name
    if configured.agent_in_sender and outgoing.author_name:
        # Translators: sender of a mail, e.g. "Anna Berg (Green Shop)"
        shown = _("%(agent)s (%(desk)s)", agent=outgoing.author_name, desk=name)
    token = outgoing.reply_token if configured.plus_addressing else None
    automatic = "auto-replied" if outgoing.kind == "notice" else "auto-generated"
    return letters.Letter(
        sender=(shown, configured.address),
        recipient=(outgoing.name, outgoing.address),
        subject=outgoing.subject,
        text=text,
        html=html,
        message_id=outgoing.identity,
        date=now(),
        reply_to=(name, reply_address(configured.address, token)),
        in_reply_to=outgoing.in_reply_to,
        references=outgoing.references,
        auto_submitted=automatic if outgoing.automatic else "",
        language=outgoing.locale.replace("_", "-"),
        files=[
            letters.OutgoingFile(file.name, file.content_type, Path(file.path).read_bytes(), file.content_id)
            for file in outgoing.files
        ],
    )
