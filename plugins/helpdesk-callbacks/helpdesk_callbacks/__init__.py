"""Promised calls: booked by agents and customers, handed out at their time, tried again, and counted."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_callbacks import call_pages as call_pages
from helpdesk_callbacks import feed_pages as feed_pages
from helpdesk_callbacks import list_pages as list_pages
from helpdesk_callbacks import models as models
from helpdesk_callbacks import number_pages as number_pages
from helpdesk_callbacks import portal_pages as portal_pages
from helpdesk_callbacks import rule_pages as rule_pages
from helpdesk_callbacks import week_pages as week_pages
from helpdesk_callbacks.api import callbacks_schedule as callbacks_schedule
from helpdesk_callbacks.background import register_jobs as register_jobs
from helpdesk_callbacks.background import register_schedules as register_schedules
from helpdesk_callbacks.blueprint import pages
from helpdesk_callbacks.joined_people import people_merged as people_merged
from helpdesk_callbacks.joined_people import people_unmerged as people_unmerged
from helpdesk_callbacks.offering import register_hookspecs as register_hookspecs
from helpdesk_callbacks.panels import composer_tools as composer_tools
from helpdesk_callbacks.panels import dashboard_widgets as dashboard_widgets
from helpdesk_callbacks.panels import nav_items as nav_items
from helpdesk_callbacks.panels import portal_blocks as portal_blocks
from helpdesk_callbacks.panels import ticket_actions as ticket_actions
from helpdesk_callbacks.panels import ticket_panels as ticket_panels
from helpdesk_callbacks.panels import user_panels as user_panels
from helpdesk_callbacks.permissions import register_permissions as register_permissions
from helpdesk_callbacks.personal import erase_personal_data as erase_personal_data
from helpdesk_callbacks.personal import export_personal_data as export_personal_data
from helpdesk_callbacks.rooms import admin_rooms as admin_rooms
from helpdesk_callbacks.rooms import register_acts as register_acts
from helpdesk_callbacks.settings import register_settings as register_settings
from helpdesk_callbacks.timeline import customers_timeline as customers_timeline


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of agents, of customers and of calendar programs."""
    return [pages]
