"""Themes: list them, make one, look one through, choose one."""

import logging
import sys
from functools import partial
from typing import Any

import click
from flask import current_app

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core import audit, settings, theming
from helpdesk.core.config import Config
from helpdesk.core.settings import DeskSettings
from helpdesk.core.theming import Finding, Theme, ThemeError
from helpdesk.core.transaction import transaction


@click.group("theme")
@click.pass_context
def theme_command(context: click.Context) -> None:
    """List themes, make one, look one through and choose one."""
    # The commands say themselves what was left out and why; the log would say it again.
    log = logging.getLogger(theming.__name__)
    context.call_on_close(partial(log.setLevel, log.level))
    log.setLevel(logging.ERROR)


@theme_command.command("list")
@json_option
@in_app
def list_themes(as_json: bool) -> None:
    """List the themes that are there, with those that cannot be used and why.

    They come with the desk, from installed packages, and from the home's folder themes/.

    Example: helpdesk theme list
    """
    used = theming.used_name()
    found = theming.themes()
    rows: list[dict[str, Any]] = [
        {
            "name": theme.name,
            "title": theme.title,
            "version": theme.version,
            "used": theme.name == used,
            "origin": theme.origin,
            "extends": theme.extends,
            "folder": str(theme.folder),
            "problem": None,
        }
        for theme in found.values()
    ]
    rows += [
        {
            "name": one.name,
            "title": None,
            "version": None,
            "used": False,
            "origin": one.origin,
            "extends": None,
            "folder": one.folder,
            "problem": str(one.problem),
        }
        for one in found.left_out
    ]
    print_rows(rows, ("name", "title", "version", "used", "problem", "folder"), as_json, "There is no theme.")


@theme_command.command()
@click.argument("name")
@json_option
@in_app
def use(name: str, as_json: bool) -> None:
    """Give all pages the look of a theme; every process follows within two seconds.

    Example: helpdesk theme use ember
    """
    _named(name)
    settings.save(DeskSettings, {"theme": name}, None)
    print_result({"theme": name}, f"The desk looks like {name} now.", as_json)


@theme_command.command()
@click.argument("name")
@click.option("--extends", default="default", show_default=True, help="The theme that it builds on.")
@click.option("--title", default="", help="What people call it (default: the name).")
@json_option
@in_app
def new(name: str, extends: str, title: str, as_json: bool) -> None:
    """Write a new theme into the home's folder themes/; it works at once.

    Example: helpdesk theme new harbour --title "Harbour"
    """
    config: Config = current_app.config["HELPDESK"]
    try:
        folder = theming.make_theme(theming.themes(), config.paths.themes, name, title, extends)
    except ThemeError as error:
        raise Impossible(str(error)) from error
    with transaction():
        audit.record("theme.made", None, name)
    sentence = f"The theme {name} is in {folder}; change theme.toml there, then run 'helpdesk theme use {name}'."
    print_result({"name": name, "folder": str(folder)}, sentence, as_json)


@theme_command.command()
@click.argument("name", required=False)
@json_option
@in_app
def check(name: str | None, as_json: bool) -> None:
    """Look a theme through: its files, templates, style sheet and contrasts; all themes without NAME.

    It ends with status 1 when something of a theme cannot be used.

    Example: helpdesk theme check ember
    """
    found = theming.themes()
    themes = [_named(name)] if name is not None else list(found.values())
    rows = [_row(theme, one) for theme in themes for one in theming.check(found, theme)]
    if name is None:
        rows += [{"theme": one.name, "level": "problem", "sentence": str(one.problem)} for one in found.left_out]
    if as_json:
        print_rows(rows, (), as_json, "")
    else:
        for row in rows:
            click.echo(f"{row['theme']}: {row['level']}: {row['sentence']}")
        click.echo(_summary(len(themes), rows))
    if any(row["level"] == "problem" for row in rows):
        sys.exit(1)


def _row(theme: Theme, one: Finding) -> dict[str, Any]:
    return {"theme": theme.name, "level": "problem" if one.bad else "warning", "sentence": str(one.sentence)}


def _summary(themes: int, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "All is well." if themes == 1 else f"All is well with {themes} themes."
    problems = sum(row["level"] == "problem" for row in rows)
    return f"{_counted(problems, 'problem')}, {_counted(len(rows) - problems, 'warning')}."


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _named(name: str) -> Theme:
    try:
        return theming.find(theming.themes(), name)
    except ThemeError as error:
        raise Impossible(str(error)) from error
