"""Who may open a page of a plugin: said on the view itself, held at each request, read by `helpdesk plugin check`.

Pages for programs, the desk's own too, are opened by a token in place of a session.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from flask import Response, current_app, g, request
from flask_babel import gettext as _

from helpdesk.core import api_tokens
from helpdesk.core.extensions import csrf, login_manager
from helpdesk.core.permissions import in_scope, narrow, require
from helpdesk.core.workflow import Invalid, Stale, WorkflowError
from helpdesk.web.problems import problem
from helpdesk.web.session import reader, require_sign_in

_View = TypeVar("_View", bound=Callable[..., Any])
SIGNED_IN, PUBLIC = "signed in", "public"
_MARK, _CHECKS, _BY_TOKEN = "helpdesk_access", "helpdesk_checks_access", "helpdesk_by_token"


def permission_required(permission: str) -> Callable[[_View], _View]:
    """Only people with ``permission`` open this page; strangers are asked to sign in first.

    Stands directly above the view, below its route: ``@pages.get("/")``, then ``@permission_required("orders.see")``.
    """

    def guard(view: _View) -> _View:
        return _guarded(view, permission, permission)

    return guard


def sign_in_required(view: _View) -> _View:
    """Everybody who has signed in opens this page, customers too; the view itself looks after what is theirs."""
    return _guarded(view, None, SIGNED_IN)


def public_page(view: _View) -> _View:
    """Strangers open this page: say so, or `helpdesk plugin check` takes it for an oversight."""
    setattr(view, _MARK, PUBLIC)
    return view


def machine_page(view: _View) -> _View:
    """Other programs call this page: no sign-in and no form token. The view itself checks who they are.

    Whoever has signed in is nobody here, so that no page of another site can act in somebody's name.
    """

    @wraps(view)
    def nobodys(*args: Any, **kwargs: Any) -> Any:
        # What Flask-Login would find by the session.
        g._login_user = login_manager.anonymous_user()
        return view(*args, **kwargs)

    for one in (nobodys, view):
        # As with the others, a route may stand below the mark.
        with suppress(AttributeError):
            setattr(one, _MARK, PUBLIC)
    csrf.exempt(nobodys)
    return nobodys  # type: ignore[return-value]


def token_page(permission: str | None = None) -> Callable[[_View], _View]:
    """Programs open this page by a token (``Authorization: Bearer``, RFC 6750) that has the scope ``permission``.

    No session and no form token counts here, and no cookie is set. ``reader()`` is the token's account, and every check
    of the request leaves it no more than the token's scopes. Without ``permission`` any token that is good will do.
    Errors are problem details (RFC 9457): 401, 403, 404, 409, 422, 429. Stands directly above the view::

        @pages.get("/orders.json")
        @token_page("orders.see")
        def orders(): ...
    """

    def guard(view: _View) -> _View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if (answer := _enter_by_token(permission)) is not None:
                return answer
            try:
                return view(*args, **kwargs)
            except Stale as stale:
                return problem(409, str(stale))
            except Invalid as wrong:
                return problem(422, fields={wrong.field: str(wrong)})
            except WorkflowError as refused:
                return problem(422, str(refused))

        for one in (guarded, view):
            # As with the others, a route may stand below the mark.
            with suppress(AttributeError):
                setattr(one, _MARK, permission or SIGNED_IN)
                setattr(one, _BY_TOKEN, True)
        setattr(guarded, _CHECKS, permission or SIGNED_IN)
        csrf.exempt(guarded)
        return guarded  # type: ignore[return-value]

    return guard


def for_programs() -> bool:
    """Whether the request is for a page that programs open: its errors are no pages."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, _BY_TOKEN, False) or request.path.startswith("/api/")


def access_of(view: Callable[..., Any]) -> str | None:
    """A permission, SIGNED_IN or PUBLIC, as the view says; None: it says nothing."""
    found: str | None = getattr(view, _MARK, None)
    return found


def admit(view: Callable[..., Any]) -> Any:
    """What answers instead of a plugin's page to one who may not open it, or None. Raises NotAllowed.

    A mark counts wherever it stands: below the route the view checks by itself, above it the mark alone is found.
    """
    mark = access_of(view)
    if getattr(view, _BY_TOKEN, False) and not hasattr(view, _CHECKS):
        return _enter_by_token(None if mark == SIGNED_IN else mark)
    if mark == PUBLIC or (mark is not None and getattr(view, _CHECKS, None) == mark):
        return None
    return require_sign_in(None if mark in (None, SIGNED_IN) else mark)


def _enter_by_token(permission: str | None) -> Response | None:
    """Make the token's account the reader, narrowed to its scopes; or answer why not."""
    kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
    # What Flask-Login would find by the session: nobody, until the token says who.
    g._login_user = login_manager.anonymous_user()
    g.pop("sign_in_session", None)
    if kind.lower() != "bearer":
        return _unauthorized("")
    try:
        token = api_tokens.use(secret.strip(), request.remote_addr or "")
    except api_tokens.WrongToken:
        return _unauthorized("invalid_token")
    except api_tokens.TooManyWrong as wait:
        return problem(429, str(wait), headers={"Retry-After": str(wait.seconds)})
    g._login_user = token.user
    g.api_token = token
    narrow(token.user, token.scopes)
    if permission is not None:
        if not in_scope(token.user, permission):
            challenge = f'Bearer realm="helpdesk", error="insufficient_scope", scope="{permission}"'
            return problem(
                403,
                _("This token lacks the scope “%(name)s”; make one that has it.", name=permission),
                headers={"WWW-Authenticate": challenge},
            )
        require(reader(), permission)
    return None


def _unauthorized(error: str) -> Response:
    challenge = 'Bearer realm="helpdesk"' + (f', error="{error}"' if error else "")
    sentence = (
        _("This token cannot be used: it is unknown, expired or revoked.")
        if error
        else _("Send a token: “Authorization: Bearer hd_...”.")
    )
    return problem(401, sentence, headers={"WWW-Authenticate": challenge})


def _guarded(view: _View, permission: str | None, mark: str) -> _View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        # A stranger is sent to the page of sign-in; whoever may not gets NotAllowed, which is the page for 403.
        if (answer := require_sign_in(permission)) is not None:
            return answer
        return view(*args, **kwargs)

    setattr(guarded, _MARK, mark)
    setattr(guarded, _CHECKS, mark)
    with suppress(AttributeError):
        # A route that stands below the mark has taken the view itself. (A method of an object keeps no marks.)
        setattr(view, _MARK, mark)
    return guarded  # type: ignore[return-value]
