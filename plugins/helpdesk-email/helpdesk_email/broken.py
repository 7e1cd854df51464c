"""What ends a line to a server that mail is fetched from, and in words what went wrong."""

import imaplib
import poplib
import socket
import ssl

from imap_tools.errors import MailboxLoginError, UnexpectedCommandStatusError

from helpdesk.api import DeliveryFailed
from helpdesk.api import gettext as _
from helpdesk_email import certificates
from helpdesk_email.access import Source, refused
from helpdesk_email.outgoing import one_line

# The line is opened anew, or given up with words. A UnicodeError is a name of a server that can be none.
BROKEN = (OSError, EOFError, UnicodeError, imaplib.IMAP4.error, poplib.error_proto, UnexpectedCommandStatusError)
# The standard library's words for a POP3 line that was closed.
_CLOSED = "-ERR EOF"


def is_over(error: BaseException) -> bool:
    """Whether the line is of no use any more; else the server refused one command."""
    closed = isinstance(error, poplib.error_proto) and str(error) == _CLOSED
    return closed or isinstance(error, OSError | EOFError | imaplib.IMAP4.abort)


def explain(error: BaseException, source: Source) -> str:
    """One sentence for what went wrong between the desk and a server that mail is fetched from."""
    host, port = source.host, source.port
    if isinstance(error, DeliveryFailed):
        return error.sentence
    if isinstance(error, MailboxLoginError):
        return refused(source, said(error)).sentence
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificates.sentence(error, host)
    if isinstance(error, ssl.SSLError):
        return _("%(host)s does not speak TLS on port %(port)s. Choose another security or port.", host=host, port=port)
    if isinstance(error, socket.gaierror | UnicodeError):
        return _("There is no server named %(host)s. Check the name of the server.", host=host)
    if isinstance(error, ConnectionRefusedError):
        return _(
            "%(host)s does not answer on port %(port)s. Check server and port, and that the server runs.",
            host=host,
            port=port,
        )
    if isinstance(error, TimeoutError):
        return _(
            "%(host)s did not answer within %(seconds)s seconds. Check port and security, or try again later.",
            host=host,
            seconds=f"{source.timeout:g}",
        )
    if is_over(error) and not isinstance(error, OSError):
        return _("%(host)s closed the connection. Check port and security, or try again later.", host=host)
    if isinstance(error, OSError):
        return _("The connection to %(host)s failed: %(reason)s.", host=host, reason=said(error))
    return _("%(host)s answered: %(words)s", host=host, words=said(error))


def said(error: BaseException) -> str:
    """The other side's own words, on one line."""
    if isinstance(error, UnexpectedCommandStatusError):
        return _words(error.command_result[1])
    return _words(error.args[0] if error.args else str(error))


def _words(found: object) -> str:
    while isinstance(found, list | tuple) and found:
        found = found[0]
    text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
    return one_line(text)[:300]
