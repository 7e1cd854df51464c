"""Who is reading: Flask-Login's session, ended by a new stamp, and its cookies."""

from datetime import timedelta
from typing import Any

from flask import Flask, abort, redirect, request, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from helpdesk.core.config import Config
from helpdesk.core.extensions import csrf, db, login_manager
from helpdesk.core.models import User
from helpdesk.core.permissions import require


def init_app(app: Flask) -> None:
    """Bind sign-in and the CSRF check."""
    config: Config = app.config["HELPDESK"]
    secure = config.address.startswith("https://")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-helpdesk" if secure else "helpdesk",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    login_manager.init_app(app)
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(_unauthorized)
    login_manager.login_message = _l("Please sign in.")
    csrf.init_app(app)


def _load(text: str) -> User | None:
    number, _dot, stamp = text.partition(".")
    if not number.isdigit():
        return None
    user = db.session.get(User, int(number))
    return user if user is not None and user.active and user.auth_stamp == stamp else None


def _unauthorized() -> Response:
    # An htmx fragment cannot show the sign-in page in a corner: the whole page goes there.
    target = url_for("auth.sign_in", next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("auth.sign_in")})
    return redirect(target, 303)


def reader() -> User:
    """The signed-in user itself (not Flask-Login's proxy); 401 handling is done by :func:`staff_only` and friends."""
    user: Any = current_user._get_current_object()
    if not isinstance(user, User):
        abort(401)
    return user


def require_sign_in(permission: str | None = None) -> Response | None:
    """For ``blueprint.before_request``: sends strangers to sign-in; raises NotAllowed without ``permission``."""
    if not current_user.is_authenticated:
        response: Response = login_manager.unauthorized()
        return response
    if permission is not None:
        require(reader(), permission)
    return None
