"""An address of the web as it is written, taken apart: one way to read it, and anything doubtful is refused."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, quote, urlsplit

from flask_babel import gettext as _

from helpdesk.core.requests.errors import FetchRefused

_LONGEST = 2000
_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# The last part of a name that other programs take for a number: 127.1, 0x7f000001, 017700000001 (URL Standard,
# “ends in a number”).
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True)
class Target:
    """Where a request goes. ``host`` is a name in small letters (A-labels) or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What belongs together (RFC 6454)."""
        return self.scheme, self.host, self.port

    @property
    def literal(self) -> IPv4Address | IPv6Address | None:
        """The address, when it is written in place of a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def read(url: str) -> Target:
    """Take an address apart. Raises :class:`FetchRefused` for what is none, or could be read in two ways."""
    # Some readers drop these, and then see another host.
    if len(url) > _LONGEST or any(mark <= " " or mark in "\\\x7f" for mark in url):
        raise _unreadable()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _unreadable() from None
    if parts.scheme not in _PORTS:
        raise FetchRefused(_("The address must begin with https://."))
    if "@" in parts.netloc or port == 0 or parts.netloc.endswith(":"):
        raise _unreadable()
    return Target(parts.scheme, _host(parts), port or _PORTS[parts.scheme], _path(parts))


def _host(parts: SplitResult) -> str:
    written = parts.hostname or ""
    if ":" in written or parts.netloc.startswith("["):
        # With a zone (RFC 6874) it is a neighbour.
        if "%" in written or not parts.netloc.startswith("["):
            raise _unreadable()
        try:
            return str(IPv6Address(written))
        except ValueError:
            raise _unreadable() from None
    try:
        # Wide digits and dots become plain ones here, so what follows looks at what is asked for.
        host = written.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise _unreadable() from None
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _unreadable()
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise _unreadable() from None
    return host


def _path(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path or '/'}{query}", safe="/?:@!$&'()*+,;=%-._~[]|")


def _unreadable() -> FetchRefused:
    return FetchRefused(_("This is no address that can be asked. Write one like https://www.shop.example/page."))
