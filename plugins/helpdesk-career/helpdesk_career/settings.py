"""What an owner sets for careers."""

from dataclasses import dataclass

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l


@dataclass(frozen=True)
class CareerSettings:
    """Who decides about a promotion, and how long is kept what people leave behind."""

    two_people: bool = setting(
        True,
        _l("Promotions need a second person"),
        _l("Whoever proposed somebody does not decide about it."),
    )
    keep_days: int = setting(
        1_095,
        _l("Keep what was recorded so many days after somebody left"),
        _l("Then levels, goals, reviews and everything else of them are deleted. 0: never."),
        minimum=0,
        maximum=36_500,
    )


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """Who decides, and retention."""
    return [
        SettingsGroup("career", _l("Careers"), CareerSettings, _l("Promotions, and how long records are kept.")),
    ]
