"""Training: courses, what is assigned, certificates, and who can do what."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_training import models as models
from helpdesk_training.acts import register_acts as register_acts
from helpdesk_training.applying import surveys_answered as surveys_answered
from helpdesk_training.background import register_jobs as register_jobs
from helpdesk_training.background import register_schedules as register_schedules
from helpdesk_training.blueprint import pages
from helpdesk_training.career import career_certificates as career_certificates
from helpdesk_training.career import career_competences as career_competences
from helpdesk_training.career import career_criteria as career_criteria
from helpdesk_training.files import stored_files_in_use as stored_files_in_use
from helpdesk_training.offering import register_hookspecs as register_hookspecs
from helpdesk_training.permissions import register_permissions as register_permissions
from helpdesk_training.personal import erase_personal_data as erase_personal_data
from helpdesk_training.personal import export_personal_data as export_personal_data
from helpdesk_training.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
