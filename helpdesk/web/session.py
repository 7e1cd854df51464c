"""Who is reading: the row that a cookie stands for, and the cookies."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, g, redirect, request, session, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from helpdesk.core import sign_in_sessions
from helpdesk.core.config import Config
from helpdesk.core.extensions import csrf, login_manager
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
        PERMANENT_SESSION_LIFETIME=sign_in_sessions.LIFETIME,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    login_manager.init_app(app)
    # It would bind a session to the name of a browser, which changes with each of its updates.
    login_manager.session_protection = None
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(_unauthorized)
    login_manager.login_message = _l("Please sign in.")
    csrf.init_app(app)


def _load(secret: str) -> User | None:
    found = sign_in_sessions.find(secret)
    if found is None:
        return None
    user, g.sign_in_session = found
    return user


def begin(user: User, secret: str) -> None:
    """From now on this browser is a person's; ``secret`` is that of their session. What the cookie held is gone."""
    session.clear()
    session.permanent = True
    # What Flask-Login looks for.
    session["_user_id"], session["_fresh"] = secret, True
    g._login_user = user


def current_session() -> sign_in_sessions.Session | None:
    """The session of this request; None for who is not signed in by one, as a program with a token."""
    found: sign_in_sessions.Session | None = g.get("sign_in_session") if current_user.is_authenticated else None
    return found if found is not None and found.user_id == current_user.id else None


def _unauthorized() -> Response:
    # An htmx fragment cannot show the sign-in page in a corner: the whole page goes there, and comes back.
    if request.headers.get("HX-Request"):
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = page._replace(scheme="", netloc="", fragment="").geturl()
        return Response(status=401, headers={"HX-Redirect": url_for("auth.sign_in", next=back or None)})
    target = url_for("auth.sign_in", next=request.full_path.rstrip("?") if request.method == "GET" else None)
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
