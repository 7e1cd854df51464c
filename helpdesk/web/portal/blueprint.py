"""The blueprint of the customers' pages, who is looking, and whether a form is theirs."""

from typing import Any

from flask import Blueprint, current_app, request
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from helpdesk.core import workflow
from helpdesk.core.models import User

portal = Blueprint("portal", __name__)


def visitor() -> User | None:
    """The signed-in person, or None for somebody without an account."""
    user: Any = current_user._get_current_object()
    return user if isinstance(user, User) else None


def check_form() -> None:
    """Raise Invalid, as for any other field, when the form's token does not fit the session.

    For views that are exempt from the framework's check, so that a stale form comes back with all that was typed.
    """
    if not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        sentence = _("This page was open for long. Nothing was lost: look over your text and send it once more.")
        raise workflow.Invalid("form", sentence) from None
