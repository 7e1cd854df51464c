"""The owner's rooms: settings, people, plugins, mail, jobs, the record of what was done."""

from helpdesk.web.admin import overview, settings
from helpdesk.web.admin.blueprint import admin

__all__ = ["admin", "overview", "settings"]
