"""Servers that mail is fetched from: who we are there, and how the line is protected."""

import ssl
import zlib
from dataclasses import dataclass

from helpdesk.api import DeliveryFailed
from helpdesk.api import gettext as _
from helpdesk_email import network
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import NONE

TIMEOUT = 30.0


class AccessFailed(DeliveryFailed):
    """A server could not be used. A DeliveryFailed, since the servers that mail leaves by ask for tokens, too."""


class SignInFailed(AccessFailed):
    """The server, or whoever gives out tokens for it, did not accept us."""


@dataclass(frozen=True)
class Source:
    """A mailbox as its server knows it, apart from the database: nothing of it is read while the network is waited for.

    ``secret`` is the password, or the token where ``by_token``.
    """

    id: int
    address: str
    kind: str
    host: str
    port: int
    security: str
    username: str
    folder: str
    afterwards: str
    move_to: str
    secret: str = ""
    by_token: bool = False
    timeout: float = TIMEOUT

    @classmethod
    def of(cls, box: Mailbox, secret: str) -> "Source":
        """What the row says, with the password or token that was found for it."""
        same = ("id", "address", "kind", "host", "port", "security", "username", "folder", "afterwards", "move_to")
        return cls(**{name: getattr(box, name) for name in same}, secret=secret, by_token=bool(box.oauth))

    def epoch(self, uidvalidity: int = 0) -> int:
        """In what the names of mails count: another one on another server or folder, as after a change of UIDVALIDITY.

        An owner may point a mailbox to another place whose UIDVALIDITY is by chance the same.
        """
        place = "\0".join((self.host, self.username, self.folder))
        return (zlib.crc32(place.encode()) & 0x7FFF_FFFF) << 32 | uidvalidity & 0xFFFF_FFFF


def context() -> ssl.SSLContext:
    """Certificates are checked, always."""
    return ssl.create_default_context()


def check_protection(host: str, port: int, security: str) -> None:
    """Without encryption only to this machine or network. Raises :class:`AccessFailed`, and what ``socket`` raises."""
    if security != NONE or network.are_own(network.addresses(host, port)):
        return
    raise AccessFailed(
        _(
            "%(host)s is not on this machine or network, so the password would travel for all to read. "
            "Choose TLS or STARTTLS.",
            host=host,
        )
    )


def refused(source: Source, words: str) -> SignInFailed:
    """The server did not accept who we say that we are."""
    if source.by_token:
        return SignInFailed(
            _("%(host)s did not accept the token: %(words)s. Sign in again.", host=source.host, words=words)
        )
    return SignInFailed(
        _("%(host)s did not accept the user name and password: %(words)s", host=source.host, words=words)
    )
