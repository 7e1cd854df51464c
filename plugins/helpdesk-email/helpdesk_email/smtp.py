"""The way out: SMTP, with one clear sentence for whatever goes wrong."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage

from helpdesk.api import DeliveryFailed
from helpdesk.api import gettext as _
from helpdesk_email.outgoing import one_line
from helpdesk_email.settings import NONE, STARTTLS, TLS, EmailSettings

TIMEOUT = 20.0


@dataclass(frozen=True)
class Server:
    """Where mail leaves by, and how. ``name`` is what we call ourselves."""

    host: str
    port: int
    security: str = STARTTLS
    user: str = ""
    password: str = ""
    name: str = "localhost"
    timeout: float = TIMEOUT

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


def send(mail: EmailMessage, recipient: str, envelope_sender: str, server: Server) -> None:
    """Hand one mail to the server. ``envelope_sender`` "" is the null sender of automatic answers (RFC 3834, 3.3).

    Raises ``DeliveryFailed``: permanent when the server refuses this mail or its recipient for good, temporary
    (tried again) for everything that another time or another setting can mend.
    """
    with explained(server, recipient):
        connection = connect(server)
        try:
            log_in(connection, server)
            connection.send_message(mail, envelope_sender, [recipient])
        finally:
            # Once the server has taken the mail, nothing that happens on the way out makes it not sent.
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()


def connect(server: Server) -> smtplib.SMTP:
    """An open connection, encrypted as the settings say. Raises what ``smtplib`` and ``ssl`` raise."""
    arguments = (server.host, server.port, server.name)
    if server.security == TLS:
        return smtplib.SMTP_SSL(*arguments, timeout=server.timeout, context=ssl.create_default_context())
    connection = smtplib.SMTP(*arguments, timeout=server.timeout)
    if server.security == NONE:
        return connection
    try:
        connection.starttls(context=ssl.create_default_context())
    except BaseException:
        connection.close()
        raise
    return connection


def log_in(connection: smtplib.SMTP, server: Server) -> None:
    """Sign in where a user name is set. Raises what ``smtplib`` raises."""
    if server.user:
        connection.login(server.user, server.password)


@contextmanager
def explained(server: Server, recipient: str = "") -> Iterator[None]:
    """Turn every error of the block into a ``DeliveryFailed`` with a sentence."""
    try:
        yield
    except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
        sentence, permanent = explain(error, server, recipient)
        raise DeliveryFailed(sentence, permanent=permanent) from error


def explain(error: Exception, server: Server, recipient: str = "") -> tuple[str, bool]:
    """One sentence for what went wrong, and whether trying again is of no use."""
    if isinstance(error, smtplib.SMTPException):
        return _explain_smtp(error, server, recipient)
    host = server.host
    if isinstance(error, ssl.SSLCertVerificationError):
        return _(
            "The certificate of %(host)s is not valid for that name (%(reason)s). Check the server name.",
            host=host,
            reason=error.verify_message,
        ), False
    if isinstance(error, ssl.SSLError):
        return _(
            "%(host)s does not speak TLS on port %(port)s. Choose another security or port.",
            host=host,
            port=server.port,
        ), False
    if isinstance(error, socket.gaierror | UnicodeError):
        return _("There is no server named %(host)s. Check the name of the outgoing server.", host=host), False
    if isinstance(error, ConnectionRefusedError):
        return _(
            "%(host)s does not answer on port %(port)s. Check server and port, and that the server runs.",
            host=host,
            port=server.port,
        ), False
    if isinstance(error, TimeoutError):
        return _silent(server), False
    return _("The connection to %(host)s failed: %(reason)s.", host=host, reason=one_line(str(error))[:200]), False


def said(error: smtplib.SMTPResponseException) -> str:
    """The server's own words."""
    return _words(error.smtp_code, error.smtp_error)


def _explain_smtp(error: smtplib.SMTPException, server: Server, recipient: str) -> tuple[str, bool]:
    host = server.host
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()), (0, b""))
        # 530: "authentication required" is about us, not about the recipient.
        return _(
            "%(host)s refused the address %(address)s: %(words)s",
            host=host,
            address=recipient,
            words=_words(code, words),
        ), 500 <= code < 600 and code != 530
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("%(host)s did not accept the user name and password: %(words)s", host=host, words=said(error)), False
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _(
            "%(host)s refused the sender %(address)s: %(words)s", host=host, address=error.sender, words=said(error)
        ), error.smtp_code == 552
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _explain_missing(server, recipient)
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        return _silent(server), False
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _("%(host)s closed the connection. Check port and security, or try again later.", host=host), False
    if isinstance(error, smtplib.SMTPDataError):
        return _("%(host)s refused the message: %(words)s", host=host, words=said(error)), 500 <= error.smtp_code < 600
    if isinstance(error, smtplib.SMTPResponseException):
        return _("%(host)s answered: %(words)s", host=host, words=said(error)), False
    return _("%(host)s and this desk did not understand each other: %(reason)s.", host=host, reason=str(error)), False


def _silent(server: Server) -> str:
    return _(
        "%(host)s did not answer within %(seconds)s seconds. Check port and security, or try again later.",
        host=server.host,
        seconds=f"{server.timeout:g}",
    )


def _explain_missing(server: Server, recipient: str) -> tuple[str, bool]:
    """The server lacks an extension that was needed."""
    if not recipient.isascii():
        return _(
            "%(host)s cannot send to addresses with letters outside ASCII, such as %(address)s.",
            host=server.host,
            address=recipient,
        ), True
    if server.security == STARTTLS:
        return _(
            "%(host)s does not offer STARTTLS on port %(port)s. Choose TLS (often port 465), or none.",
            host=server.host,
            port=server.port,
        ), False
    return _("%(host)s does not ask for a user name. Leave it empty.", host=server.host), False


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}")[:300]
