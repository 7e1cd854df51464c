"""Where a server stands: on this machine, on its network, or elsewhere."""

import ipaddress
import socket
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses(host: str, port: int) -> Sequence[Address]:
    """All addresses of a name. Raises what ``socket`` raises, and UnicodeError for what can be no name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(place[4][0]).partition("%")[0]) for place in found]


def are_own(found: Sequence[Address]) -> bool:
    """Whether all of them are this machine's or its network's."""
    return all(address.is_loopback or address.is_private for address in found)
