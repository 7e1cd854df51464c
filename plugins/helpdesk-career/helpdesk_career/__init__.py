"""Career levels: a ladder, what is missing to the next level, and how people got there."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_career.blueprint import pages


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
