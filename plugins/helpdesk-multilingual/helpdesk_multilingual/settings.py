"""What an owner sets for languages."""

from dataclasses import dataclass

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l


@dataclass(frozen=True)
class MultilingualSettings:
    """How languages are detected, and what translates."""

    detect: bool = setting(
        True, _l("Detect the language of messages"), _l("On this machine; nothing leaves it, and no service is asked.")
    )
    remember: bool = setting(
        True,
        _l("Remember the language of people"),
        _l("Customers who chose no language themselves get their mails in the one that they write in."),
    )
    assign: bool = setting(
        True,
        _l("Give tickets to those who read them"),
        _l("A new ticket in another language goes to somebody there who has that language and the least to do."),
    )
    always: bool = setting(
        False,
        _l("Translate by itself"),
        _l("What arrives is translated for those who cannot read it, before anybody clicks."),
    )
    seconds: int = setting(
        8, _l("Seconds for a translation"), _l("Later, the original is offered instead."), minimum=1, maximum=60
    )
    memory_percent: int = setting(
        75,
        _l("How similar texts of the memory are, in percent"),
        _l("Less similar ones are not shown."),
        minimum=50,
        maximum=100,
    )
    libretranslate_url: str = setting(
        "",
        _l("Address of LibreTranslate"),
        _l("Such as http://translate.example:5000. Empty: it is not used."),
        pattern=r"(https?://\S{1,300})?",
    )
    libretranslate_key: str = setting(
        "", _l("Key for LibreTranslate"), _l("Only if its owner asks for one."), secret=True
    )
    apertium: bool = setting(
        True, _l("Use Apertium"), _l("Where it is installed on the machine of the desk: apt install apertium.")
    )


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """Detection, translation by itself, time-out, engines."""
    return [
        SettingsGroup(
            "multilingual", _l("Languages"), MultilingualSettings, _l("How languages are detected and translated.")
        )
    ]
