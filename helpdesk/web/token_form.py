"""The form that makes a token, and the page that shows it once; for people's own tokens and for those of programs."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import g, make_response, render_template, request
from flask_babel import get_timezone
from flask_babel import gettext as _

from helpdesk.core import api_tokens, links, scopes
from helpdesk.core.api_tokens import TokenError
from helpdesk.core.clock import now
from helpdesk.core.models import User
from helpdesk.core.models.user import ADMIN

_DAYS = ("30", "90", "365")
_DATE, _NEVER = "date", "never"


def blank() -> dict[str, Any]:
    """The form as it begins: for three months, and nothing chosen."""
    return {"name": "", "scopes": [], "expires": "90", "date": ""}


def typed() -> dict[str, Any]:
    """The form as it was sent."""
    form = request.form
    return {
        "name": form.get("name", ""),
        "scopes": form.getlist("scopes"),
        "expires": form.get("expires", ""),
        "date": form.get("date", ""),
    }


def make(user: User, values: dict[str, Any], actor: User) -> api_tokens.Made:
    """Make the token that the form describes. Raises TokenError, NotAllowed."""
    expires_at, never = _expiry(values)
    return api_tokens.make(user, values["name"], values["scopes"], expires_at, actor, never=never)


def shown_once(made: api_tokens.Made, back: str) -> Any:
    """The page with the token; nothing keeps it, and no browser is to."""
    g.no_store = True
    address = links.address() + "/api/v1"
    page = render_template("desk/token_made.html", token=made.row, secret=made.secret, back=back, address=address)
    return make_response(page)


def choices(actor: User) -> list[tuple[str, str]]:
    """How long a token may be good for."""
    days = [(number, _("%(number)s days", number=number)) for number in _DAYS]
    never = [(_NEVER, _("Never: whoever finds it uses it until somebody revokes it"))] if actor.role == ADMIN else []
    return [*days, (_DATE, _("Until the day below")), *never]


def parts(user: User, actor: User) -> dict[str, Any]:
    """What the template of a list of tokens with its form needs besides the values typed."""
    return {
        "tokens": api_tokens.list_of(user),
        "groups": scopes.offered(user),
        "labels": scopes.labels(),
        "choices": choices(actor),
        "is_expired": api_tokens.is_expired,
    }


def _expiry(values: dict[str, Any]) -> tuple[datetime | None, bool]:
    if values["date"] and values["expires"] != _DATE:
        # Not guessed: the token would be good for longer than one of the two says.
        raise TokenError("date", _("To use this day, choose “Until the day below”; otherwise empty this field."))
    if values["expires"] == _NEVER:
        return None, True
    if values["expires"] in _DAYS:
        return now() + timedelta(days=int(values["expires"])), False
    if values["expires"] != _DATE:
        return None, False
    try:
        day = date.fromisoformat(values["date"])
        # To the end of that day, where the person is.
        return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=get_timezone()), False
    except (ValueError, OverflowError):
        raise TokenError("date", _("Write a day like 2026-02-14.")) from None
