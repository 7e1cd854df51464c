"""Ways in: sign-in, sign-out, a forgotten password, an invitation, a customer's own account, how one signs in."""

from helpdesk.web.auth import passwords, proof, security, sessions
from helpdesk.web.auth.blueprint import auth

__all__ = ["auth", "passwords", "proof", "security", "sessions"]
