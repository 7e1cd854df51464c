"""Counters in the database that slow down floods of public forms, and what is costly."""

import hashlib
import ipaddress
import unicodedata
from datetime import timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, or_

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import SignInAttempt, User
from helpdesk.core.transaction import add_or_find, transaction

WINDOW = timedelta(minutes=10)
# Much longer than any window.
_KEPT = timedelta(days=1)
# Requests of one kind from one address within the window.
LIMITS = {"ask": 20, "forgot": 10, "register": 10}


class TooMany(Exception):
    """The address sent too many of these; nothing was done with this one."""


def key_of(kind: str, text: str) -> str:
    """What is counted, hashed with the installation's secret: no list of addresses is kept.

    Neither case, spaces, the form of Unicode nor what stands behind a plus in an address makes another key.
    """
    folded = "".join(mark for mark in unicodedata.normalize("NFKC", text).casefold() if mark.isprintable())
    name, at, host = unicodedata.normalize("NFKC", folded).replace(" ", "").rpartition("@")
    folded = f"{name.partition('+')[0]}{at}{host}"
    return hashlib.sha256(f"{kind}:{current_app.secret_key!s}:{folded}".encode()).hexdigest()


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that a connection with IPv6 has to itself (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def count(key: str, window: timedelta) -> SignInAttempt:
    """Count one more under ``key``, anew when the window is over. Joins the open transaction."""

    def find() -> SignInAttempt | None:
        return db.session.get(SignInAttempt, key, with_for_update=True)

    moment = now()
    row = find() or add_or_find(SignInAttempt(key=key, failures=0, window_start=moment), find)
    if moment - row.window_start > window:
        row.failures, row.window_start = 0, moment
    row.failures += 1
    return row


def count_request(kind: str, address: str) -> None:
    """Count a request of ``kind`` from a network address. Opens a transaction of its own.

    Raises :class:`TooMany` with a sentence once the limit is reached.
    """
    with transaction():
        over = count(key_of(kind, network_of(address)), WINDOW).failures > LIMITS[kind]
    if over:
        raise TooMany(_("Too many messages from your connection. Wait ten minutes, then send it again."))


def forget_old() -> None:
    """Take away counters whose window and pause are long over. Joins or opens the transaction."""
    is_free = or_(SignInAttempt.blocked_until.is_(None), SignInAttempt.blocked_until < now())
    with transaction():
        db.session.execute(delete(SignInAttempt).where(SignInAttempt.window_start < now() - _KEPT, is_free))


def within_limit(kind: str, user: User | str, most: int) -> bool:
    """Count one more use of something costly by a person; whether they are within ``most`` in ten minutes.

    ``kind`` names what is counted, with the plugin in front of it: ``email.test``. Strangers are counted by a text:
    ``network_of`` their address, or the same text for all of them. Opens a transaction of its own, or joins the open
    one: what that one takes back was not counted.
    """
    with transaction():
        return count(key_of(kind, user if isinstance(user, str) else f"#{user.id}"), WINDOW).failures <= most
