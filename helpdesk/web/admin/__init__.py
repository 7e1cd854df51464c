"""The owner's rooms: settings, people, plugins, mail, jobs, the record of what was done."""

from helpdesk.web.admin import (
    audit,
    fields,
    jobs,
    mail,
    organizations,
    overview,
    people,
    plugins,
    settings,
    statuses,
    teams,
    themes,
)
from helpdesk.web.admin.blueprint import admin

__all__ = [
    "admin",
    "audit",
    "fields",
    "jobs",
    "mail",
    "organizations",
    "overview",
    "people",
    "plugins",
    "settings",
    "statuses",
    "teams",
    "themes",
]
