"""Takes mail from the owner's own mail server, by LMTP (RFC 2033) or SMTP: it says yes only when the mail is kept."""

import logging
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax
from flask import Flask

from helpdesk.api import db, keep_incoming
from helpdesk_email.accounts import own_address
from helpdesk_email.fetching import LARGEST

log = logging.getLogger(__name__)

# Mail servers wait for minutes; this ends those that have gone.
_PATIENCE = 300.0
_LONGEST_LINE = 4 * 1024 * 1024


def begun(app: Flask, place: str) -> "Listener":
    """A listener that runs, at a place like ``127.0.0.1:2525``."""
    host, _colon, port = place.rpartition(":")
    listener = Listener(_Desk(app), hostname=host.strip("[]"), port=int(port), ready_timeout=30.0)
    listener.start()
    log.info("Mail is taken in at %s.", place)
    return listener


class Listener(Controller):
    """A port, with a thread of its own."""

    def factory(self) -> SMTP:
        """What speaks with one client."""
        return _Door(self.handler, data_size_limit=LARGEST, enable_SMTPUTF8=True, timeout=_PATIENCE, ident="helpdesk")


class _Door(SMTP):
    """One conversation. After LHLO each recipient gets an answer of its own to the mail (RFC 2033, 4.2)."""

    line_length_limit = _LONGEST_LINE

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_lmtp = False
        self._answers = 1

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's names
        """The greeting of LMTP."""
        self._is_lmtp = True
        await super().smtp_EHLO(arg)

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802
        """The greeting of SMTP."""
        self._is_lmtp = False
        await super().smtp_EHLO(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Take the mail."""
        try:
            await super().smtp_DATA(arg)
        finally:
            self._answers = 1

    async def push(self, status: Any) -> None:
        """Answer, as often as the protocol wants it."""
        await super().push("\r\n".join([str(status)] * self._answers))
        if str(status).startswith("354") and self._is_lmtp and self.envelope is not None:
            self._answers = len(self.envelope.rcpt_tos)


class _Desk:
    """What is done with what clients say."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Only mail to us is taken."""
        try:
            account = await server.loop.run_in_executor(None, self._account, address)
        except Exception:
            log.warning("It could not be looked up whose an address is.", exc_info=True)
            return "451 4.3.0 The help desk is busy; please try again later."
        if account is None:
            return "550 5.1.1 No such address at this help desk."
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Say yes once it is kept."""
        try:
            return await server.loop.run_in_executor(None, self._keep, envelope)
        except Exception:
            log.warning("A mail could not be kept; its server tries again.", exc_info=True)
            return "451 4.3.0 The help desk cannot keep it now; please try again later."

    def _account(self, address: str) -> str | None:
        with self._app.app_context():
            try:
                return own_address(address)
            finally:
                db.session.remove()

    def _keep(self, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        recipients = list(dict.fromkeys(envelope.rcpt_tos))
        # The same each time it is sent, so that it is known again.
        lines = [f"Return-Path: <{envelope.mail_from or ''}>", *(f"Delivered-To: {one}" for one in recipients)]
        raw = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape") + content
        if len(raw) > LARGEST:
            return "552 5.3.4 Larger than the help desk takes in."
        with self._app.app_context():
            try:
                keep_incoming("email", raw, account=own_address(recipients[0]) or "")
            finally:
                db.session.remove()
        return "250 2.0.0 Kept"
