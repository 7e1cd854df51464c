"""Sign in and out."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from helpdesk.core import accounts
from helpdesk.core.models import User
from helpdesk.web.auth.blueprint import auth
from helpdesk.web.look import local_path


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
        user = accounts.sign_in(email, request.form.get("password", ""), request.remote_addr or "")
        if user is not None:
            enter(user)
            return redirect(target or start_page(user), 303)
        error = _("This address and password do not belong together. Check both and try again.")
    except accounts.TooManyTries as problem:
        error, code = str(problem), 429
    return make_response(render_template("auth/sign_in.html", email=email, target=target or "", error=error), code)


@auth.post("/sign-out")
def sign_out() -> Any:
    """End this session."""
    logout_user()
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for("auth.sign_in"), 303)


def enter(user: User) -> None:
    """Begin a session of somebody whose identity was proved; whatever the session held before is gone."""
    session.clear()
    session.permanent = True
    login_user(user)


def start_page(user: User) -> str:
    """Where somebody begins: the desk for staff, their tickets for customers."""
    return url_for("desk.home") if user.is_staff else url_for("portal.home")
