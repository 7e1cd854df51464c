"""Counters in the database that slow down floods of public forms."""

import hashlib
from datetime import timedelta

from flask import current_app
from flask_babel import gettext as _

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import SignInAttempt
from helpdesk.core.transaction import add_or_find, transaction

WINDOW = timedelta(minutes=10)
# Requests of one kind from one address within the window.
LIMITS = {"ask": 20, "forgot": 10, "register": 10}


class TooMany(Exception):
    """The address sent too many of these; nothing was done with this one."""


def key_of(kind: str, text: str) -> str:
    """What is counted, hashed with the installation's secret: no list of addresses is kept. Case does not matter."""
    folded = text.strip().casefold()
    return hashlib.sha256(f"{kind}:{current_app.secret_key!s}:{folded}".encode()).hexdigest()


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
        over = count(key_of(kind, address), WINDOW).failures > LIMITS[kind]
    if over:
        raise TooMany(_("Too many messages from your connection. Wait ten minutes, then send it again."))
