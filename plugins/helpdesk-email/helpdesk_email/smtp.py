"""The way out: one mail handed to one server over SMTP."""

import base64
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from helpdesk.api import DeliveryFailed
from helpdesk_email.access import AccessFailed, check_protection
from helpdesk_email.failures import Failure, Missing, Open, Unsigned, Unsure, explain
from helpdesk_email.settings import NONE, STARTTLS, TLS, EmailSettings

TIMEOUT = 20.0
# Taking a mail may take a server long (RFC 5321, 4.5.3.2.6); giving up too soon makes a second copy.
PATIENCE = 300.0
_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """Where mail leaves by, and how. ``name`` is what we call ourselves; ``token`` gets one in place of a password."""

    host: str
    port: int
    security: str = STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    name: str = "localhost"
    timeout: float = TIMEOUT
    patience: float = PATIENCE
    token: Callable[[], str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: EmailSettings) -> "Server":
        """The server that the settings describe."""
        return cls(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password,
            settings.domain or "localhost",
        )


@dataclass(frozen=True)
class Parcel:
    """One mail as it travels. ``sender`` "" is the null sender of automatic answers (RFC 3834, 3.3)."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)
    # Its addresses have letters outside ASCII, which not every server takes (RFC 6531).
    international: bool = False

    @classmethod
    def of(cls, mail: EmailMessage, sender: str) -> "Parcel":
        """``mail``, to the one in its To header."""
        recipient = mail["To"].addresses[0].addr_spec
        named = [str(address.addr_spec) for name in ("From", "To", "Reply-To") for address in _addresses(mail, name)]
        international = not all(text.isascii() for text in (sender, *named))
        return cls(sender, recipient, mail.as_bytes(policy=mail.policy.clone(utf8=international)), international)


class Failed(DeliveryFailed):
    """A mail that a server did not take; ``failure`` says what that means for the next attempt."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence, permanent=failure.permanent, unreachable=failure.unreachable)
        self.failure = failure


def send(parcel: Parcel, server: Server) -> None:
    """Hand one mail to the server. Raises :class:`Failed`."""
    try:
        connection = connect(server)
        try:
            log_in(connection, server)
            hand_over(connection, parcel, server)
        finally:
            # Once the server has taken the mail, nothing that happens on the way out makes it not sent.
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()
    except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
        raise Failed(explain(error, server, parcel.recipient)) from error


def connect(server: Server) -> smtplib.SMTP:
    """An open connection, encrypted as the settings say. Raises what ``smtplib`` and ``ssl`` raise."""
    try:
        check_protection(server.host, server.port, server.security)
    except AccessFailed as failure:
        raise Open(failure.sentence) from failure
    arguments = (server.host, server.port, server.name)
    if server.security == TLS:
        return smtplib.SMTP_SSL(*arguments, timeout=server.timeout, context=ssl.create_default_context())
    connection = smtplib.SMTP(*arguments, timeout=server.timeout)
    if server.security == NONE:
        return connection
    try:
        connection.ehlo_or_helo_if_needed()
        if not connection.has_extn("starttls"):
            raise Missing("starttls")
        connection.starttls(context=ssl.create_default_context())
    except BaseException:
        connection.close()
        raise
    return connection


def log_in(connection: smtplib.SMTP, server: Server) -> None:
    """Sign in where a user name is set. Raises what ``smtplib`` raises."""
    if not server.user:
        return
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("auth"):
        raise Missing("auth")
    if server.token is not None:
        _log_in_with_token(connection, server.user, server.token)
    elif f"{server.user}{server.password}".isascii():
        connection.login(server.user, server.password)
    else:
        _log_in_in_utf8(connection, server)


def hand_over(connection: smtplib.SMTP, parcel: Parcel, server: Server) -> None:
    """The mail itself. Raises what ``smtplib`` raises, and :class:`Unsure` when the server may have taken it."""
    connection.ehlo_or_helo_if_needed()
    if parcel.international and not connection.has_extn("smtputf8"):
        raise Missing("smtputf8")
    options = ["SMTPUTF8", "BODY=8BITMIME"] if parcel.international else []
    if connection.has_extn("size"):
        options.append(f"SIZE={len(parcel.content)}")
    code, words = connection.mail(parcel.sender, options)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, words, parcel.sender)
    code, words = connection.rcpt(parcel.recipient)
    if code not in (250, 251):
        raise smtplib.SMTPRecipientsRefused({parcel.recipient: (code, words)})
    code, words = connection.docmd("DATA")
    if code != 354:
        raise smtplib.SMTPDataError(code, words)
    # In one piece with its end: as long as this fails the server cannot have all of it.
    content = parcel.content if parcel.content.endswith(b"\r\n") else parcel.content + b"\r\n"
    connection.send(_DOT.sub(b"..", content) + b".\r\n")
    code, words = _last_answer(connection, server)
    if code != 250:
        raise smtplib.SMTPDataError(code, words)


def _last_answer(connection: smtplib.SMTP, server: Server) -> tuple[int, bytes]:
    try:
        _wait_at_most(connection, max(server.timeout, server.patience))
        answer = connection.getreply()
        _wait_at_most(connection, server.timeout)
    except (smtplib.SMTPException, OSError) as error:
        raise Unsure(str(error)) from error
    return answer


def _wait_at_most(connection: smtplib.SMTP, seconds: float) -> None:
    if connection.sock is not None:
        connection.sock.settimeout(seconds)


def _log_in_with_token(connection: smtplib.SMTP, user: str, get: Callable[[], str]) -> None:
    """SASL XOAUTH2; an error comes as a challenge, which wants an empty answer before the server says it plainly."""
    try:
        words = f"user={user}\x01auth=Bearer {get()}\x01\x01"
    except DeliveryFailed as failure:
        raise Unsigned(failure.sentence) from failure
    connection.auth("XOAUTH2", lambda challenge=None: words if challenge is None else "")


def _log_in_in_utf8(connection: smtplib.SMTP, server: Server) -> None:
    """SASL PLAIN is UTF-8 (RFC 4616); ``smtplib`` writes ASCII only."""
    words = base64.b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
    code, answer = connection.docmd("AUTH", f"PLAIN {words}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _addresses(mail: EmailMessage, name: str) -> list[Any]:
    return list(mail[name].addresses) if mail[name] is not None else []
