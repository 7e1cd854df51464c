"""Run the desk: web server and worker together, or each alone."""

import os
import sys
from contextlib import suppress
from dataclasses import replace

import click

from helpdesk import garbage, supervisor, worker
from helpdesk.app import create_app
from helpdesk.cli.frame import back_up_first, home_option, make_app, no_backup_option, require_current
from helpdesk.core import accounts, logs, plugin_packages, schema
from helpdesk.core.config import Config, load

_APPLICATION = "helpdesk.serving:web()"

_host = click.option("--host", help="Address to listen on (default 127.0.0.1).")
_port = click.option("--port", type=int, help="Port to listen on (default 8000).")


@click.command("serve")
@_host
@_port
@home_option
@no_backup_option
def serve_command(host: str | None, port: int | None, no_backup: bool) -> None:
    """Migrate the database (after a backup of it), then run web server and worker until TERM or Ctrl+C.

    Prints the address, and the one-time setup link while there is no administrator.

    Example: helpdesk serve --host 0.0.0.0 --port 8080
    """
    config = load(host=host, port=port)
    config.paths.prepare()
    supervisor.check_port(config.host, config.port)
    with garbage.kept():
        app = make_app(host=host, port=port)
        with app.app_context():
            back_up_first(no_backup)
            schema.upgrade()
    with app.app_context():
        plugin_packages.settle()
        text = f"{welcome(config.address)}\nStop it with Ctrl+C."
    _tell_children(config)
    web = supervisor.web_child(_APPLICATION, config.host, config.port, config.threads)
    work = supervisor.Child("worker", [sys.executable, "-m", "helpdesk.cli", "worker"])
    supervisor.become([web, work], supervisor.Greeting(config.host, config.port, text))


@click.command("web")
@_host
@_port
@home_option
def web_command(host: str | None, port: int | None) -> None:
    """Run the web server alone; workers run elsewhere. The database must be up to date.

    Example: helpdesk web --port 8080
    """
    config = load(host=host, port=port)
    config.paths.prepare()
    supervisor.check_port(config.host, config.port)
    with make_app().app_context():
        require_current()
        plugin_packages.settle()
    _tell_children(config)
    command = supervisor.web_child(_APPLICATION, config.host, config.port, config.threads).command
    sys.stdout.flush()
    os.execv(command[0], list(command))


@click.command("worker")
@home_option
def worker_command() -> None:
    """Run one worker; any number may run. The database must be up to date.

    Example: helpdesk worker
    """
    logs.begin()
    with garbage.kept():
        app = create_app(load(), serves=True)
        with app.app_context():
            require_current()
    worker.run(app)


def welcome(address: str) -> str:
    """The address, and the one-time setup link while there is no administrator. In an app context."""
    lines = [f"The desk is at {address}/"]
    if not accounts.has_admin():
        link = f"{address}/setup/{accounts.issue_token(accounts.SETUP)}"
        lines.append(f"Set it up with this one-time link: {link}")
    return "\n".join(lines)


def _tell_children(config: Config) -> None:
    """The children read the same configuration; options of the command line reach them as variables.

    Whoever examines the desk from another terminal reads where it listens.
    """
    os.environ["HELPDESK_HOST"], os.environ["HELPDESK_PORT"] = config.host, str(config.port)
    # A full disk stops no desk here.
    with suppress(OSError):
        config.paths.listening.write_text(replace(config, public_url="").address, encoding="utf-8")
