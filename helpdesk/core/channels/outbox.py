"""Anything going out: a waiting delivery is rendered in its reader's language and handed to its channel."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core import accounts, files, links, settings
from helpdesk.core.clock import now
from helpdesk.core.drafts import OutgoingFile, OutgoingMessage
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.i18n import speaking
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.ledger import NotYet
from helpdesk.core.markup import text_to_html
from helpdesk.core.models import Delivery, Message, Ticket, User
from helpdesk.core.models.delivery import CANCELLED, FAILED, SENT, WAITING
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel, DeliveryFailed, Reject

# Identities named in References: enough for every mail program to thread, short enough for every server.
_REFERENCES = 20


def deliver(delivery_id: int) -> None:
    """Send one waiting delivery (a job). Sent, failed and cancelled ones are left alone.

    Renders outside transactions, asks ``before_delivery_sent``, hands it to the channel, then writes the
    state. Killed in between, it is sent again under the same identity. Raises :class:`NotYet` for a retry.
    """
    delivery = db.session.get(Delivery, delivery_id, options=[joinedload(Delivery.user), joinedload(Delivery.ticket)])
    if delivery is None or delivery.state != WAITING:
        return
    if delivery.address.endswith(".invalid"):
        # RFC 2606: nobody can ever be there; sample customers are.
        _settle(delivery, CANCELLED, _("This is a sample address; nothing is sent to it."))
        return
    channel: Channel | None = manager.current().find("register_channels", delivery.channel)
    if channel is None or channel.send is None:
        raise NotYet(_("The channel “%(name)s” is off.", name=delivery.channel))
    with speaking(_locale_of(delivery)) as locale:
        outgoing = compose(delivery, locale)
        try:
            outgoing = manager.current().before("before_delivery_sent", "outgoing", outgoing=outgoing)
            channel.send(outgoing)
        except Reject as rejection:
            _settle(delivery, CANCELLED, rejection.reason)
        except DeliveryFailed as failure:
            if failure.permanent:
                _settle(delivery, FAILED, failure.sentence)
                return
            _settle(delivery, WAITING, failure.sentence)
            raise NotYet(failure.sentence) from failure
        else:
            _settle(delivery, SENT, "")


def given_up(delivery_id: int, reason: str) -> None:
    """The job ran out of attempts: the delivery is failed and the ticket says so."""
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is not None and delivery.state == WAITING:
        _settle(delivery, FAILED, reason)


def retry(delivery: Delivery) -> None:
    """A person wants a failed or cancelled delivery tried again. Opens a transaction."""
    with transaction():
        if delivery.state in (FAILED, CANCELLED):
            delivery.state = WAITING
            ledger.schedule("core.deliver", delivery_id=delivery.id)


def compose(delivery: Delivery, locale: str) -> OutgoingMessage:
    """What the recipient will read, in the language that is spoken now. Reads only (tokens: one small transaction)."""
    desk = settings.get(settings.DeskSettings)
    user = delivery.user
    outgoing = OutgoingMessage(
        kind=delivery.kind,
        identity=delivery.identity,
        address=delivery.address,
        name=user.name if user else "",
        locale=locale,
        subject=desk.name,
        text="",
        automatic=delivery.kind != "reply",
    )
    if delivery.ticket is not None and user is not None:
        _about_ticket(outgoing, delivery.ticket, user)
    if delivery.kind == "reply" and delivery.message_id is not None:
        _reply(outgoing, delivery)
    elif delivery.kind == "notice":
        _notice(outgoing, desk.name)
    elif delivery.kind in ("invitation", "reset") and user is not None:
        _account(outgoing, delivery.kind, user, desk.name)
    return outgoing


def _about_ticket(outgoing: OutgoingMessage, ticket: Ticket, user: User) -> None:
    outgoing.ticket_number = ticket.number
    outgoing.subject = ticket.subject
    outgoing.reply_token = links.token(links.REPLY, ticket, user)
    outgoing.link = links.follow_url(ticket, user)
    outgoing.link_label = _("Follow your ticket")


def _reply(outgoing: OutgoingMessage, delivery: Delivery) -> None:
    message = db.session.scalars(
        select(Message)
        .where(Message.id == delivery.message_id)
        .options(joinedload(Message.author), selectinload(Message.attachments))
    ).one()
    outgoing.text = message.text
    outgoing.html = message.html or text_to_html(message.text)
    outgoing.author_name = message.author.name if message.author else ""
    outgoing.files = [
        OutgoingFile(file.name, file.content_type, file.size, str(files.path_of(file.sha256)), file.content_id)
        for file in message.attachments
    ]
    outgoing.references = _references(message, delivery)
    outgoing.in_reply_to = outgoing.references[-1] if outgoing.references else None
    if outgoing.in_reply_to:
        outgoing.subject = _("Re: %(subject)s", subject=outgoing.subject)


def _references(message: Message, delivery: Delivery) -> list[str]:
    """The identities of what this recipient has seen of the conversation before, oldest first (RFC 5322, 3.6.4)."""
    came_in = select(Message.created_at, Message.external_id).where(
        Message.ticket_id == message.ticket_id,
        Message.id < message.id,
        Message.visibility == PUBLIC,
        Message.external_id.is_not(None),
        Message.author_id == delivery.user_id,
    )
    went_out = select(Delivery.created_at, Delivery.identity).where(
        Delivery.ticket_id == message.ticket_id,
        Delivery.user_id == delivery.user_id,
        Delivery.id < delivery.id,
    )
    seen = sorted([*db.session.execute(came_in), *db.session.execute(went_out)], key=lambda row: row[0])
    identities = [identity for _at, identity in seen]
    # The first one holds the thread together; of the rest the newest matter.
    return identities if len(identities) <= _REFERENCES else [identities[0], *identities[1 - _REFERENCES :]]


def _notice(outgoing: OutgoingMessage, desk: str) -> None:
    subject = outgoing.subject
    outgoing.subject = _("We have received your message: %(subject)s", subject=subject)
    outgoing.text = _(
        "Thank you for writing to %(desk)s. A person will read your message “%(subject)s” and answer you.\n\n"
        "Your ticket has the number %(number)s. Use the link to follow it or to add something; no account is needed.",
        desk=desk,
        subject=subject,
        number=outgoing.ticket_number,
    )
    outgoing.html = text_to_html(outgoing.text)


def _account(outgoing: OutgoingMessage, kind: str, user: User, desk: str) -> None:
    # Made only now: the secret is in the mail and nowhere at rest. A retry sends a new one.
    secret = accounts.issue_token(kind, user)
    outgoing.link = f"{links.address()}/auth/password/{kind}/{secret}"
    outgoing.link_label = _("Choose a password")
    if kind == accounts.RESET:
        outgoing.subject = _("Choose a new password for %(desk)s", desk=desk)
        outgoing.text = _(
            "Somebody, probably you, asked for a new password for %(desk)s. The link works once, within two hours. "
            "If it was not you, do nothing: your password stays as it is.",
            desk=desk,
        )
    else:
        outgoing.subject = _("Your account at %(desk)s", desk=desk)
        outgoing.text = _(
            "You have an account at %(desk)s. Choose a password to sign in; the link works once, within a week.",
            desk=desk,
        )
    outgoing.html = text_to_html(outgoing.text)


def _locale_of(delivery: Delivery) -> str | None:
    if delivery.user is not None and delivery.user.locale:
        return delivery.user.locale
    return delivery.ticket.locale if delivery.ticket is not None else None


def _settle(delivery: Delivery, state: str, error: str) -> None:
    with transaction():
        db.session.refresh(delivery, with_for_update={"of": Delivery})
        if delivery.state != WAITING:
            return
        delivery.state, delivery.error = state, error
        delivery.attempts += 1
        delivery.sent_at = now() if state == SENT else None
        if state == FAILED and delivery.ticket is not None:
            data = {"address": delivery.address, "reason": error}
            record("delivery_failed", delivery.ticket, None, data, delivery.message)
