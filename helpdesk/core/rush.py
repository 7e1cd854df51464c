"""When many strangers write at once, each is asked to wait a little and send again: people do, floods do not.

It needs no JavaScript and no other company. Each message of a flood then costs two requests with a pause between them,
both of which count for its address.
"""

import secrets
from datetime import timedelta

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from helpdesk.core.clock import now
from helpdesk.core.throttle import WINDOW, count, key_of
from helpdesk.core.transaction import transaction

# So many messages of strangers within the window are a rush.
BUSY = 100
PAUSE = timedelta(seconds=20)
_LASTS = timedelta(hours=1)


class Wait(Exception):
    """Send it again after the pause, with ``note``; the text is a sentence."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Many messages arrive right now. Wait %(seconds)s seconds, then send yours again; nothing is lost.",
                seconds=int(PAUSE.total_seconds()),
            )
        )
        self.note = str(_seal().dumps([int(now().timestamp()), secrets.token_hex(8)]))


def admit(note: str) -> None:
    """Let one message of a stranger through. ``note`` is that of an earlier :class:`Wait`, or "". Its own transaction.

    Raises :class:`Wait` during a rush when the note is none of ours, is too young or too old, or was used before.
    """
    with transaction():
        if count(key_of("rush", "everybody"), WINDOW).failures <= BUSY:
            return
        # Used up in the same breath: of two who send the same note one is let through.
        good = _has_waited(note) and count(key_of("waited", note), _LASTS).failures == 1
    if not good:
        raise Wait


def _has_waited(note: str) -> bool:
    try:
        begun, _chance = _seal().loads(note)
        return PAUSE.total_seconds() <= now().timestamp() - begun <= _LASTS.total_seconds()
    except (BadSignature, TypeError, ValueError):
        return False


def _seal() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="rush")
