"""Customer records: fields, segments, orders, consents, value, and one timeline."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_customers import duplicate_models as duplicate_models
from helpdesk_customers import duplicate_pages as duplicate_pages
from helpdesk_customers import edit_pages as edit_pages
from helpdesk_customers import field_pages as field_pages
from helpdesk_customers import import_models as import_models
from helpdesk_customers import import_pages as import_pages
from helpdesk_customers import list_pages as list_pages
from helpdesk_customers import models as models
from helpdesk_customers import record_pages as record_pages
from helpdesk_customers import segment_pages as segment_pages
from helpdesk_customers.acts import register_acts as register_acts
from helpdesk_customers.background import register_jobs as register_jobs
from helpdesk_customers.background import register_schedules as register_schedules
from helpdesk_customers.blueprint import pages
from helpdesk_customers.cli import register_commands as register_commands
from helpdesk_customers.import_kinds import customers_import_kinds as customers_import_kinds
from helpdesk_customers.import_kinds import register_importers as register_importers
from helpdesk_customers.merged import people_merged as people_merged
from helpdesk_customers.merged import people_unmerged as people_unmerged
from helpdesk_customers.offering import register_hookspecs as register_hookspecs
from helpdesk_customers.panels import dashboard_widgets as dashboard_widgets
from helpdesk_customers.panels import nav_items as nav_items
from helpdesk_customers.panels import ticket_panels as ticket_panels
from helpdesk_customers.panels import user_panels as user_panels
from helpdesk_customers.permissions import register_permissions as register_permissions
from helpdesk_customers.personal import erase_personal_data as erase_personal_data
from helpdesk_customers.personal import export_personal_data as export_personal_data
from helpdesk_customers.presence import customers_is_on as customers_is_on
from helpdesk_customers.rooms import admin_rooms as admin_rooms
from helpdesk_customers.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
