"""Tables: columns and relationships only. No commits, no hooks."""

from helpdesk.core.models.attachment import Attachment
from helpdesk.core.models.audit import AuditEntry
from helpdesk.core.models.delivery import Delivery
from helpdesk.core.models.event import Event
from helpdesk.core.models.field import TicketField, TicketFieldValue
from helpdesk.core.models.intake import Intake
from helpdesk.core.models.job import Job
from helpdesk.core.models.message import Message
from helpdesk.core.models.organization import Organization
from helpdesk.core.models.plugin import PluginState
from helpdesk.core.models.setting import Generation, Setting
from helpdesk.core.models.tag import Tag
from helpdesk.core.models.team import Team, TeamMember
from helpdesk.core.models.ticket import Follower, Status, Ticket, TicketRead
from helpdesk.core.models.token import SignInAttempt, Token
from helpdesk.core.models.user import User
from helpdesk.core.models.view import View

__all__ = [
    "Attachment",
    "AuditEntry",
    "Delivery",
    "Event",
    "Follower",
    "Generation",
    "Intake",
    "Job",
    "Message",
    "Organization",
    "PluginState",
    "Setting",
    "SignInAttempt",
    "Status",
    "Tag",
    "Team",
    "TeamMember",
    "Ticket",
    "TicketField",
    "TicketFieldValue",
    "TicketRead",
    "Token",
    "User",
    "View",
]
