"""The plugin's rooms in the administration: who may enter, and what stands on the way to them."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select

from helpdesk.api import (
    Act,
    Action,
    CheckStep,
    Permission,
    Room,
    Ticket,
    User,
    db,
    hookimpl,
    now,
    reader,
    settings,
    within_limit,
)
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_email import servers as servers_of
from helpdesk_email.models import HANDED, Mailbox, MainServer, Server
from helpdesk_email.settings import EmailSettings

MANAGE, BLOCK = "email.manage", "email.block"
# A mailbox whose server is silent for a moment is nothing to call an owner for.
PATIENCE = timedelta(minutes=15)
# Tests of servers and mailboxes by one person within ten minutes: each signs in somewhere, or sends a mail.
TESTS = 10


@hookimpl
def register_permissions() -> list[Permission]:
    """Who looks after mailboxes, servers and rules, and who may block a sender."""
    return [
        Permission(MANAGE, _l("Look after mailboxes, mail servers and rules"), roles=("admin",)),
        Permission(BLOCK, _l("Block the sender of a ticket"), roles=("agent", "supervisor", "admin")),
    ]


@hookimpl
def register_acts() -> list[Act]:
    """What the record calls what is done in these rooms."""
    return [
        Act("email.mailbox_added", _l("Mailbox added")),
        Act("email.mailbox_changed", _l("Mailbox changed")),
        Act("email.mailbox_deleted", _l("Mailbox deleted")),
        Act("email.mailbox_paused", _l("Mailbox paused")),
        Act("email.mailbox_resumed", _l("Mailbox fetched again")),
        Act("email.mailbox_asked", _l("Mail fetched by hand")),
        Act("email.mailbox_begun_anew", _l("Old mail of a mailbox taken in")),
        Act("email.mailbox_secret_made", _l("Secret for posted mail made")),
        Act("email.server_added", _l("Mail server added")),
        Act("email.server_changed", _l("Mail server changed")),
        Act("email.server_deleted", _l("Mail server deleted")),
        Act("email.server_paused", _l("Mail server paused")),
        Act("email.server_resumed", _l("Mail server used again")),
        Act("email.server_moved", _l("Order of mail servers changed")),
        Act("email.rule_added", _l("Mail rule added")),
        Act("email.rule_changed", _l("Mail rule changed")),
        Act("email.rule_deleted", _l("Mail rule deleted")),
        Act("email.rule_moved", _l("Order of mail rules changed")),
        Act("email.sender_blocked", _l("Sender blocked")),
    ]


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """Mailboxes, servers and rules, with what needs attention. One query."""
    main = settings(EmailSettings)
    mailboxes = select(func.count()).where(*failing()).scalar_subquery()
    servers = select(func.count(Server.id)).where(Server.active, Server.error != "").scalar_subquery()
    main_failing = (MainServer.place == servers_of.place(main.smtp_host, main.smtp_port), MainServer.error != "")
    mains = select(func.count(MainServer.place)).where(*main_failing).scalar_subquery()
    boxes, ways_out = db.session.execute(select(mailboxes, servers + mains)).one()
    return [
        Room(_("Mailboxes"), "email.mailboxes", _("Where mail comes from, and how it goes"), "mail", MANAGE, boxes, 10),
        Room(
            _("Mail servers"),
            "email.servers",
            _("What outgoing mail leaves by, in which order"),
            "server",
            MANAGE,
            ways_out,
            20,
        ),
        Room(_("Mail rules"), "email.rules", _("Mail that is ignored or held"), "filter", MANAGE, order=30),
    ]


@hookimpl
def ticket_actions(ticket: Ticket) -> Sequence[Action]:
    """Blocking whoever wrote a ticket by mail."""
    sender = ticket.requester
    if ticket.channel != "email" or not sender.email or sender.is_staff:
        return []
    question = _(
        "Mail from %(address)s will be ignored from now on. This ticket will get the tag “spam” and be closed.",
        address=sender.email,
    )
    values = {"number": ticket.id}
    return [Action(_("Block this sender"), "email.block", values, "post", "circle-x", BLOCK, question, 900)]


def too_many_tests() -> list[CheckStep]:
    """What stands in place of a test of whoever has asked for too many; nothing while they may. Counts this one."""
    if within_limit("email.test", reader(), TESTS):
        return []
    return [CheckStep(_("The test"), False, _("You have tested often just now. Wait ten minutes, then test again."))]


def failing() -> tuple[ColumnElement[bool], ...]:
    """The criteria of mailboxes that have failed for longer than a moment."""
    return (Mailbox.active, Mailbox.kind != HANDED, Mailbox.error != "", Mailbox.failed_at < now() - PATIENCE)
