"""Tables: columns and relationships only. No commits, no hooks."""

from helpdesk.core.models.api_token import ApiToken
from helpdesk.core.models.attachment import Attachment
from helpdesk.core.models.audit import AuditEntry, AuditLink
from helpdesk.core.models.bulk import BulkAct, BulkItem
from helpdesk.core.models.canned import CannedResponse, CannedText, Macro
from helpdesk.core.models.delivery import Delivery
from helpdesk.core.models.event import Event, HeldFact
from helpdesk.core.models.field import TicketField, TicketFieldValue
from helpdesk.core.models.idempotency import IdempotencyKey
from helpdesk.core.models.intake import Intake
from helpdesk.core.models.job import Job, QuarantinedMessage, Worker
from helpdesk.core.models.language import CorrectedString, LabelText
from helpdesk.core.models.merge import Presence, TicketLink, TicketMerge
from helpdesk.core.models.message import Message
from helpdesk.core.models.notification import Notification, NotificationChoice, NotificationCursor
from helpdesk.core.models.organization import Organization
from helpdesk.core.models.person_merge import PersonMerge, PersonMergeRow
from helpdesk.core.models.plugin import PluginHealth, PluginState
from helpdesk.core.models.promise import Promise
from helpdesk.core.models.reply_draft import ReplyDraft
from helpdesk.core.models.schedule import Schedule, ScheduleRun
from helpdesk.core.models.search import SearchDue, SearchMessage, SearchPerson, SearchTicket
from helpdesk.core.models.service import ServiceLease
from helpdesk.core.models.setting import Generation, Setting
from helpdesk.core.models.sign_in import RecoveryCode, SecondFactor, SignInSession, TrustedDevice
from helpdesk.core.models.tag import Tag
from helpdesk.core.models.team import Team, TeamMember
from helpdesk.core.models.ticket import Follower, Status, Ticket, TicketRead
from helpdesk.core.models.token import SignInAttempt, Token
from helpdesk.core.models.topic import TicketType, Topic
from helpdesk.core.models.user import User
from helpdesk.core.models.view import View
from helpdesk.core.models.working_time import Absence, BusinessHours, Shift, SpecialDay

__all__ = [
    "Absence",
    "ApiToken",
    "Attachment",
    "AuditEntry",
    "AuditLink",
    "BulkAct",
    "BulkItem",
    "BusinessHours",
    "CannedResponse",
    "CannedText",
    "CorrectedString",
    "Delivery",
    "Event",
    "Follower",
    "Generation",
    "HeldFact",
    "IdempotencyKey",
    "Intake",
    "Job",
    "LabelText",
    "Macro",
    "Message",
    "Notification",
    "NotificationChoice",
    "NotificationCursor",
    "Organization",
    "PersonMerge",
    "PersonMergeRow",
    "PluginHealth",
    "PluginState",
    "Presence",
    "Promise",
    "QuarantinedMessage",
    "RecoveryCode",
    "ReplyDraft",
    "Schedule",
    "ScheduleRun",
    "SearchDue",
    "SearchMessage",
    "SearchPerson",
    "SearchTicket",
    "SecondFactor",
    "ServiceLease",
    "Setting",
    "Shift",
    "SignInAttempt",
    "SignInSession",
    "SpecialDay",
    "Status",
    "Tag",
    "Team",
    "TeamMember",
    "Ticket",
    "TicketField",
    "TicketFieldValue",
    "TicketLink",
    "TicketMerge",
    "TicketRead",
    "TicketType",
    "Token",
    "Topic",
    "TrustedDevice",
    "User",
    "View",
    "Worker",
]
