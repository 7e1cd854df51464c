from dataclasses import dataclass

from helpdesk.api import lazy_gettext, setting


@dataclass(frozen=True)
class ParcelSettings:
    greeting: str = setting(
        "Sent by parcel", lazy_gettext("Greeting"), lazy_gettext("Below each answer."), multiline=True
    )
    days: int = setting(3, lazy_gettext("Days"), minimum=1, maximum=30)
    key: str = setting("", lazy_gettext("Key"), secret=True)
    carrier: str = setting("fast", lazy_gettext("Carrier"), choices=[("fast", "Fast"), ("slow", "Slow")])
