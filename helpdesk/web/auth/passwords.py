"""Passwords by a link: forgotten, invited, registered. Nothing here tells who exists."""

from typing import Any

from flask import abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import account_mail, accounts
from helpdesk.core.accounts import AccountError
from helpdesk.core.models import Token
from helpdesk.core.throttle import TooMany, count_request
from helpdesk.core.transaction import transaction
from helpdesk.web.auth.blueprint import auth
from helpdesk.web.auth.sessions import go_on

# What lets somebody in, in the words of the record.
_LINKS = {accounts.INVITATION: "invitation", accounts.RESET: "reset_link"}


@auth.get("/forgot")
def forgot() -> Any:
    """Ask for a link to a new password."""
    return render_template("auth/forgot.html", email="", error="")


@auth.post("/forgot")
def send_reset() -> Any:
    """Send the link, if there is such an account; the page says the same in any case."""
    email = request.form.get("email", "")
    try:
        count_request("forgot", request.remote_addr or "")
        account_mail.ask_reset(email)
    except (AccountError, TooMany) as problem:
        code = 429 if isinstance(problem, TooMany) else 422
        return make_response(render_template("auth/forgot.html", email=email, error=str(problem)), code)
    return render_template("auth/sent.html", email=email)


@auth.get("/register")
def register() -> Any:
    """A customer asks for an account."""
    return render_template("auth/register.html", email="", name="", error="")


@auth.post("/register")
def send_invitation() -> Any:
    """Send the link to choose a password; the page says the same whether the address is known or not."""
    email, name = request.form.get("email", ""), request.form.get("name", "")
    try:
        count_request("register", request.remote_addr or "")
        account_mail.ask_account(email, name)
    except (AccountError, TooMany) as problem:
        code = 429 if isinstance(problem, TooMany) else 422
        return make_response(render_template("auth/register.html", email=email, name=name, error=str(problem)), code)
    return render_template("auth/sent.html", email=email)


@auth.get("/password/<purpose>/<secret>")
def choose_password(purpose: str, secret: str) -> Any:
    """The form for a new password. Opening it uses nothing up: mail scanners open links."""
    token = _token(purpose, secret)
    return render_template("auth/password.html", token=token, purpose=purpose, error="")


@auth.post("/password/<purpose>/<secret>")
def set_password(purpose: str, secret: str) -> Any:
    """Set the password and use the link up, in one transaction; of many at once one wins."""
    token = _token(purpose, secret)
    password = request.form.get("password", "")
    try:
        if password != request.form.get("repeated", ""):
            raise AccountError("password", _("The two passwords are not the same; type them again."))
        accounts.check_password_rules(password, token.user)
        with transaction():
            user = token.user
            if user is None or not user.active or not accounts.use_token(purpose, secret):
                abort(404)
            accounts.set_password(user, password, user)
            stamp = user.auth_stamp
    except AccountError as problem:
        page = render_template("auth/password.html", token=token, purpose=purpose, error=str(problem))
        return make_response(page, 422)
    answer = go_on(user, stamp, _LINKS[purpose])
    flash(_("Your password is set."))
    return answer


def _token(purpose: str, secret: str) -> Token:
    """The usable token, or the page for a link that is used up, too old, or never was."""
    if purpose not in (accounts.INVITATION, accounts.RESET):
        abort(404)
    token = accounts.find_token(purpose, secret)
    if token is None or token.user is None:
        again = url_for("auth.forgot")
        abort(make_response(render_template("auth/link_gone.html", again=again), 404))
    return token
