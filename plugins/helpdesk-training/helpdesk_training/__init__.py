"""Training: courses, what is assigned, certificates, and who can do what."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_training.blueprint import pages


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
