"""``helpdesk upsell``: count what is bought together, find purchases, watch satisfaction."""

import click

from helpdesk.api import Command, hookimpl
from helpdesk_upsell import buying, guarding, mining


@click.command("mine")
def mine() -> None:
    """Count anew what is bought together."""
    count = mining.mine_now()
    click.echo(f"Counted {count.baskets} baskets; {count.pairs} pairs are bought together.")


@click.command("match")
def match() -> None:
    """Look in orders for what was suggested."""
    click.echo(f"Looked at {buying.match_now()} customers of rules.")


@click.command("watch")
def watch() -> None:
    """Look how satisfied customers were, and stop the rules that hurt."""
    stopped = guarding.watch_now()
    click.echo(f"Stopped {len(stopped)} rules." if stopped else "No rule hurts.")


@hookimpl
def register_commands() -> list[Command]:
    """``helpdesk upsell mine``, ``match`` and ``watch``."""
    return [Command(mine), Command(match), Command(watch)]
