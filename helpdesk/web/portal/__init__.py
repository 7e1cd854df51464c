"""The customers' pages. All of them work without a script."""

from helpdesk.web.portal import asking, following, mine, unsubscribing
from helpdesk.web.portal.blueprint import portal

__all__ = ["asking", "following", "mine", "portal", "unsubscribing"]
