"""Surveys: asked after the work, answered from the mail, acted on, and counted."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_surveys import answer_pages as answer_pages
from helpdesk_surveys import figure_pages as figure_pages
from helpdesk_surveys import list_pages as list_pages
from helpdesk_surveys import models as models
from helpdesk_surveys import survey_pages as survey_pages
from helpdesk_surveys import text_pages as text_pages
from helpdesk_surveys.background import register_jobs as register_jobs
from helpdesk_surveys.background import register_schedules as register_schedules
from helpdesk_surveys.blueprint import pages
from helpdesk_surveys.cli import register_commands as register_commands
from helpdesk_surveys.criteria import career_criteria as career_criteria
from helpdesk_surveys.merged import people_merged as people_merged
from helpdesk_surveys.merged import people_unmerged as people_unmerged
from helpdesk_surveys.offering import register_hookspecs as register_hookspecs
from helpdesk_surveys.panels import dashboard_widgets as dashboard_widgets
from helpdesk_surveys.panels import nav_items as nav_items
from helpdesk_surveys.panels import ticket_actions as ticket_actions
from helpdesk_surveys.panels import ticket_panels as ticket_panels
from helpdesk_surveys.panels import user_panels as user_panels
from helpdesk_surveys.permissions import register_permissions as register_permissions
from helpdesk_surveys.personal import erase_personal_data as erase_personal_data
from helpdesk_surveys.personal import export_personal_data as export_personal_data
from helpdesk_surveys.planning import ticket_status_changed as ticket_status_changed
from helpdesk_surveys.rooms import admin_rooms as admin_rooms
from helpdesk_surveys.rooms import register_acts as register_acts
from helpdesk_surveys.settings import register_settings as register_settings
from helpdesk_surveys.timeline import customers_timeline as customers_timeline
from helpdesk_surveys.upselling import upsell_objections as upsell_objections
from helpdesk_surveys.upselling import upsell_satisfaction as upsell_satisfaction


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team and of customers."""
    return [pages]
