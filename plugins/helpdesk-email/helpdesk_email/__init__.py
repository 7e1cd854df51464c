"""E-mail as a channel of the help desk: mail becomes tickets, replies leave by SMTP in the same thread."""

from helpdesk.api import Channel, SettingsGroup, hookimpl
from helpdesk.api import lazy_gettext as _l
from helpdesk_email import channel
from helpdesk_email.settings import EmailSettings


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """The mailbox and the server that mail leaves by."""
    return [SettingsGroup("email", _l("E-mail"), EmailSettings, _l("How the desk receives and sends mail."))]


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
        )
    ]
