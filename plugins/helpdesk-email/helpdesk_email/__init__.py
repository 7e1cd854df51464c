"""E-mail as a channel of the help desk: mail becomes tickets, replies leave by SMTP in the same thread."""

from flask import Blueprint

from helpdesk.api import Channel, SettingsGroup, hookimpl
from helpdesk.api import lazy_gettext as _l
from helpdesk_email import blocking as blocking
from helpdesk_email import channel, fetching
from helpdesk_email import mailbox_pages as mailbox_pages
from helpdesk_email import models as models
from helpdesk_email import posting as posting
from helpdesk_email import rule_pages as rule_pages
from helpdesk_email import server_pages as server_pages
from helpdesk_email.accepting import before_message_accepted as before_message_accepted
from helpdesk_email.background import register_jobs as register_jobs
from helpdesk_email.background import register_schedules as register_schedules
from helpdesk_email.background import register_services as register_services
from helpdesk_email.blueprint import pages
from helpdesk_email.personal import erase_personal_data as erase_personal_data
from helpdesk_email.personal import export_personal_data as export_personal_data
from helpdesk_email.rooms import admin_rooms as admin_rooms
from helpdesk_email.rooms import register_acts as register_acts
from helpdesk_email.rooms import register_permissions as register_permissions
from helpdesk_email.rooms import ticket_actions as ticket_actions
from helpdesk_email.settings import AnswerSettings, EmailSettings, IncomingSettings, OutgoingSettings


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """The mailbox and the server that mail leaves by, then what few change."""
    return [
        SettingsGroup("email", _l("E-mail"), EmailSettings, _l("How the desk receives and sends mail.")),
        SettingsGroup("email_incoming", _l("E-mail: what comes in"), IncomingSettings),
        SettingsGroup("email_answers", _l("E-mail: automatic answers"), AnswerSettings),
        SettingsGroup("email_outgoing", _l("E-mail: what goes out"), OutgoingSettings),
    ]


@hookimpl
def register_channels() -> list[Channel]:
    """The way in and out."""
    return [
        Channel(
            "email",
            _l("E-mail"),
            parse=channel.parse,
            send=channel.send,
            new_identity=channel.new_identity,
            describe=channel.describe,
            check=channel.check,
            per_minute=channel.per_minute,
            fetch=fetching.poll_now,
        )
    ]


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages for owners, and the one that providers post mail to."""
    return [pages]
