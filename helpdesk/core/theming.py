"""Themes: a folder with theme.toml, templates/ and static/. What a theme has wins over core and plugins."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import has_app_context
from jinja2 import BaseLoader, Environment, TemplateNotFound

from helpdesk.core import settings

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
DEFAULT = "default"


@dataclass(frozen=True)
class Theme:
    """One theme that was found."""

    name: str
    title: str
    version: str
    folder: Path

    @property
    def templates(self) -> Path:
        return self.folder / "templates"

    @property
    def static(self) -> Path:
        return self.folder / "static"

    @property
    def stylesheet(self) -> Path | None:
        path = self.static / "theme.css"
        return path if path.is_file() else None


def find_themes(folders: list[Path]) -> dict[str, Theme]:
    """The themes in ``folders``; an earlier folder wins over a later one of the same name."""
    found: dict[str, Theme] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/theme.toml")) if folder.is_dir() else ():
            theme = _read(path)
            if theme is not None:
                found.setdefault(theme.name, theme)
    return found


def _read(path: Path) -> Theme | None:
    name = path.parent.name
    if not _NAME.fullmatch(name):
        return None
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return Theme(name, str(about.get("title", name)), str(about.get("version", "")), path.parent)


class ThemeLoader(BaseLoader):
    """Finds a template in the theme that is in use; another theme makes the old one stale at once."""

    def __init__(self, themes: dict[str, Theme]) -> None:
        self.themes = themes

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        name = current_name()
        theme = self.themes.get(name)
        if theme is None or ".." in template.split("/"):
            raise TemplateNotFound(template)
        path = theme.templates / template
        try:
            source, stamp = path.read_text(encoding="utf-8"), path.stat().st_mtime_ns
        except OSError:
            raise TemplateNotFound(template) from None

        def fresh() -> bool:
            try:
                return current_name() == name and path.stat().st_mtime_ns == stamp
            except OSError:
                return False

        return source, str(path), fresh


class BaseTemplates(BaseLoader):
    """Wraps the loaders below the theme: a template from there is stale once the theme brings its own."""

    def __init__(self, loader: BaseLoader, themes: dict[str, Theme]) -> None:
        self.loader, self.themes = loader, themes

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool]]:
        source, filename, uptodate = self.loader.get_source(environment, template)
        name = current_name()

        def fresh() -> bool:
            return current_name() == name and (uptodate is None or uptodate())

        return source, filename, fresh


def current_name() -> str:
    """The name of the theme in use."""
    if not has_app_context():
        return DEFAULT
    return settings.get(settings.DeskSettings).theme
