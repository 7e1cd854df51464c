"""Themes."""

import click
from flask import current_app

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core import settings, theming
from helpdesk.core.settings import DeskSettings


@click.group("theme")
def theme_command() -> None:
    """List themes and choose one."""


@theme_command.command("list")
@json_option
@in_app
def list_themes(as_json: bool) -> None:
    """List the themes that are there; put your own into the home's folder themes/.

    Example: helpdesk theme list
    """
    used = theming.current_name()
    rows = [
        {
            "name": theme.name,
            "title": theme.title,
            "version": theme.version,
            "used": theme.name == used,
            "folder": str(theme.folder),
        }
        for theme in _themes().values()
    ]
    print_rows(rows, ("name", "title", "version", "used", "folder"), as_json, "There is no theme.")


@theme_command.command()
@click.argument("name")
@json_option
@in_app
def use(name: str, as_json: bool) -> None:
    """Give all pages the look of a theme, at once.

    Example: helpdesk theme use ember
    """
    if name not in _themes():
        raise Impossible(f"There is no theme “{name}”; there are {', '.join(sorted(_themes()))}.")
    settings.save(DeskSettings, {"theme": name}, None)
    print_result({"theme": name}, f"The desk looks like {name} now.", as_json)


def _themes() -> dict[str, theming.Theme]:
    found: dict[str, theming.Theme] = current_app.extensions["helpdesk.themes"]
    return found
