"""E-mail as a channel: raw mails in, outgoing messages out, and a test that says exactly what fails."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpdesk.api import (
    DeliveryFailed,
    DeskSettings,
    IntakeDraft,
    OutgoingFile,
    OutgoingMessage,
    now,
    settings,
    speaking,
)
from helpdesk.api import gettext as _
from helpdesk_email import accounts, rendering, servers, signing, smtp
from helpdesk_email import outgoing as letters
from helpdesk_email.checking import check as check
from helpdesk_email.settings import EmailSettings, OutgoingSettings

# The local part of an address may have 64 octets (RFC 5321, 4.5.3.1.1).
_MAX_LOCAL = 64
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Account:
    """In whose name a mail leaves: one of our addresses, and what belongs to it."""

    address: str
    name: str
    signature: str = ""
    # The number of the server that its mail leaves by first.
    server: int | None = None
    # Whether it believes somebody who proves senders, beside those of the settings.
    proves: bool = False


def parse(raw: bytes) -> IntakeDraft:
    """A raw mail as the core takes it in."""
    # With all that is known of how mail is written: not while the desk starts.
    from helpdesk_email import incoming

    return incoming.parse(raw)


def describe(raw: bytes) -> dict[str, Any]:
    """How a raw mail is understood (``helpdesk mail parse --json``); needs no desk."""
    from helpdesk_email import incoming

    return incoming.describe(raw)


def reply_address(address: str, token: str | None) -> str:
    """``address`` with ``token`` in it (``support+token@…``, RFC 5233), or as it is when that gets too long."""
    local, _at, domain = address.rpartition("@")
    if not token or len(f"{local}+{token}".encode()) > _MAX_LOCAL:
        return address
    return f"{local}+{token}@{domain}"


def new_identity() -> str:
    """A Message-ID, without its brackets, that a mail will travel under."""
    return f"{uuid.uuid4().hex}@{settings(EmailSettings).domain or 'helpdesk.invalid'}"


def per_minute() -> int | None:
    """How many mails leave in any minute, whatever the number of servers; None: any number."""
    return settings(EmailSettings).mails_a_minute or None


def send(outgoing: OutgoingMessage) -> None:
    """Send one message. Raises ``DeliveryFailed``; called again for the same one it sends the same Message-ID."""
    account = account_of(outgoing.account)
    if not account.address:
        raise DeliveryFailed(servers.not_set_up())
    try:
        mail = letters.build(_letter(outgoing, account))
    except letters.Unusable as error:
        raise DeliveryFailed(
            _("“%(address)s” is not an address that mail can be sent to.", address=str(error)),
            permanent=True,
            unreachable=True,
        ) from error
    except OSError as error:
        raise DeliveryFailed(_("An attachment could not be read: %(reason)s.", reason=error.strerror)) from error
    # An automatic answer has the null sender, so that no robot answers it (RFC 3834, 3.3).
    sender = "" if outgoing.kind == "notice" else mail["From"].addresses[0].addr_spec
    # What goes wrong is read by those who look after the desk, in its language.
    with speaking(None):
        servers.send(signing.signed(smtp.Parcel.of(mail, sender)), account.server)


def account_of(address: str) -> Account:
    """The mailbox of that address, where there is one that is in use, else the desk's own address."""
    configured = settings(EmailSettings)
    name = configured.sender_name or settings(DeskSettings).name
    box = accounts.mailbox_of(address)
    if box is None or not box.active:
        return Account(configured.address, name)
    return Account(box.address, box.sender_name or name, box.signature, box.server_id, box.proves)


def _letter(outgoing: OutgoingMessage, account: Account) -> letters.Letter:
    configured = settings(EmailSettings)
    sent, linked = _divided(outgoing, settings(OutgoingSettings).largest_attachment_mb * _MEGABYTE)
    text, html = rendering.render(outgoing, account.signature, linked, proves=account.proves)
    shown = account.name
    if configured.agent_in_sender and outgoing.author_name:
        # Translators: sender of a mail, e.g. "Anna Berg (Green Shop)"
        shown = _("%(agent)s (%(desk)s)", agent=outgoing.author_name, desk=account.name)
    token = outgoing.reply_token if configured.plus_addressing else None
    automatic = "auto-replied" if outgoing.kind == "notice" else "auto-generated"
    return letters.Letter(
        sender=(shown, account.address),
        recipient=(outgoing.name, outgoing.address),
        subject=outgoing.subject,
        text=text,
        html=html,
        message_id=outgoing.identity,
        date=now(),
        reply_to=(account.name, reply_address(account.address, token)),
        in_reply_to=outgoing.in_reply_to,
        references=outgoing.references,
        auto_submitted=automatic if outgoing.automatic else "",
        language=outgoing.locale.replace("_", "-"),
        files=[
            letters.OutgoingFile(file.name, file.content_type, Path(file.path).read_bytes(), file.content_id)
            for file in sent
        ],
        loop=account.address,
        unsubscribe=outgoing.unsubscribe,
    )


def _divided(outgoing: OutgoingMessage, limit: int) -> tuple[Sequence[OutgoingFile], Sequence[OutgoingFile]]:
    """The files that are sent along, and those that the mail only has links to because all are too large in sum.

    Pictures that stand in the text are the last to give way, then small files; what has no link is always sent.
    """
    files = list(outgoing.files)
    shown = {file.content_id for file in files if file.content_id and f"cid:{file.content_id}" in outgoing.html}
    sent = [file for file in files if not file.link]
    room = limit - sum(file.size for file in sent)
    for file in sorted(files, key=lambda file: (file.content_id not in shown, file.size)):
        if file.link and file.size <= room:
            sent.append(file)
            room -= file.size
    return [file for file in files if file in sent], [file for file in files if file not in sent]
