"""Saying that no more care mail is wanted: by one click in a mail program (RFC 8058), or on a page with a button."""

from typing import Any

from flask import abort, g, make_response, render_template, request
from flask_babel import gettext as _

from helpdesk.core import deliveries, i18n, links, workflow
from helpdesk.core.extensions import csrf
from helpdesk.core.models import User
from helpdesk.web.portal.blueprint import check_form, portal

# What a mail program posts (RFC 8058, 3.2). It has no session; the address itself proves where it comes from.
_ONE_CLICK = ("List-Unsubscribe", "One-Click")


@portal.get("/unsubscribe/<token>")
def unsubscribe(token: str) -> Any:
    """The button. Opening the address alone changes nothing: scanners of mails open every link."""
    user = _person(token)
    return _page(token, done=not user.care_mail)


@portal.post("/unsubscribe/<token>")
@csrf.exempt
def stop_care(token: str) -> Any:
    """Write down the wish; the second time changes nothing more."""
    user = _person(token)
    if request.form.get(_ONE_CLICK[0]) != _ONE_CLICK[1]:
        try:
            check_form()
        except workflow.Invalid:
            return _page(token, done=False, error=_("This page was open for long. Press the button once more."))
    deliveries.stop_care(user)
    return _page(token, done=True)


def _person(token: str) -> User:
    """Whose wish it is; the page speaks their language, unless this browser chose another."""
    g.no_store = True
    user = links.redeem_unsubscribe(token)
    if user is None:
        abort(404)
    if not request.cookies.get(i18n.cookie_name()) and i18n.known_locale(user.locale):
        i18n.use_locale(str(user.locale))
    return user


def _page(token: str, *, done: bool, error: str = "") -> Any:
    page = render_template("portal/unsubscribe.html", token=token, done=done, error=error)
    return make_response(page, 422 if error else 200)
