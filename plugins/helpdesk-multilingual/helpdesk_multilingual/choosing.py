"""What languages, levels, kinds and states are called on pages, and what a form offers to choose from."""

from collections.abc import Mapping

from flask_babel import get_locale

from helpdesk.api import gettext as _
from helpdesk.api import locales, pgettext
from helpdesk_multilingual import engines, languages
from helpdesk_multilingual.models import (
    BASIC,
    CANNED,
    CHECKED,
    GOOD,
    LABEL,
    LEVELS,
    MACHINE,
    MAIL,
    MISSING,
    NATIVE,
    OUTDATED,
)

ANY = ""
_NEAR = 6


def name(code: str) -> str:
    """A language in the reader's own."""
    return languages.name_of(code) if code else _("Any language")


def tag(code: str) -> str:
    """A language as the attribute ``lang`` has it."""
    return languages.html_lang(code)


def direction(code: str) -> str:
    """Where its lines begin: ltr or rtl; ``auto`` where the language is not known."""
    return languages.direction(code) if code else "auto"


def offered(*first: str) -> list[tuple[str, str]]:
    """Every language to choose from, by name in the reader's language; those of ``first`` on top."""
    on_top = [code for code in dict.fromkeys(first) if code]
    return [(code, name(code)) for code in on_top] + [one for one in languages.choices() if one[0] not in on_top]


def offered_or_any(*first: str) -> list[tuple[str, str]]:
    """The same with "any language" on top."""
    return [(ANY, name(ANY)), *offered(*first)]


def near(but: str) -> list[tuple[str, str]]:
    """The languages that a message is most likely in: those of the desk, without one."""
    return [(code, name(code)) for code, _own in locales() if code != but][:_NEAR]


def level(key: str) -> str:
    """How well somebody has a language."""
    return dict(levels())[key]


def levels() -> list[tuple[str, str]]:
    """The levels, from little to much."""
    names = {
        BASIC: pgettext("language", "Reads a little"),
        GOOD: pgettext("language", "Reads and writes well"),
        NATIVE: pgettext("language", "First language"),
    }
    return [(key, names[key]) for key in LEVELS]


def kinds() -> list[tuple[str, str]]:
    """What texts there are in several languages."""
    return [(CANNED, _("Canned responses")), (LABEL, _("Names")), (MAIL, pgettext("texts", "Mails"))]


def kind(key: str) -> str:
    """One of them."""
    return dict(kinds())[key]


def state(key: str) -> tuple[str, str, str]:
    """Tone, icon and words of where a text stands; colour is never the only sign."""
    return {
        MISSING: ("grey", "circle-dashed", pgettext("text", "Missing")),
        OUTDATED: ("amber", "alert-triangle", pgettext("text", "Outdated")),
        MACHINE: ("violet", "bolt", pgettext("text", "By a machine")),
        CHECKED: ("green", "check", pgettext("text", "Checked")),
    }[key]


def states() -> list[tuple[str, str]]:
    """Where a text may stand, to narrow a list."""
    return [(key, state(key)[2]) for key in (MISSING, OUTDATED, MACHINE, CHECKED)]


def engine(key: str) -> str:
    """What an engine is called; the key itself where it is gone."""
    return engines.label_of(key)


def reader_locale() -> str:
    """The language of the reader's screen."""
    return str(get_locale() or "en")


def read(form: Mapping[str, str], field: str) -> str:
    """The language that was chosen in a field; "" where there is none of that code."""
    code = form.get(field, "")
    return code if languages.known(code) else ""
