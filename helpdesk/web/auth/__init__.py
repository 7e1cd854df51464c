"""Ways in: sign-in, sign-out, a forgotten password, an invitation, a customer's own account."""

from helpdesk.web.auth import passwords, sessions
from helpdesk.web.auth.blueprint import auth

__all__ = ["auth", "passwords", "sessions"]
