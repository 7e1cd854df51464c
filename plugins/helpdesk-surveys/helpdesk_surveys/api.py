"""What other plugins may import: ask somebody. The facts stand in ``offering``."""

from helpdesk_surveys.invitations import invite
from helpdesk_surveys.models import Invitation, Response, Survey

__all__ = ["Invitation", "Response", "Survey", "invite"]
