"""The test of an outgoing server: step by step, and what exactly fails."""

import smtplib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from helpdesk.api import CheckStep, DeskSettings, now, send_waiting, settings
from helpdesk.api import gettext as _
from helpdesk_email import failures, models, servers, signing, smtp
from helpdesk_email import outgoing as letters
from helpdesk_email.settings import EmailSettings


@dataclass(frozen=True)
class _Test:
    """What is tried: a server, and the mail that it is to take."""

    server: smtp.Server
    sender: str
    recipient: str


def check(address: str) -> list[CheckStep]:
    """Try the server of the settings step by step as it is saved, and send a test mail to ``address``."""
    configured = settings(EmailSettings)
    server = smtp.Server.of(configured) if configured.smtp_host else None
    return _checked(server, configured.address, address)


def check_server(row: models.Server, address: str, mailbox: models.Mailbox | None = None) -> list[CheckStep]:
    """The same for a server beside it. The mail comes from ``mailbox``, where one is given, else from the desk."""
    configured = settings(EmailSettings)
    server = servers.of_row(row, configured).server if row.host else None
    return _checked(server, mailbox.address if mailbox is not None else configured.address, address)


def _checked(server: smtp.Server | None, sender: str, recipient: str) -> list[CheckStep]:
    labels = [_("Connect to the server"), _("Sign in"), _("Send a test mail")]
    if server is None or not sender:
        sentence = _("Enter the desk's mail address and the outgoing server first.")
        return [CheckStep(labels[0], False, sentence), *(CheckStep(label, None) for label in labels[1:])]
    # Somebody waits for it.
    server = replace(server, patience=server.timeout)
    test = _Test(server, sender, recipient)
    steps: list[CheckStep] = []
    connections: list[smtplib.SMTP] = []
    attempts: list[tuple[str, Callable[[], None]]] = [
        (labels[0], lambda: connections.append(smtp.connect(server))),
        (labels[1], lambda: smtp.log_in(connections[0], server)),
        (labels[2], lambda: smtp.hand_over(connections[0], _parcel(test), server)),
    ]
    try:
        for label, attempt in attempts:
            failed = any(step.ok is False for step in steps)
            steps.append(CheckStep(label, None) if failed else _step(label, attempt, test))
    finally:
        for connection in connections:
            connection.close()
    if all(step.ok for step in steps):
        send_waiting("email")
    if problem := signing.problem():
        steps.append(CheckStep(_("Sign with DKIM"), False, problem))
    return steps


def _parcel(test: _Test) -> smtp.Parcel:
    desk = settings(DeskSettings).name
    letter = letters.Letter(
        sender=(settings(EmailSettings).sender_name or desk, test.sender),
        recipient=("", test.recipient),
        subject=_("Test from %(desk)s", desk=desk),
        text=_("This mail shows that %(desk)s can send.", desk=desk),
        html="",
        message_id=f"{uuid.uuid4().hex}@{test.server.name}",
        date=now(),
        auto_submitted="auto-generated",
        loop=test.sender,
    )
    mail = letters.build(letter)
    return signing.signed(smtp.Parcel.of(mail, mail["From"].addresses[0].addr_spec))


def _step(label: str, attempt: Callable[[], None], test: _Test) -> CheckStep:
    begun = time.monotonic()
    try:
        attempt()
    except letters.Unusable as error:
        sentence = _("“%(address)s” is not an address that mail can be sent to.", address=str(error))
        return CheckStep(label, False, sentence)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        failure = failures.explain(error, test.server, test.recipient)
        advice = failures.advice(error, test.server)
        return CheckStep(label, False, failure.sentence, failures.said(error), advice, _since(begun))
    return CheckStep(label, True, milliseconds=_since(begun))


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
