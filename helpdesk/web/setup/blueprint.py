"""The blueprint of the first start and what its pages share."""

from typing import Any

from flask import Blueprint, g, make_response, render_template
from flask_babel import gettext as _
from flask_login import current_user

from helpdesk.core import settings

setup = Blueprint("setup", __name__, url_prefix="/setup")


@setup.before_request
def _never_stored() -> None:
    g.no_store = True


def page(template: str, step: int, code: int = 200, **values: Any) -> Any:
    """One step, with the list of all of them beside it."""
    return make_response(render_template(f"setup/{template}.html", step=step, steps=_steps(step), **values), code)


def _steps(step: int) -> list[tuple[str, str]]:
    desk = settings.get(settings.DeskSettings)
    admin = current_user.email if current_user.is_authenticated else ""
    return [
        (_("Name and language"), desk.name if step > 1 else _("How customers see you")),
        (_("Administrator"), admin or _("The first account")),
        (_("Outgoing mail"), _("How your replies leave")),
        (_("Team"), _("Who answers with you")),
        (_("Sample tickets"), _("To try things, or none")),
    ]
