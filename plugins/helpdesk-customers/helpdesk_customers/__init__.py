"""Customer records: fields, segments, orders, consents, value, and one timeline."""

from flask import Blueprint

from helpdesk.api import hookimpl
from helpdesk_customers import models as models
from helpdesk_customers.acts import register_acts as register_acts
from helpdesk_customers.background import register_jobs as register_jobs
from helpdesk_customers.background import register_schedules as register_schedules
from helpdesk_customers.blueprint import pages
from helpdesk_customers.cli import register_commands as register_commands
from helpdesk_customers.merged import people_merged as people_merged
from helpdesk_customers.merged import people_unmerged as people_unmerged
from helpdesk_customers.offering import register_hookspecs as register_hookspecs
from helpdesk_customers.permissions import register_permissions as register_permissions
from helpdesk_customers.personal import erase_personal_data as erase_personal_data
from helpdesk_customers.personal import export_personal_data as export_personal_data
from helpdesk_customers.presence import customers_is_on as customers_is_on
from helpdesk_customers.settings import register_settings as register_settings


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """The pages of the team."""
    return [pages]
