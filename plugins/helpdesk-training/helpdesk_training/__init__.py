"""Training: courses, what is assigned, certificates, and who can do what."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_training import models as models
from helpdesk_training.blueprint import pages
from helpdesk_training.files import stored_files_in_use as stored_files_in_use
from helpdesk_training.offering import register_hookspecs as register_hookspecs
from helpdesk_training.permissions import register_permissions as register_permissions
from helpdesk_training.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
