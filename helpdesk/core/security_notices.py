"""Mails that tell people what happened to their account. They hold no link that lets anybody in."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from babel.dates import format_datetime
from flask import has_request_context, request
from flask_babel import get_locale, get_timezone, ngettext
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import deliveries, user_agents
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.core.models.user import ADMIN

KIND = "security"
PASSWORD_CHANGED, NEW_BROWSER, CODES_TRIED = "password_changed", "new_browser", "codes_tried"
FACTOR_ON, FACTOR_OFF, FACTOR_TAKEN = "factor_on", "factor_off", "factor_taken"
RECOVERY_USED, RECOVERY_MADE = "recovery_used", "recovery_made"
TOKEN_MADE, PROGRAM_TOKEN_MADE, TOKEN_EXPIRES = "token_made", "program_token_made", "token_expires"


def tell(user: User, act: str, **facts: str | int) -> None:
    """Write a mail to a person: that ``act`` was done to their account, when, and from where. Joins the transaction."""
    _queue([user], act, facts)


def tell_administrators(act: str, **facts: str | int) -> None:
    """Write a mail to each administrator: that ``act`` was done to the desk. Joins the transaction."""
    administrators = select(User).where(User.role == ADMIN, User.active, ~User.is_service).order_by(User.id)
    _queue(db.session.scalars(administrators).all(), act, facts)


def _queue(people: Iterable[User], act: str, facts: dict[str, str | int]) -> None:
    data: dict[str, Any] = {"act": act, "at": now().isoformat(timespec="seconds"), **facts}
    if has_request_context():
        data["address"] = request.remote_addr or ""
        data["agent"] = request.user_agent.string[:300]
    deliveries.queue(KIND, people, data=data)


def words(data: dict[str, Any], desk: str) -> tuple[str, str]:
    """Subject and text of a notice, in the language that is spoken now."""
    subject, what = _what(data, desk)
    lines = [what, "", _("When: %(time)s", time=_time(data["at"]))]
    if data.get("address"):
        browser = user_agents.name_of(data.get("agent", ""))
        lines.append(_("From: %(address)s, %(browser)s", address=data["address"], browser=browser))
    lines += ["", _what_to_do(data.get("act"))]
    return subject, "\n".join(lines)


def _what_to_do(act: str | None) -> str:
    if act == TOKEN_MADE:
        return _(
            "If this was you, there is nothing to do. If not, open the desk as you always do, revoke it under “Your "
            "tokens” in your preferences, and tell an administrator."
        )
    if act == PROGRAM_TOKEN_MADE:
        return _(
            "If you know of this, there is nothing to do. If not, open the desk as you always do, revoke it under "
            "“Settings, Programs”, and look into the record for who made it."
        )
    if act == TOKEN_EXPIRES:
        return _("If nothing uses it any more, there is nothing to do: it ends by itself.")
    return _(
        "If this was you, or somebody of your team for you, there is nothing to do. If not, open the desk as you "
        "always do, choose a new password, sign out everywhere else, and tell an administrator."
    )


def _time(text: str) -> str:
    return str(format_datetime(datetime.fromisoformat(text), "long", tzinfo=get_timezone(), locale=get_locale()))


def _what(data: dict[str, Any], desk: str) -> tuple[str, str]:
    act = data.get("act")
    if act == PASSWORD_CHANGED:
        return _("Your password was changed"), _("The password of your account at %(desk)s was changed.", desk=desk)
    if act == NEW_BROWSER:
        return _("A new browser signed in"), _(
            "Somebody signed in to your account at %(desk)s with a browser that was not seen before.", desk=desk
        )
    if act == CODES_TRIED:
        return _("Wrong codes were tried"), _(
            "Somebody typed your password at %(desk)s, and then several wrong codes. They were not let in.", desk=desk
        )
    if act == FACTOR_ON:
        return _("Two-step sign-in is on"), _(
            "From now on, signing in to %(desk)s takes a code of your app besides the password.", desk=desk
        )
    if act == FACTOR_OFF:
        return _("Two-step sign-in is off"), _(
            "Signing in to %(desk)s takes the password alone now; no code is asked for.", desk=desk
        )
    if act == FACTOR_TAKEN:
        return _("Two-step sign-in was taken away"), _(
            "An administrator of %(desk)s took away your second step of signing in, as one does when a phone is lost.",
            desk=desk,
        )
    if act == RECOVERY_USED:
        return _("A recovery code was used"), ngettext(
            "A recovery code of your account at %(desk)s was used; %(num)s recovery code is left.",
            "A recovery code of your account at %(desk)s was used; %(num)s recovery codes are left.",
            data.get("left", 0),
            desk=desk,
        )
    if act == RECOVERY_MADE:
        return _("New recovery codes were made"), _(
            "New recovery codes were made for your account at %(desk)s; those from before no longer work.", desk=desk
        )
    if act == TOKEN_MADE:
        return _("A token was made"), _(
            "A token for programs, “%(name)s”, was made for your account at %(desk)s.",
            name=data.get("name", ""),
            desk=desk,
        )
    if act == PROGRAM_TOKEN_MADE:
        return _("A token was made for a program"), _(
            "A token, “%(name)s”, was made for the program “%(program)s” at %(desk)s.",
            name=data.get("name", ""),
            program=data.get("program", ""),
            desk=desk,
        )
    if act == TOKEN_EXPIRES:
        return _("A token expires soon"), _(
            "The token “%(name)s” for programs at %(desk)s expires on %(day)s. Make another if it is still used.",
            name=data.get("name", ""),
            day=data.get("day", ""),
            desk=desk,
        )
    return _("Your account was changed"), _("Something about your account at %(desk)s was changed.", desk=desk)
