"""The reader's own preferences."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import refresh

from helpdesk.core.accounts import AccountError
from helpdesk.core.profile import set_preferences
from helpdesk.core.settings import zone_choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.session import reader

_FIELDS = ("name", "locale", "time_zone", "color_scheme", "signature")


@desk.get("/me")
def me() -> Any:
    """Language, time zone, light or dark, signature."""
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


def _page(values: dict[str, str], errors: dict[str, str]) -> Any:
    page = render_template("desk/me.html", values=values, errors=errors, zones=zone_choices())
    return make_response(page, 422 if errors else 200)
