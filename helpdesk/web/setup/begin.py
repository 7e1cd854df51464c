"""Steps 1 and 2: what the desk is called, and its first administrator. Whoever has the link may take them."""

from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from helpdesk.core import accounts, i18n, settings
from helpdesk.core.accounts import AccountError
from helpdesk.core.models.user import ADMIN
from helpdesk.core.settings import DeskSettings, InvalidSettings, zone_choices
from helpdesk.core.transaction import transaction
from helpdesk.web.auth.sessions import enter
from helpdesk.web.setup.blueprint import page, setup


@setup.get("/<secret>")
def desk(secret: str) -> Any:
    """Step 1: name, language, time zone."""
    _check(secret)
    current = settings.get(DeskSettings)
    name = "" if current.name == DeskSettings().name else current.name
    values = {"name": name, "default_locale": str(get_locale()), "time_zone": current.time_zone}
    return page("desk", 1, secret=secret, values=values, errors={}, zones=zone_choices())


@setup.post("/<secret>")
def save_desk(secret: str) -> Any:
    """Keep step 1 and go on."""
    _check(secret)
    values = {key: request.form.get(key, "") for key in ("name", "default_locale", "time_zone")}
    try:
        settings.save(DeskSettings, values, None)
    except InvalidSettings as problem:
        return page("desk", 1, 422, secret=secret, values=values, errors=problem.errors, zones=zone_choices())
    return redirect(url_for("setup.administrator", secret=secret), 303)


@setup.get("/<secret>/administrator")
def administrator(secret: str) -> Any:
    """Step 2: the first account."""
    _check(secret)
    return page("administrator", 2, secret=secret, values={}, errors={})


@setup.post("/<secret>/administrator")
def make_administrator(secret: str) -> Any:
    """Use the link up and make the account, in one transaction: of many tries at once one wins."""
    _check(secret)
    values = {key: request.form.get(key, "") for key in ("name", "email")}
    password = request.form.get("password", "")
    try:
        if not values["name"].strip():
            raise AccountError("name", _("Write your name; customers and colleagues see it."))
        accounts.clean_email(values["email"])
        accounts.check_password_rules(password)
        with transaction():
            if accounts.has_admin() or not accounts.use_token(accounts.SETUP, secret):
                abort(_gone())
            user = accounts.create_user(
                values["email"],
                values["name"],
                ADMIN,
                None,
                password=password,
                locale=i18n.known_locale(str(get_locale())),
            )
    except AccountError as problem:
        return page("administrator", 2, 422, secret=secret, values=values, errors={problem.field: str(problem)})
    return enter(user, user.auth_stamp, ("setup",), url_for("setup.mailbox"))


def _check(secret: str) -> None:
    if accounts.has_admin() or accounts.find_token(accounts.SETUP, secret) is None:
        abort(_gone())


def _gone() -> Any:
    return make_response(render_template("setup/gone.html", set_up=accounts.has_admin()), 404)
