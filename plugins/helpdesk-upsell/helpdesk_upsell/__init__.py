"""Recommendations: what fits this customer now, why, and whether it helped."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_upsell import catalogue_pages as catalogue_pages
from helpdesk_upsell import list_pages as list_pages
from helpdesk_upsell import models as models
from helpdesk_upsell import offer_pages as offer_pages
from helpdesk_upsell import promotion_pages as promotion_pages
from helpdesk_upsell import report_pages as report_pages
from helpdesk_upsell import rule_pages as rule_pages
from helpdesk_upsell import ticket_pages as ticket_pages
from helpdesk_upsell import together_pages as together_pages
from helpdesk_upsell.background import register_jobs as register_jobs
from helpdesk_upsell.background import register_schedules as register_schedules
from helpdesk_upsell.blueprint import pages
from helpdesk_upsell.buying import customers_products_changed as customers_products_changed
from helpdesk_upsell.cli import register_commands as register_commands
from helpdesk_upsell.following import people_merged as people_merged
from helpdesk_upsell.following import people_unmerged as people_unmerged
from helpdesk_upsell.importing import customers_import_kinds as customers_import_kinds
from helpdesk_upsell.offering import register_hookspecs as register_hookspecs
from helpdesk_upsell.panels import composer_tools as composer_tools
from helpdesk_upsell.panels import nav_items as nav_items
from helpdesk_upsell.panels import ticket_panels as ticket_panels
from helpdesk_upsell.permissions import register_permissions as register_permissions
from helpdesk_upsell.personal import erase_personal_data as erase_personal_data
from helpdesk_upsell.personal import export_personal_data as export_personal_data
from helpdesk_upsell.profiles import customers_record_changed as customers_record_changed
from helpdesk_upsell.profiles import customers_segment_changed as customers_segment_changed
from helpdesk_upsell.rooms import admin_rooms as admin_rooms
from helpdesk_upsell.rooms import register_acts as register_acts
from helpdesk_upsell.settings import register_settings as register_settings
from helpdesk_upsell.timeline import customers_timeline as customers_timeline


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
