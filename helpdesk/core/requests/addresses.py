"""Which network addresses the desk may speak to: those of the internet, and what an owner has allowed of the rest."""

from ipaddress import IPv4Address, IPv6Address, ip_network

Address = IPv4Address | IPv6Address

_IPV4_IN_IPV6 = (
    # RFC 4291, section 2.5.5.2, and RFC 6052, section 2.1: the last 32 bits are where the packets go.
    ip_network("::ffff:0:0/96"),
    ip_network("64:ff9b::/96"),
)
# Between a provider and its customers (RFC 6598).
_SHARED = ip_network("100.64.0.0/10")
_INTERNET = ip_network("2000::/3")
# These lead on to an IPv4 address that stands inside: 6to4 (RFC 3056), its relays (RFC 3068), Teredo (RFC 4380).
_TUNNELS = (ip_network("2002::/16"), ip_network("192.88.99.0/24"), ip_network("2001::/32"))
# ISATAP (RFC 5214) does too, behind any prefix.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
# Where clouds tell each of their machines its secrets; some of it looks like an ordinary address.
_METADATA = tuple(
    ip_network(text)
    for text in ("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.0/24", "fd00:ec2::/32")
)


def is_public(address: Address) -> bool:
    """Whether it is a machine of the internet, and no way around into a network of one's own."""
    address = _meant(address)
    if any(address in network for network in (*_METADATA, *_TUNNELS)):
        return False
    if isinstance(address, IPv6Address) and (address not in _INTERNET or _is_isatap(address)):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def may_be_allowed(address: Address) -> bool:
    """Whether an owner can allow it: this machine or the network around it, but nothing that hands out secrets."""
    address = _meant(address)
    if any(address in network for network in _METADATA) or address.is_multicast or address.is_unspecified:
        return False
    if address.is_link_local:
        return False
    return address.is_loopback or address.is_private or address in _SHARED or is_public(address)


def _meant(address: Address) -> Address:
    if any(address in network for network in _IPV4_IN_IPV6):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_isatap(address: IPv6Address) -> bool:
    return int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
