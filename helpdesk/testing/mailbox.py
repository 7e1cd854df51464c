"""A real SMTP server on this machine."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from helpdesk.testing.network import free_port

# Seconds. A busy machine is no fault of the test.
_START_PATIENCE = 120.0


class Mailbox:
    """What the SMTP server of a test was given: ``messages``, and the envelope of each in ``envelopes``.

    ``refuse`` is an answer such as "550 no such person" that is given instead of taking the next messages.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.refuse = ""
        self.host, self.port = "127.0.0.1", 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take one message; called by aiosmtpd in a thread of its own."""
        if self.refuse:
            return self.refuse
        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The messages to one recipient, oldest first."""
        # One that is being taken just now, by another thread, has no envelope yet.
        return [
            message for message, (_, people) in zip(self.messages, self.envelopes, strict=False) if address in people
        ]


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    """A real SMTP server on a free port of this machine; the desk's e-mail plugin, where there is one, sends to it."""
    from aiosmtpd.controller import Controller

    box = Mailbox()
    # Its own name: asked for, the machine may take long to say it.
    options: dict[str, Any] = {"ready_timeout": _START_PATIENCE, "server_hostname": "localhost"}
    controller = Controller(box, hostname=box.host, port=free_port(), **options)
    try:
        controller.start()
        box.port = controller.port
        if "app" in request.fixturenames:
            request.getfixturevalue("app")
            _send_mail_to(box)
        yield box
    finally:
        controller.stop(no_assert=True)


def _send_mail_to(box: Mailbox) -> None:
    from dataclasses import fields

    from helpdesk.core import settings

    group = settings.group("email")
    if group is None:
        return
    wanted = {
        "address": "help@desk.example",
        "smtp_host": box.host,
        "smtp_port": box.port,
        "smtp_security": "none",
        "smtp_user": "",
        "smtp_password": "",
    }
    known = {field.name for field in fields(group.model)}
    settings.save(group.model, {key: value for key, value in wanted.items() if key in known}, None)
