"""What commands share: the application around them, and how they print."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

import click
from flask import Flask
from flask_babel import force_locale
from rich.console import Console
from rich.table import Table

from helpdesk.app import create_app
from helpdesk.core import accounts, i18n, schema
from helpdesk.core.config import load
from helpdesk.core.models import User
from helpdesk.plugins import manager

_F = TypeVar("_F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one line for each.")


class OutOfDate(Exception):
    """The database must be migrated first."""


def make_app(**options: Any) -> Flask:
    """The application of the home that the environment names."""
    return create_app(load(**options))


def in_app(function: _F) -> _F:
    """Run a command in an app context with a database that is up to date."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        app = make_app()
        with app.app_context():
            require_current()
            with force_locale(i18n.default_locale()):
                return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


def require_current() -> None:
    """Raise :class:`OutOfDate` unless the database fits the code (a newer one says so itself)."""
    revisions = schema.revisions()
    for revision in revisions:
        if revision.owner == "core" and revision.database is None:
            raise OutOfDate("This home has no database yet; run 'helpdesk init' (or 'helpdesk serve') first.")
    if not all(revision.is_current for revision in revisions):
        raise OutOfDate("The database does not fit this version; run 'helpdesk db upgrade' first.")


def plugin_command(name: str) -> click.Command | None:
    """The group that a plugin contributes under its own name, or None."""
    app = make_app()
    with app.app_context():
        commands = [
            found.item.command for found in manager.current().contributions("register_commands") if found.plugin == name
        ]
    if not commands:
        return None
    group = click.Group(name, help=f"Commands of the plugin {name}.")
    for command in commands:
        group.add_command(_inside(command))
    return group


def _inside(command: click.Command) -> click.Command:
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _inside(inner)
    elif command.callback is not None:
        command.callback = in_app(command.callback)
    return command


def print_rows(rows: Iterable[dict[str, Any]], columns: Sequence[str], as_json: bool, empty: str) -> None:
    """A table for people, or one line of JSON for each row."""
    found = list(rows)
    if as_json:
        for row in found:
            click.echo(json.dumps(row, default=_plain, ensure_ascii=False))
        return
    if not found:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in found:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(soft_wrap=False).print(table)


def print_result(row: dict[str, Any], sentence: str, as_json: bool) -> None:
    """One result: a sentence for people, or JSON."""
    click.echo(json.dumps(row, default=_plain, ensure_ascii=False) if as_json else sentence)


def user_named(email: str) -> User:
    """The user with that address. Raises a usage error that says how to list them."""
    user = accounts.by_email(email)
    if user is None:
        raise click.UsageError(f"There is no user {email}; 'helpdesk user list' shows who there is.")
    return user


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    # Square brackets are markup to rich.
    return str(value).replace("[", "\\[")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
