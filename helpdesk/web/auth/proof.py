"""The proof before a page, and the second step that an owner wants before everything else."""

from typing import Any

from flask import Response, redirect, request, url_for
from flask_login import current_user

from helpdesk.core import second_factors
from helpdesk.web import proving
from helpdesk.web.auth.blueprint import auth
from helpdesk.web.look import local_path
from helpdesk.web.session import current_session, require_sign_in

# What is open to somebody who still has to set up the second step.
_OPEN = ("auth", "look", "well_known")


@auth.post("/prove")
def prove() -> Any:
    """Take the proof that a page has asked for, and go there."""
    if (answer := require_sign_in()) is not None:
        return answer
    target = local_path(request.form.get("next")) or url_for("auth.security")
    form = request.form
    problem = proving.check(form.get(proving.PASSWORD, ""), form.get(proving.CODE, ""))
    return redirect(target, 303) if problem is None else proving.ask(*problem, target=target)


@auth.before_app_request
def _second_step_first() -> Any:
    """Whose role needs a second step, and who has none, sets it up before anything else."""
    if request.endpoint in (None, "static") or request.blueprint in _OPEN:
        return None
    if not second_factors.is_required_of_anybody():
        return None
    current = current_session()
    if current is None or current.has_second_factor or not second_factors.is_required(current_user):
        return None
    target = url_for("auth.second_factor")
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)
