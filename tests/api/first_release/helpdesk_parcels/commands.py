import click

from helpdesk.api import db
from helpdesk_parcels.models import Parcel


@click.group()
def parcels():
    """Parcels."""


@parcels.command()
def count():
    """How many there are."""
    click.echo(f"{db.session.query(Parcel).count()} parcels")
