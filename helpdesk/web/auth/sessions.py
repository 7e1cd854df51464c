"""Sign in and out: the password, then the second step, then :func:`enter`."""

from collections.abc import Sequence
from typing import Any

from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, logout_user

from helpdesk.core import accounts, second_factors, sign_in_sessions, trusted_devices
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.web.auth import browsers
from helpdesk.web.auth.blueprint import auth
from helpdesk.web.look import local_path
from helpdesk.web.session import begin, current_session

# What the cookie says between the password and the second step, and for how many seconds it counts.
_HALF_IN, _HALF_IN_SECONDS = "half_in", 600


@auth.get("/sign-in")
def sign_in() -> Any:
    """The form; who is signed in already goes on."""
    target = local_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target or start_page(current_user), 303)
    return render_template("auth/sign_in.html", email="", target=target or "", error="")


@auth.post("/sign-in")
def check_sign_in() -> Any:
    """Let somebody in, or say the same for everybody who is not."""
    email, target = request.form.get("email", ""), local_path(request.form.get("next"))
    error, code = "", 422
    try:
        found = accounts.sign_in(
            email, request.form.get("password", ""), request.remote_addr or "", knows=browsers.is_known
        )
        if found is not None:
            return go_on(*found, "password", target)
        error = _("This address and password do not belong together. Check both and try again.")
    except accounts.TooManyTries as problem:
        error, code = str(problem), 429
    return make_response(render_template("auth/sign_in.html", email=email, target=target or "", error=error), code)


def go_on(user: User, stamp: str, by: str, target: str | None = None) -> Any:
    """Somebody has proved who they are by a first factor (``by``, for the record): ask for the second, or let them in.

    ``stamp`` is what the account's ``auth_stamp`` was when it was proved: whatever changes after that counts.
    Every first factor ends here: the password, a link by mail, and what is still to come.
    """
    if second_factors.of(user) is not None:
        device = trusted_devices.find(user, browsers.device_secret())
        if device is None:
            session.clear()
            session[_HALF_IN] = {
                "user": user.id,
                "stamp": stamp,
                "by": by,
                "until": now().timestamp() + _HALF_IN_SECONDS,
                "next": target,
            }
            return redirect(url_for("auth.second_step"), 303)
        trusted_devices.used(device)
        return enter(user, stamp, (by, "remembered_browser"), target)
    return enter(user, stamp, (by,), target)


@auth.get("/second-step")
def second_step() -> Any:
    """Ask for the code, of who has typed the password a moment ago."""
    if _half_in() is None:
        return redirect(url_for("auth.sign_in"), 303)
    return render_template("auth/second_step.html", error="")


@auth.post("/second-step")
def check_second_step() -> Any:
    """Let somebody in whose code is right."""
    found = _half_in()
    if found is None:
        flash(_("That took too long. Sign in once more."), "warn")
        return redirect(url_for("auth.sign_in"), 303)
    user, said = found
    try:
        address = "" if browsers.is_known(user) else request.remote_addr or ""
        if proof := second_factors.proof_of(user, request.form.get("code", ""), address):
            answer = enter(user, said["stamp"], (said["by"], proof), local_path(said["next"]))
            # Only who was let in: the account may have changed meanwhile.
            if "remember" in request.form and current_user.is_authenticated:
                secret = trusted_devices.remember(user, request.remote_addr or "", request.user_agent.string)
                browsers.remember_device(answer, secret)
            return answer
        error, code = _("This code is wrong, or it was used before. Type the one that your app shows now."), 422
    except accounts.TooManyTries as problem:
        error, code = str(problem), 429
    return make_response(render_template("auth/second_step.html", error=error), code)


def _half_in() -> tuple[User, dict[str, Any]] | None:
    said = session.get(_HALF_IN)
    if not said or said["until"] < now().timestamp():
        return None
    user = db.session.get(User, said["user"])
    return (user, said) if user is not None and user.active and user.auth_stamp == said["stamp"] else None


def enter(user: User, stamp: str, by: Sequence[str], target: str | None = None) -> Any:
    """Begin a session of somebody whose identity was proved, and go to where they wanted. The one way in.

    ``stamp`` is what the account's ``auth_stamp`` was when it was proved; ``by`` says to the record what proved it.
    """
    before, known = current_session(), browsers.is_known(user)
    secret = accounts.enter(user, stamp, request.remote_addr or "", request.user_agent.string, known=known, by=by)
    if secret is None:
        flash(_("Your account has just changed. Sign in once more."), "warn")
        return redirect(url_for("auth.sign_in"), 303)
    if before is not None:
        sign_in_sessions.end(current_user, before.id)
    begin(user, secret)
    answer = redirect(target or start_page(user), 303)
    browsers.make_known(answer, user)
    return answer


@auth.post("/sign-out")
def sign_out() -> Any:
    """End this session."""
    if (current := current_session()) is not None:
        accounts.leave(current_user._get_current_object(), current.id)
    logout_user()
    session.clear()
    flash(_("You are signed out."))
    answer = redirect(url_for("auth.sign_in"), 303)
    # What was begun and not sent lies in the browser's storage: who sits down next must not find it.
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


def start_page(user: User) -> str:
    """Where somebody begins: the desk for staff, their tickets for customers."""
    return url_for("desk.home") if user.is_staff else url_for("portal.home")
