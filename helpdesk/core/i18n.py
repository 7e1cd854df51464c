"""Languages, catalogs and time zones of the reader."""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import current_app, g, has_request_context, request
from flask_babel import force_locale as _force_locale
from flask_babel import refresh
from flask_login import current_user

from helpdesk.core import settings
from helpdesk.core.settings import locale_choices

SOURCE_LOCALE = "en"
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ckb"}


def html_lang(code: str) -> str:
    """The form that HTML wants: ``zh_Hans`` becomes ``zh-Hans``."""
    return code.replace("_", "-")


def text_direction(code: str) -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if code.split("_")[0] in RIGHT_TO_LEFT else "ltr"


def known_locale(code: str | None) -> str | None:
    """``code`` when the screen speaks that language, else None."""
    return code if code and code in dict(locales()) else None


def locales() -> list[tuple[str, str]]:
    """The languages that the screen speaks, each by its own name, English first."""
    return locale_choices()


def default_locale() -> str:
    """The desk's language."""
    return known_locale(settings.get(settings.DeskSettings).default_locale) or SOURCE_LOCALE


def default_zone() -> str:
    """The desk's time zone."""
    return settings.get(settings.DeskSettings).time_zone


def select_locale() -> str:
    """The reader's language: chosen by the person, by the visit, by the browser, by the desk."""
    if not has_request_context():
        return SOURCE_LOCALE
    chosen = getattr(current_user, "locale", None) if current_user else None
    for code in (g.get("locale"), chosen, request.cookies.get("locale")):
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
    with _force_locale(spoken):
        yield spoken


def use_locale(code: str) -> None:
    """Speak ``code`` for the rest of this request (a customer's link, the language menu)."""
    g.locale = code
    refresh()


# ---- catalogs: .po files of the core and the plugins, merged and compiled into a cache


def compile_catalogs(folders: list[Path], cache: Path) -> tuple[Path, list[str]]:
    """Merge and compile the catalogs of all ``folders`` into ``cache``; return the folder and the languages.

    Folders come in order of weight: the core's first, so that plugins only add. The cache is named by the
    content, written aside and renamed, so that two processes cannot read half a file.
    """
    sources = _sources(folders)
    digest = hashlib.sha256()
    for code, paths in sorted(sources.items()):
        for path in paths:
            digest.update(code.encode() + b"\0" + path.read_bytes())
    target = cache / "translations" / digest.hexdigest()[:20]
    if not target.exists():
        aside = target.with_name(f"{target.name}.{os.getpid()}")
        for code, paths in sources.items():
            folder = aside / code / "LC_MESSAGES"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "messages.mo").write_bytes(_merged(code, paths))
        aside.mkdir(parents=True, exist_ok=True)
        try:
            aside.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target, [SOURCE_LOCALE, *sorted(code for code in sources if code != SOURCE_LOCALE)]


def _sources(folders: list[Path]) -> dict[str, list[Path]]:
    sources: dict[str, list[Path]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/LC_MESSAGES/messages.po")):
            code = path.parent.parent.name
            try:
                Locale.parse(code)
            except (ValueError, UnknownLocaleError):
                current_app.logger.warning("%s is no language; its catalog was left out.", path)
                continue
            sources.setdefault(code, []).append(path)
    return sources


def _merged(code: str, paths: list[Path]) -> bytes:
    merged = Catalog(locale=code)
    for path in paths:
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if (
                    message.id
                    and message.string
                    and not message.fuzzy
                    and merged.get(message.id, message.context) is None
                ):
                    merged.add(message.id, message.string, context=message.context, flags=message.flags)
    buffer = io.BytesIO()
    write_mo(buffer, merged)
    return buffer.getvalue()


def locale_name(code: str) -> str:
    """A language by its own name, e.g. “Deutsch”."""
    locale = Locale.parse(code)
    name = locale.get_display_name(locale) or code
    return name[:1].upper() + name[1:]
