"""Customer records: fields, segments, orders, consents, value, and one timeline."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_customers import models as models
from helpdesk_customers.blueprint import pages


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
