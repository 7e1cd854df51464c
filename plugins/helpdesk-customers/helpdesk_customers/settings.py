"""What an owner sets for records of customers."""

from dataclasses import dataclass

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l


@dataclass(frozen=True)
class CustomerSettings:
    """What counts for the value, birthdays, and what people may agree to."""

    value_days: int = setting(
        365,
        _l("Days that count for the value"),
        _l("Revenue and number of orders are counted over so many days back."),
        minimum=7,
        maximum=3_650,
    )
    birthday_days: int = setting(
        7,
        _l("Show birthdays so many days before"),
        _l("0: birthdays are not pointed out."),
        minimum=0,
        maximum=60,
    )
    more_purposes: str = setting(
        "",
        _l("More that customers may agree to"),
        _l("Names with commas between them, such as “Product tests”. Offers, news, calls and profiles are there."),
    )
    most_bytes: int = setting(
        2_147_483_648,
        _l("Largest file of an import, in bytes"),
        _l("A file is written to the disk piece by piece; a larger one is refused."),
        minimum=1_048_576,
        maximum=1_099_511_627_776,
    )


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """Days of the value, birthdays, purposes of consents, the size of files."""
    about = _l("What the value of a customer counts, what people may agree to, and how large a file may be.")
    return [SettingsGroup("customers", _l("Customers"), CustomerSettings, about)]
