"""A home full of sample data."""

import os
from typing import Any

import click

from helpdesk.cli.frame import Impossible, home_option, json_option, make_app, print_rows
from helpdesk.cli.serve import serve_command
from helpdesk.core import accounts, samples, schema
from helpdesk.core.config import Config, load

HOME = "instance-demo"


@click.command("demo")
@click.option("--serve", is_flag=True, help="Start the desk afterwards.")
@click.option("--host", help="With --serve: address to listen on.")
@click.option("--port", type=int, help="With --serve: port to listen on.")
@home_option
@json_option
@click.pass_context
def demo_command(context: click.Context, serve: bool, host: str | None, port: int | None, as_json: bool) -> None:
    """Fill a home of its own with a believable shop, and print the sign-ins. Safe to repeat.

    The home is --home, HELPDESK_HOME or ./instance-demo; one that is in use for real work is left alone.

    Example: helpdesk demo --serve
    """
    os.environ.setdefault("HELPDESK_HOME", HOME)
    config = load(host=host, port=port)
    rows = _fill(config)
    print_rows(rows, ("role", "name", "sign_in", "password"), as_json, "Nobody can sign in.")
    if serve:
        context.invoke(serve_command, host=host, port=port)
    elif not as_json:
        click.echo(f"\nStart it with: HELPDESK_HOME={config.home} helpdesk serve")


def _fill(config: Config) -> list[dict[str, Any]]:
    with make_app().app_context():
        schema.upgrade()
        if accounts.has_admin() and not samples.has_demo():
            raise Impossible(f"The home {config.home} is in use; choose another folder for the demo with --home.")
        return [
            {"role": one.role, "name": one.name, "sign_in": one.email, "password": one.password}
            for one in samples.load_demo()
        ]
