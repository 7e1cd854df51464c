"""The reader's own preferences."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import refresh
from flask_login import login_user

from helpdesk.core import accounts
from helpdesk.core.accounts import AccountError
from helpdesk.core.profile import set_preferences
from helpdesk.core.settings import zone_choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.session import reader

_FIELDS = ("name", "locale", "time_zone", "color_scheme", "signature")


@desk.get("/me")
def me() -> Any:
    """Language, time zone, light or dark, signature, password."""
    user = reader()
    return _page({key: getattr(user, key) or "" for key in _FIELDS}, {})


@desk.post("/me")
def save_me() -> Any:
    """Keep the reader's choices."""
    user = reader()
    values = {key: request.form.get(key, "") for key in _FIELDS}
    try:
        set_preferences(user, **values)
    except AccountError as problem:
        return _page(values, {problem.field: str(problem)})
    refresh()
    flash(_("Your preferences were saved."))
    return redirect(url_for("desk.me"), 303)


@desk.post("/me/password")
def change_password() -> Any:
    """A new password; every other session ends at once, this one goes on."""
    user = reader()
    values = {key: getattr(user, key) or "" for key in _FIELDS}
    new = request.form.get("new_password", "")
    try:
        # Counted like a sign-in, so that a browser left open is no way to try passwords.
        if accounts.sign_in(user.email or "", request.form.get("password", ""), request.remote_addr or "") is None:
            raise AccountError("password", _("This is not your present password; type it again."))
        if new != request.form.get("repeated", ""):
            raise AccountError("repeated", _("The two new passwords are not the same; type them again."))
        _set_password(new)
    except AccountError as problem:
        return _page(values, {problem.field: str(problem)})
    login_user(reader())
    flash(_("Your password was changed. You are signed out everywhere else."))
    return redirect(url_for("desk.me"), 303)


def _set_password(new: str) -> None:
    try:
        accounts.set_password(reader(), new, reader())
    except AccountError as problem:
        raise AccountError("new_password", str(problem)) from problem


def _page(values: dict[str, str], errors: dict[str, str]) -> Any:
    page = render_template("desk/me.html", values=values, errors=errors, zones=zone_choices())
    return make_response(page, 422 if errors else 200)
