"""The port at which the owner's own mail server hands mail over, as long as the setting names one."""

import threading
from typing import TYPE_CHECKING

from flask import Flask, current_app

from helpdesk.api import db, settings
from helpdesk_email.settings import IncomingSettings

if TYPE_CHECKING:
    from helpdesk_email.lmtp import Listener

# The setting is looked at so often.
_LOOK = 2.0


def listen(stop: threading.Event) -> None:
    """The service: a port as long as the setting names one."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    listener: Listener | None = None
    place = ""
    try:
        while not stop.is_set():
            wanted = settings(IncomingSettings).listen_lmtp
            # Nothing of the database is held while we wait.
            db.session.remove()
            if wanted != place:
                if listener is not None:
                    listener.stop()
                    listener = None
                place = wanted
                listener = _begun(app, place) if place else None
            stop.wait(_LOOK)
    finally:
        if listener is not None:
            listener.stop()


def _begun(app: Flask, place: str) -> "Listener":
    # With aiosmtpd: only where a port is wanted.
    from helpdesk_email.lmtp import begun

    return begun(app, place)
