"""Takes mail from the owner's own mail server, by LMTP (RFC 2033) or SMTP: it says yes only when the mail is kept."""

import asyncio
import logging
import socket
import threading
from contextlib import suppress
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
# So long those who are connected are waited for, once they are hung up on.
_GOODBYE = 5.0


def begun(app: Flask, place: str) -> "Listener":
    """A listener that runs, at a place like ``127.0.0.1:2525``."""
    host, _colon, port = place.rpartition(":")
    listener = Listener(_Desk(app), hostname=host.strip("[]"), port=int(port), ready_timeout=30.0)
    try:
        listener.start()
    except BaseException:
        if not listener.loop.is_closed():
            listener.stop(no_assert=True)
        raise
    log.info("Mail is taken in at %s.", place)
    return listener


class Listener(Controller):
    """A port, with a thread of its own."""

    def __init__(self, handler: "_Desk", **options: Any) -> None:
        super().__init__(handler, **options)
        # Asked for once: everybody would wait while the machine looks for it.
        self._name = socket.getfqdn()
        self._lines: set[asyncio.Transport] = set()

    def factory(self) -> SMTP:
        """What speaks with one client."""
        options = {"data_size_limit": LARGEST, "enable_SMTPUTF8": True, "timeout": _PATIENCE, "ident": "helpdesk"}
        return _Door(self._lines, self.handler, hostname=self._name, **options)

    def stop(self, no_assert: bool = False) -> None:
        """End it. Whoever is connected, or about to be, is hung up on, and does not wait for an answer."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(_GOODBYE)
        super().stop(no_assert)

    async def _hang_up(self) -> None:
        # Nobody else is let in. Who is at this moment is let in first: asyncio would leave that line open for good.
        for port in getattr(self.server, "sockets", ()):
            self.loop.remove_reader(port.fileno())
        while self._lines or len(asyncio.all_tasks()) > 1:
            for line in self._lines:
                line.abort()
            await asyncio.sleep(0.01)

    def _run(self, ready_event: threading.Event) -> None:
        try:
            super()._run(ready_event)
        finally:
            # Where the port cannot be had, the library leaves the loop open, and whoever waits waiting.
            self.loop.close()
            ready_event.set()

    def _trigger_server(self) -> None:
        if self._thread_exception is not None:
            raise self._thread_exception
        super()._trigger_server()


class _Door(SMTP):
    """One conversation. After LHLO each recipient gets an answer of its own to the mail (RFC 2033, 4.2)."""

    line_length_limit = _LONGEST_LINE

    def __init__(self, lines: set[asyncio.Transport], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_lmtp = False
        self._answers = 1
        self._lines = lines
        self._line: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        """Somebody is there."""
        self._line = transport
        self._lines.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody is there any more."""
        if self._line is not None:
            self._lines.discard(self._line)
        super().connection_lost(error)

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
