"""What commands share: the application around them, and how they print."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

import click
from flask import Flask
from flask_babel import force_locale

from helpdesk.app import create_app
from helpdesk.core import accounts, i18n, schema
from helpdesk.core.backups import bond
from helpdesk.core.backups.errors import BackupError
from helpdesk.core.config import load
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.plugins import manager

_F = TypeVar("_F", bound=Callable[..., Any])

# Characters of a line that is not shown on a terminal, and those that a column keeps on a narrow one.
_WIDE, _NARROW = 1000, 8

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one line for each.")


no_backup_option = click.option("--no-backup", is_flag=True, help="Migrate without a backup of the database before.")


def back_up_first(no_backup: bool, owner: str | None = None) -> None:
    """Back up a database that is about to be migrated, and say where. In an app context.

    Raises :class:`Impossible`, and WrongDatabase when it is not this home's.
    """
    bond.check()
    if no_backup:
        return
    try:
        path = schema.back_up_first(owner)
    except BackupError as error:
        raise Impossible(f"{error} Nothing was migrated; --no-backup goes on without one.") from error
    if path is not None:
        click.echo(f"The database as it was is in {path}.")


def _use_home(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    # As a variable, so that the processes that a command starts use the same home.
    if value is not None:
        os.environ["HELPDESK_HOME"] = value


home_option = click.option(
    "--home",
    type=click.Path(file_okay=False),
    callback=_use_home,
    expose_value=False,
    is_eager=True,
    help="Folder of the installation (default: HELPDESK_HOME, or ./instance).",
)


class OutOfDate(Exception):
    """The database must be migrated first."""


class Impossible(Exception):
    """What was asked for cannot be done; the text is a sentence that says why and what to do."""


def make_app(**options: Any) -> Flask:
    """The application of the home that the environment names."""
    return create_app(load(**options))


def in_app(function: _F) -> _F:
    """Run a command in an app context with a database that is up to date."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with desk():
            return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


@contextmanager
def desk() -> Iterator[Flask]:
    """An app context around a database that is up to date, in the operator's language.

    Raises :class:`OutOfDate`, and :class:`Impossible` where there is no desk.
    """
    require_home()
    app = make_app()
    with opened(app):
        require_current()
        with force_locale(_language()):
            yield app


def require_home() -> None:
    """Raise :class:`Impossible` where there is no desk: a command that is mistaken about the place makes none."""
    home = load().paths
    if not home.is_made:
        raise Impossible(f"There is no desk in {home.root}; name its folder by HELPDESK_HOME, or run 'helpdesk init'.")


@contextmanager
def opened(app: Flask) -> Iterator[None]:
    """The app context of an application whose database may be of any age; its connections are closed afterwards."""
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def _language() -> str:
    """The language of the operator's terminal if the desk speaks it, else the desk's own."""
    wanted = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return i18n.match(wanted.split(".")[0], [code for code, _name in i18n.locales()]) or i18n.default_locale()


def require_current() -> None:
    """Raise :class:`OutOfDate` unless the database fits the code (a newer one, or another home's, says so itself).

    Plugins whose tables do not fit are left out; the desk goes on.
    """
    bond.check()
    core = schema.revision(schema.histories()[0])
    if core.database is None:
        raise OutOfDate("This home has no database yet; run 'helpdesk init' (or 'helpdesk serve') first.")
    if not core.is_current:
        raise OutOfDate("The database does not fit this version; run 'helpdesk db upgrade' first.")
    schema.leave_out_unready()


def plugin_command(name: str) -> click.Command | None:
    """The group that a plugin contributes under its own name, or None."""
    if not load().paths.is_made:
        return None
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
    # Imported only here: a worker never prints a table, and rich is large.
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        longest = max(len(_cell(row.get(column))) for row in found)
        table.add_column(column.replace("_", " "), no_wrap=True, min_width=min(longest, _NARROW))
    for row in found:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    # A row is a line: shortened on a terminal, whole where another program reads it.
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def print_result(row: dict[str, Any], sentence: str, as_json: bool) -> None:
    """One result: a sentence for people, or JSON."""
    click.echo(json.dumps(row, default=_plain, ensure_ascii=False) if as_json else sentence)


def user_named(email: str) -> User:
    """The user with that address. Raises :class:`Impossible`."""
    if not email.strip():
        raise Impossible("Name somebody by the e-mail address; 'helpdesk user list' shows who there is.")
    user = accounts.account_of(email)
    if user is None:
        raise Impossible(f"There is no user {email}; 'helpdesk user list' shows who there is.")
    return user


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    # Square brackets are markup to rich.
    return str(value).replace("[", "\\[")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
