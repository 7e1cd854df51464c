"""The customers' pages. All of them work without a script."""

from helpdesk.web.portal import asking, confirming, following, mine, unsubscribing
from helpdesk.web.portal.blueprint import portal

__all__ = ["asking", "confirming", "following", "mine", "portal", "unsubscribing"]
