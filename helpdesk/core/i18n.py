"""Language and time zone of the reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from flask import current_app, g, has_request_context, request
from flask_babel import force_locale as _force_locale
from flask_babel import refresh
from flask_login import current_user

from helpdesk.core import catalogs, languages, settings
from helpdesk.core.catalogs import SOURCE_LOCALE
from helpdesk.core.config import Config
from helpdesk.core.direction import RIGHT_TO_LEFT, leaving_the_page, text_direction
from helpdesk.core.packs import locale_name
from helpdesk.core.settings import locale_choices

__all__ = [
    "RIGHT_TO_LEFT",
    "SOURCE_LOCALE",
    "default_locale",
    "default_zone",
    "fallbacks",
    "html_lang",
    "is_zone",
    "known_locale",
    "locale_name",
    "locales",
    "match",
    "match_accept_language",
    "select_locale",
    "select_zone",
    "speaking",
    "text_direction",
    "use_locale",
]


def html_lang(code: str) -> str:
    """The form that HTML wants: ``zh_Hans`` becomes ``zh-Hans``."""
    return code.replace("_", "-")


def known_locale(code: str | None) -> str | None:
    """``code`` when the screen speaks that language, else None."""
    return code if code and code in dict(locales()) else None


def locales() -> list[tuple[str, str]]:
    """The languages that the screen speaks, each by its own name, English first; at most two seconds old."""
    catalogs.refresh()
    return locale_choices()


def default_locale() -> str:
    """The desk's language."""
    return known_locale(settings.get(settings.DeskSettings).default_locale) or SOURCE_LOCALE


def fallbacks(code: str | None) -> list[str]:
    """In which languages a text is looked for that is wanted in ``code``, the best first.

    ``zh_TW``, ``zh_Hant``, ``zh``, then the desk's language. Whoever has none of them takes any.
    """
    return list(dict.fromkeys([*languages.chain(code), *languages.chain(default_locale())]))


def default_zone() -> str:
    """The desk's time zone."""
    return settings.get(settings.DeskSettings).time_zone


def cookie_name() -> str:
    """The cookie with the language of a visit; where there is https it is bound to the host (RFC 6265bis, 4.1.3.2)."""
    config: Config = current_app.config["HELPDESK"]
    return "__Host-locale" if config.is_https else "locale"


def select_locale() -> str:
    """The reader's language: chosen by the person, by the visit, by the browser, by the desk."""
    if not has_request_context():
        return SOURCE_LOCALE
    chosen = getattr(current_user, "locale", None) if current_user else None
    for code in (g.get("locale"), chosen, request.cookies.get(cookie_name())):
        if known := known_locale(code):
            return known
    return match_accept_language() or default_locale()


def match_accept_language() -> str | None:
    """The first language of the browser that the screen speaks."""
    codes = [code for code, _name in locales()]
    for wanted in request.accept_languages.values():
        if code := match(wanted, codes):
            return code
    return None


def match(wanted: str, codes: list[str]) -> str | None:
    """The catalog that serves a reader of ``wanted`` (a tag like ``zh-CN``), or None."""
    try:
        locale = Locale.parse(wanted.replace("-", "_"))
    except (ValueError, UnknownLocaleError, TypeError):
        return None
    script = locale.script or _likely_script(locale)
    for candidate in (str(locale), f"{locale.language}_{script}" if script else "", locale.language):
        if candidate in codes:
            return candidate
    return None


def _likely_script(locale: Locale) -> str | None:
    if locale.language != "zh":
        return None
    return "Hant" if locale.territory in ("TW", "HK", "MO") else "Hans"


def select_zone() -> str:
    """The reader's time zone."""
    if has_request_context() and current_user and getattr(current_user, "time_zone", None):
        return str(current_user.time_zone)
    return default_zone()


def is_zone(name: str) -> bool:
    """Whether ``name`` is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@contextmanager
def speaking(code: str | None) -> Iterator[str]:
    """Run a block in another language (a mail in its reader's); yields the language that is spoken."""
    spoken = known_locale(code) or default_locale()
    with _force_locale(spoken), leaving_the_page():
        yield spoken


def use_locale(code: str) -> None:
    """Speak ``code`` for the rest of this request (a customer's link, the language menu)."""
    g.locale = code
    refresh()
