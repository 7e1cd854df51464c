"""Every customer in their language, every agent in theirs: detected, read, answered, and texts in several languages."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_multilingual import answer_pages as answer_pages
from helpdesk_multilingual import engine_pages as engine_pages
from helpdesk_multilingual import glossary_pages as glossary_pages
from helpdesk_multilingual import me_pages as me_pages
from helpdesk_multilingual import memory_pages as memory_pages
from helpdesk_multilingual import message_pages as message_pages
from helpdesk_multilingual import models as models
from helpdesk_multilingual import people_pages as people_pages
from helpdesk_multilingual import text_pages as text_pages
from helpdesk_multilingual.agents import choose_assignee as choose_assignee
from helpdesk_multilingual.background import message_added as message_added
from helpdesk_multilingual.background import register_jobs as register_jobs
from helpdesk_multilingual.background import register_schedules as register_schedules
from helpdesk_multilingual.blocks import message_blocks as message_blocks
from helpdesk_multilingual.blueprint import pages
from helpdesk_multilingual.commands import register_commands as register_commands
from helpdesk_multilingual.criteria import career_criteria as career_criteria
from helpdesk_multilingual.merged import people_merged as people_merged
from helpdesk_multilingual.merged import people_unmerged as people_unmerged
from helpdesk_multilingual.offering import register_hookspecs as register_hookspecs
from helpdesk_multilingual.panels import composer_tools as composer_tools
from helpdesk_multilingual.panels import ticket_badges as ticket_badges
from helpdesk_multilingual.panels import ticket_panels as ticket_panels
from helpdesk_multilingual.panels import user_panels as user_panels
from helpdesk_multilingual.permissions import register_permissions as register_permissions
from helpdesk_multilingual.personal import erase_personal_data as erase_personal_data
from helpdesk_multilingual.personal import export_personal_data as export_personal_data
from helpdesk_multilingual.rooms import admin_rooms as admin_rooms
from helpdesk_multilingual.rooms import register_acts as register_acts
from helpdesk_multilingual.settings import register_settings as register_settings
from helpdesk_multilingual.speech import before_ticket_opened as before_ticket_opened
from helpdesk_multilingual.suggestions import reply_suggestions as reply_suggestions


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of agents and owners."""
    return [pages]
