"""Recommendations: what fits this customer now, why, and whether it helped."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_upsell.blueprint import pages


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
