"""Proving once more who one is, before what is dangerous: the password, and the code of who has a second step.

What was typed into the form that asks for it is carried through the question, so that nothing is lost.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from flask import Response, abort, g, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import ImmutableMultiDict

from helpdesk.core import accounts, second_factors, sign_in_sessions
from helpdesk.core.account_errors import TooManyTries
from helpdesk.core.clock import now
from helpdesk.web.session import current_session, reader, require_sign_in

_View = TypeVar("_View", bound=Callable[..., Any])
PASSWORD, CODE = "proof_password", "proof_code"  # noqa: S105 - names of fields
_NOT_CARRIED = ("csrf_token", PASSWORD, CODE)


def proof_required(view: _View) -> _View:
    """For a view that does what is dangerous: it asks for the password if that was not asked for ten minutes.

    Stands directly above the view, below the mark that says who may open it. A form that was posted goes on after the
    proof with all that was typed; files have to be chosen again.
    """

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> Any:
        if (question := missing_proof()) is not None:
            return question
        return view(*args, **kwargs)

    return proved  # type: ignore[return-value]


def missing_proof() -> Any:
    """The page that asks for the proof, to be answered instead of acting; None when there is one.

    For a view in which only some of what is posted is dangerous. May write (one small transaction). A program that
    comes with a token proves nothing: it gets 403.
    """
    if (answer := require_sign_in()) is not None:
        return answer
    current = current_session()
    if current is None:
        abort(403)
    if current.is_proved:
        return None
    if request.method != "POST" or PASSWORD not in request.form:
        return ask()
    problem = check(request.form.get(PASSWORD, ""), request.form.get(CODE, ""))
    if problem is not None:
        return ask(*problem)
    # The view finds the form as it was sent at first.
    request.form = ImmutableMultiDict(
        [(key, value) for key, value in request.form.items(multi=True) if key not in (PASSWORD, CODE)]
    )
    return None


def check(password: str, code: str) -> tuple[str, int] | None:
    """What is wrong with a proof of the reader's, as a sentence and a status, or None; then it counts for a while.

    Wrong ones are counted per account. Opens a transaction.
    """
    current, user = current_session(), reader()
    try:
        if not accounts.confirm_password(user, password):
            return _("That is not your password."), 422
        if second_factors.of(user) is not None and not second_factors.check(user, code):
            return _("This code is wrong, or it was used before. Type the one that your app shows now."), 422
    except TooManyTries as problem:
        return str(problem), 429
    if current is not None:
        sign_in_sessions.prove(current.id)
        g.sign_in_session = replace(current, proved_at=now())
    return None


def ask(error: str = "", code: int = 403, target: str = "") -> Response:
    """The question; the form below goes on to ``target``, or to where this request went, with what was typed."""
    g.no_store = True
    sent = [(key, value) for key, value in request.form.items(multi=True) if key not in _NOT_CARRIED]
    is_page = request.method in ("GET", "HEAD")
    page = render_template(
        "auth/proof.html",
        error=error,
        sent=[] if target else sent,
        target=target or (request.full_path.rstrip("?") if is_page else ""),
        action=request.full_path.rstrip("?"),
        has_files=any(file.filename for file in request.files.values()),
        has_code=second_factors.of(reader()) is not None,
    )
    return make_response(page, code)
