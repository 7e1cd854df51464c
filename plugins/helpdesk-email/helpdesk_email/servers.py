"""Which server a mail leaves by: the one of its mailbox, then all in their order; one that failed rests a while."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from helpdesk.api import DeliveryFailed, db, now, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_email import models, oauth, smtp
from helpdesk_email.settings import EmailSettings

log = logging.getLogger(__name__)

REST = timedelta(minutes=5)
# That a server works is noted so often: not with each mail.
_NOTED = timedelta(minutes=1)


@dataclass(frozen=True)
class Outlet:
    """A server, and the number of its row; None: the one of the settings."""

    server: smtp.Server
    id: int | None = None
    rests_until: datetime | None = None


def send(parcel: smtp.Parcel, preferred: int | None = None) -> None:
    """Hand a mail to the first server that takes it. Raises DeliveryFailed.

    After a failure that only has to do with one server the next is asked at once, unless this one may have taken the
    mail: that is found out by nobody, and it must not be sent twice. It is permanent when every server said so.
    """
    failures = []
    for outlet in in_order(preferred):
        try:
            smtp.send(parcel, outlet.server)
        except smtp.Failed as failed:
            _note(outlet, failed)
            if failed.failure.final:
                raise
            failures.append(failed)
        else:
            _note(outlet, None)
            return
    if not failures:
        raise DeliveryFailed(not_set_up())
    sentence = " ".join(failed.sentence for failed in failures)
    raise DeliveryFailed(sentence, permanent=all(failed.permanent for failed in failures))


def not_set_up() -> str:
    """What to do before a mail can leave."""
    return _("Mail cannot be sent yet. Enter the desk's mail address and the outgoing server in the e-mail settings.")


def in_order(preferred: int | None = None) -> Sequence[Outlet]:
    """The servers as they are to be tried: ``preferred`` (a row's number) first, those that rest last."""
    configured = settings(EmailSettings)
    query = select(models.Server).where(models.Server.active).order_by(models.Server.position, models.Server.id)
    rows = [(row.position, of_row(row, configured)) for row in db.session.scalars(query)]
    main = _of_settings(configured)
    # Nothing is held open while the network is waited for.
    db.session.rollback()
    before = [outlet for position, outlet in rows if position <= 0]
    after = [outlet for position, outlet in rows if position > 0]
    found = [*before, *main, *after]
    found.sort(key=lambda outlet: outlet.id is None or outlet.id != preferred)
    moment = now()
    return sorted(found, key=lambda outlet: outlet.rests_until is not None and outlet.rests_until > moment)


def of_row(row: models.Server, configured: EmailSettings) -> Outlet:
    """A server beside that of the settings."""
    server = smtp.Server(row.host, row.port, row.security, row.username, row.password, configured.domain or "localhost")
    if row.oauth:
        server = replace(server, token=_token(row.id))
    return Outlet(server, row.id, row.rests_until)


def _of_settings(configured: EmailSettings) -> list[Outlet]:
    if not configured.smtp_host:
        return []
    known = main_state(configured)
    return [Outlet(smtp.Server.of(configured), None, known.rests_until if known else None)]


def main_state(configured: EmailSettings) -> models.MainServer | None:
    """How the server of the settings has done; None: nothing was sent by it yet."""
    return db.session.get(models.MainServer, place(configured.smtp_host, configured.smtp_port))


def main_works(configured: EmailSettings) -> None:
    """A test has shown that the server of the settings takes mail: what was wrong with it is over. A transaction."""
    with transaction():
        known = main_state(configured)
        if known is not None:
            known.error, known.failed_at, known.rests_until = "", None, None


def place(host: str, port: int) -> str:
    """What names the server of the settings among those that there were."""
    return f"{host}:{port}"[:300]


def _token(number: int) -> Any:
    def get() -> str:
        return oauth.access_token(db.session.get_one(models.Server, number))

    return get


def _note(outlet: Outlet, failed: smtp.Failed | None) -> None:
    """Keep how it went. That this cannot be written now must not make a mail unsent that was sent."""
    rests = now() + REST if failed is not None and failed.failure.rests else None
    if failed is not None:
        log.warning("Outgoing server %s: %s", outlet.server.host, failed.sentence)
        if failed.failure.permanent and failed.failure.final:
            # The recipient or the mail was refused; the server does well.
            return
    try:
        _write(outlet, failed, rests)
    except Exception:  # noqa: BLE001 - as said above
        log.warning("How outgoing server %s did cannot be noted now.", outlet.server.host, exc_info=True)


def _write(outlet: Outlet, failed: smtp.Failed | None, rests: datetime | None) -> None:
    row = _row(outlet)
    if failed is None and row and not row.error and row.sent_at is not None and row.sent_at > now() - _NOTED:
        return
    with transaction():
        row = _row(outlet)
        if row is None and outlet.id is None:
            row = models.MainServer(place=place(outlet.server.host, outlet.server.port))
            db.session.add(row)
        # A server that was deleted meanwhile has nothing to be noted.
        if row is None:
            return
        if failed is None:
            row.sent_at, row.error, row.rests_until = now(), "", None
            return
        row.failed_at, row.error = now(), failed.sentence
        if rests is not None:
            row.rests_until = rests


def _row(outlet: Outlet) -> models.Server | models.MainServer | None:
    if outlet.id is not None:
        return db.session.get(models.Server, outlet.id)
    return db.session.get(models.MainServer, place(outlet.server.host, outlet.server.port))
