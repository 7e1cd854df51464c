"""Every customer in their language, every agent in theirs: detected, read, answered, and texts in several languages."""

from helpdesk_multilingual import models as models
from helpdesk_multilingual.permissions import register_permissions as register_permissions
from helpdesk_multilingual.settings import register_settings as register_settings
