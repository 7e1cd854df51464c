"""Career levels: a ladder, what is missing to the next level, and how people got there."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_career import ladder_pages as ladder_pages
from helpdesk_career import list_pages as list_pages
from helpdesk_career import models as models
from helpdesk_career import people_pages as people_pages
from helpdesk_career import proposal_pages as proposal_pages
from helpdesk_career import review_pages as review_pages
from helpdesk_career import rule_pages as rule_pages
from helpdesk_career.background import register_jobs as register_jobs
from helpdesk_career.background import register_schedules as register_schedules
from helpdesk_career.blueprint import pages
from helpdesk_career.cli import register_commands as register_commands
from helpdesk_career.competences import training_skills as training_skills
from helpdesk_career.criteria import career_criteria as career_criteria
from helpdesk_career.effects import choose_assignee as choose_assignee
from helpdesk_career.effects import limit_assignees as limit_assignees
from helpdesk_career.effects import opened_permissions as opened_permissions
from helpdesk_career.effects import veto as veto
from helpdesk_career.measuring import surveys_answered as surveys_answered
from helpdesk_career.measuring import ticket_assigned as ticket_assigned
from helpdesk_career.measuring import ticket_status_changed as ticket_status_changed
from helpdesk_career.measuring import training_certificate_expired as training_certificate_expired
from helpdesk_career.measuring import training_course_completed as training_course_completed
from helpdesk_career.offering import register_hookspecs as register_hookspecs
from helpdesk_career.panels import dashboard_widgets as dashboard_widgets
from helpdesk_career.panels import nav_items as nav_items
from helpdesk_career.panels import user_panels as user_panels
from helpdesk_career.permissions import register_permissions as register_permissions
from helpdesk_career.personal import erase_personal_data as erase_personal_data
from helpdesk_career.personal import export_personal_data as export_personal_data
from helpdesk_career.records import training_groups as training_groups
from helpdesk_career.rooms import admin_rooms as admin_rooms
from helpdesk_career.rooms import register_acts as register_acts
from helpdesk_career.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
