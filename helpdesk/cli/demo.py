"""A home full of sample data."""

import click

from helpdesk.cli.frame import json_option, make_app, print_rows
from helpdesk.cli.serve import serve_command
from helpdesk.core import accounts, samples, schema
from helpdesk.core.config import load


@click.command("demo")
@click.option("--serve", is_flag=True, help="Start the desk afterwards.")
@click.option("--host", help="With --serve: address to listen on.")
@click.option("--port", type=int, help="With --serve: port to listen on.")
@json_option
@click.pass_context
def demo_command(context: click.Context, serve: bool, host: str | None, port: int | None, as_json: bool) -> None:
    """Fill a home of its own with a believable shop, and print the sign-ins. Safe to repeat.

    The home is HELPDESK_HOME; one that is in use for real work is left alone.

    Example: HELPDESK_HOME=instance-demo helpdesk demo --serve
    """
    config = load(host=host, port=port)
    with make_app().app_context():
        schema.upgrade()
        if accounts.has_admin() and not samples.has_demo():
            raise click.UsageError(
                f"The home {config.home} is in use; set HELPDESK_HOME to another folder for the demo."
            )
        rows = [
            {"role": one.role, "name": one.name, "sign_in": one.email, "password": one.password}
            for one in samples.load_demo()
        ]
    print_rows(rows, ("role", "name", "sign_in", "password"), as_json, "Nobody can sign in.")
    if serve:
        context.invoke(serve_command, host=host, port=port)
