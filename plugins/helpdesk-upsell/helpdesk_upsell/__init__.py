"""Recommendations: what fits this customer now, why, and whether it helped."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_upsell import models as models
from helpdesk_upsell.blueprint import pages
from helpdesk_upsell.offering import register_hookspecs as register_hookspecs
from helpdesk_upsell.permissions import register_permissions as register_permissions
from helpdesk_upsell.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
