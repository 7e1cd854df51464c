"""Training: courses, what is assigned, certificates, and who can do what."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_training import assign_pages as assign_pages
from helpdesk_training import content_pages as content_pages
from helpdesk_training import course_pages as course_pages
from helpdesk_training import figure_pages as figure_pages
from helpdesk_training import grade_pages as grade_pages
from helpdesk_training import import_pages as import_pages
from helpdesk_training import models as models
from helpdesk_training import my_pages as my_pages
from helpdesk_training import path_pages as path_pages
from helpdesk_training import people_pages as people_pages
from helpdesk_training import quiz_pages as quiz_pages
from helpdesk_training import rule_pages as rule_pages
from helpdesk_training.acts import register_acts as register_acts
from helpdesk_training.applying import surveys_answered as surveys_answered
from helpdesk_training.background import register_jobs as register_jobs
from helpdesk_training.background import register_schedules as register_schedules
from helpdesk_training.blueprint import pages
from helpdesk_training.career import career_certificates as career_certificates
from helpdesk_training.career import career_competences as career_competences
from helpdesk_training.career import career_criteria as career_criteria
from helpdesk_training.cli import register_commands as register_commands
from helpdesk_training.files import stored_files_in_use as stored_files_in_use
from helpdesk_training.offering import register_hookspecs as register_hookspecs
from helpdesk_training.panels import dashboard_widgets as dashboard_widgets
from helpdesk_training.panels import nav_items as nav_items
from helpdesk_training.panels import team_panels as team_panels
from helpdesk_training.panels import ticket_panels as ticket_panels
from helpdesk_training.panels import user_panels as user_panels
from helpdesk_training.permissions import register_permissions as register_permissions
from helpdesk_training.personal import erase_personal_data as erase_personal_data
from helpdesk_training.personal import export_personal_data as export_personal_data
from helpdesk_training.rooms import admin_rooms as admin_rooms
from helpdesk_training.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
