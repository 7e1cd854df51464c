"""Themes: a folder with theme.toml, templates/ and static/. What a theme has wins over core and plugins."""

from helpdesk.core.theming.check import Finding, check
from helpdesk.core.theming.finding import INTERVAL, LeftOut, Themes, find
from helpdesk.core.theming.loader import DEFAULT, EXTENSION, ThemeLoader, current_name, prepare, themes, used_name
from helpdesk.core.theming.making import make_theme
from helpdesk.core.theming.sheet import palette, stylesheet
from helpdesk.core.theming.theme import Theme, ThemeError, check_name

__all__ = [
    "DEFAULT",
    "EXTENSION",
    "INTERVAL",
    "Finding",
    "LeftOut",
    "Theme",
    "ThemeError",
    "ThemeLoader",
    "Themes",
    "check",
    "check_name",
    "current_name",
    "find",
    "make_theme",
    "palette",
    "prepare",
    "stylesheet",
    "themes",
    "used_name",
]
