"""The blueprint of the customers' pages, and who is looking."""

from typing import Any

from flask import Blueprint
from flask_login import current_user

from helpdesk.core.models import User

portal = Blueprint("portal", __name__)


def visitor() -> User | None:
    """The signed-in person, or None for somebody without an account."""
    user: Any = current_user._get_current_object()
    return user if isinstance(user, User) else None
