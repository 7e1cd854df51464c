"""The names that an object has in other languages, in the owner's forms."""

from collections.abc import Container

from flask import request

from helpdesk.core import i18n


def languages(named: Container[str]) -> list[tuple[str, str, str]]:
    """Code, name and direction of each language that a form asks a name for.

    All that the desk speaks but its own, in which the row's name is; that one too when a name is kept for it.
    """
    own = i18n.default_locale()
    found = [(code, name) for code, name in i18n.locales() if code != own or code in named]
    return [(code, name, i18n.text_direction(code)) for code, name in found]


def typed(prefix: str = "text") -> dict[str, str]:
    """What a form says for each language that the desk speaks."""
    codes = [code for code, _name in i18n.locales()]
    return {code: request.form[f"{prefix}_{code}"] for code in codes if f"{prefix}_{code}" in request.form}
