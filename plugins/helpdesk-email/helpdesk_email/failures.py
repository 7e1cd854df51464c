"""What can go wrong on the way out: one sentence for each, what it means for the next attempt, and what helps."""

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpdesk.api import gettext as _
from helpdesk_email import certificates
from helpdesk_email.outgoing import one_line
from helpdesk_email.settings import NONE, TLS

if TYPE_CHECKING:
    from helpdesk_email.smtp import Server

_STATUS = re.compile(r"\b5\.(\d{1,3})\.\d{1,3}\b")
# Enhanced codes that speak of addresses, and mean ours.
_OF_SENDER = frozenset({"5.1.7", "5.1.8"})
_ABOUT_US = re.compile(
    r"relay|authenti|spam|block|black|policy|\bspf\b|dkim|dmarc|reputation|sender|verif|helo|full|quota", re.I
)


class Unsure(smtplib.SMTPException):
    """The server has the whole text and did not say whether it takes it: it may have."""


class Missing(smtplib.SMTPException):
    """The server does not offer an ``extension`` that is needed: starttls, auth, smtputf8."""

    def __init__(self, extension: str) -> None:
        super().__init__(extension)
        self.extension = extension


class Unsigned(smtplib.SMTPException):
    """No token was to be had to sign in with. The text says why."""


class Open(smtplib.SMTPException):
    """Others could read along. The text says why."""


@dataclass(frozen=True)
class Failure:
    """One sentence for what went wrong. ``permanent``: trying again is of no use.

    ``rests``: the server is at fault and is left alone for a while. ``final``: no other server is asked, because it
    would say the same, or because the mail may be under way already. ``unreachable``: nobody is at the address.
    """

    sentence: str
    permanent: bool = False
    rests: bool = False
    final: bool = False
    unreachable: bool = False


def explain(error: Exception, server: "Server", recipient: str = "") -> Failure:
    """What an error of ``smtplib``, ``ssl`` or the network means."""
    if isinstance(error, smtplib.SMTPException):
        return _explain_smtp(error, server, recipient)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(certificates.sentence(error, server.host), rests=True)
    if isinstance(error, ssl.SSLError):
        return Failure(
            _(
                "%(host)s does not speak TLS on port %(port)s. Choose another security or port.",
                host=server.host,
                port=server.port,
            ),
            rests=True,
        )
    return Failure(_network(error, server), rests=True)


def said(error: Exception) -> str:
    """The server's own words, where it said any."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _words(*_refusal(error))
    return _words(error.smtp_code, error.smtp_error) if isinstance(error, smtplib.SMTPResponseException) else ""


def advice(error: Exception, server: "Server") -> list[str]:
    """What usually helps, in sentences."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificates.advice(error)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return [
            _("Many providers want an app password here instead of the one you sign in with."),
            _("The user name is often the whole mail address."),
        ]
    if isinstance(error, smtplib.SMTPSenderRefused):
        return [_("Most servers send only for the address that signs in: compare the user name and the mail address.")]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [_("A server that delivers to its own people only wants a user name and password first.")]
    if isinstance(error, Missing) and error.extension == "auth" and server.security == NONE:
        return [_("Many servers ask for it only over an encrypted connection: choose STARTTLS or TLS.")]
    if isinstance(error, socket.gaierror):
        return [_("Compare it letter by letter with what your provider writes; it often begins with smtp. or mail.")]
    if isinstance(error, smtplib.SMTPServerDisconnected | ssl.SSLError | TimeoutError | ConnectionRefusedError):
        return _port_advice(server)
    return []


def _port_advice(server: "Server") -> list[str]:
    if server.security != TLS and server.port == 465:
        return [_("Port 465 is usually for TLS: choose TLS.")]
    if server.security == TLS and server.port in (25, 587):
        return [_("Port %(port)s is usually for STARTTLS: choose STARTTLS.", port=server.port)]
    if server.port == 25:
        return [_("Many networks let nobody out on port 25: try 587 with STARTTLS or 465 with TLS.")]
    return []


def _network(error: Exception, server: "Server") -> str:
    host = server.host
    if isinstance(error, socket.gaierror | UnicodeError):
        return _("There is no server named %(host)s. Check the name of the outgoing server.", host=host)
    if isinstance(error, ConnectionRefusedError):
        return _(
            "%(host)s does not answer on port %(port)s. Check server and port, and that the server runs.",
            host=host,
            port=server.port,
        )
    if isinstance(error, TimeoutError):
        return _silent(server)
    return _("The connection to %(host)s failed: %(reason)s.", host=host, reason=one_line(str(error))[:200])


def _explain_smtp(error: smtplib.SMTPException, server: "Server", recipient: str) -> Failure:
    host = server.host
    if isinstance(error, Unsure):
        return Failure(
            _("%(host)s went away before it said whether it took the mail. It is sent again.", host=host),
            rests=True,
            final=True,
        )
    if isinstance(error, Missing):
        return _explain_missing(error, server, recipient)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _explain_recipient(error, host, recipient)
    if isinstance(error, smtplib.SMTPSenderRefused):
        words = said(error)
        sentence = _("%(host)s refused the sender %(address)s: %(words)s", host=host, address=error.sender, words=words)
        # 552: too large for this server. Whoever is refused for good as a sender may be welcome elsewhere.
        return Failure(sentence, permanent=error.smtp_code == 552, rests=error.smtp_code < 500)
    if isinstance(error, smtplib.SMTPDataError):
        sentence = _("%(host)s refused the message: %(words)s", host=host, words=said(error))
        permanent = 500 <= error.smtp_code < 600
        return Failure(sentence, permanent=permanent, final=permanent, rests=error.smtp_code == 421)
    return Failure(_server(error, server), rests=True)


def _explain_recipient(error: smtplib.SMTPRecipientsRefused, host: str, recipient: str) -> Failure:
    code, words = _refusal(error)
    sentence = _(
        "%(host)s refused the address %(address)s: %(words)s", host=host, address=recipient, words=_words(code, words)
    )
    # 530: "authentication required" is about us, not about the recipient.
    permanent = 500 <= code < 600 and code != 530
    nobody = permanent and _names_nobody(code, _words(code, words))
    return Failure(sentence, permanent=permanent, final=permanent, rests=code in (421, 530), unreachable=nobody)


def _names_nobody(code: int, words: str) -> bool:
    """Whether a refusal is about the address (RFC 3463, 3.2 and 3.3), and not about us or what we may do.

    Without the numbers of RFC 3463 the words have to do.
    """
    status = _STATUS.search(words)
    if status is not None:
        return status[0] == "5.2.1" or (status[1] == "1" and status[0] not in _OF_SENDER)
    return code in (550, 551, 553) and _ABOUT_US.search(words) is None


def _server(error: smtplib.SMTPException, server: "Server") -> str:
    """What is wrong with the server itself."""
    host = server.host
    if isinstance(error, Open):
        return str(error)
    if isinstance(error, Unsigned):
        return _("Signing in at %(host)s failed: %(reason)s", host=host, reason=str(error))
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("%(host)s did not accept the user name and password: %(words)s", host=host, words=said(error))
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        return _silent(server)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _("%(host)s closed the connection. Check port and security, or try again later.", host=host)
    if isinstance(error, smtplib.SMTPResponseException):
        return _("%(host)s answered: %(words)s", host=host, words=said(error))
    reason = one_line(str(error))[:200]
    return _("%(host)s and this desk did not understand each other: %(reason)s.", host=host, reason=reason)


def _explain_missing(error: Missing, server: "Server", recipient: str) -> Failure:
    host = server.host
    if error.extension == "smtputf8":
        return Failure(
            _(
                "%(host)s cannot send to addresses with letters outside ASCII, such as %(address)s.",
                host=host,
                address=recipient,
            ),
            permanent=True,
        )
    if error.extension == "starttls":
        sentence = _(
            "%(host)s does not offer STARTTLS on port %(port)s. Choose TLS (often port 465), or none.",
            host=host,
            port=server.port,
        )
        return Failure(sentence, rests=True)
    return Failure(_("%(host)s does not ask for a user name. Leave it empty.", host=host), rests=True)


def _silent(server: "Server") -> str:
    return _(
        "%(host)s did not answer within %(seconds)s seconds. Check port and security, or try again later.",
        host=server.host,
        seconds=f"{server.timeout:g}",
    )


def _refusal(error: smtplib.SMTPRecipientsRefused) -> tuple[int, bytes | str]:
    code, words = next(iter(error.recipients.values()), (0, b""))
    return code, words


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}")[:300]
