"""What somebody who leaves has in hand goes to a person or a team."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import handover
from helpdesk.core.extensions import db
from helpdesk.core.handover import Receiver
from helpdesk.core.models import Team, User
from helpdesk.core.workflow import Invalid
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.people import user_or_404
from helpdesk.web.desk import choices
from helpdesk.web.session import reader


@admin.get("/people/<int:user_id>/handover")
@needs("user.edit")
def handover_form(user_id: int) -> Any:
    """What it is, and to whom it may go."""
    return _form(user_or_404(user_id), {})


@admin.post("/people/<int:user_id>/handover")
@needs("user.edit")
def hand_over(user_id: int) -> Any:
    """Hand it over: at once, or as a job where it is much."""
    user = user_or_404(user_id)
    to = _receiver(request.form.get("to", ""))
    try:
        job = handover.hand_over(user, to, reader())
    except Invalid as problem:
        return _form(user_or_404(user_id), {problem.field: str(problem)})
    user = user_or_404(user_id)
    if job is not None:
        flash(_("The work of %(name)s is being handed over to %(to)s.", name=user.display_name, to=to.name))
        return redirect(url_for("admin.job", job_id=job.id), 303)
    flash(_("The work of %(name)s was handed over to %(to)s.", name=user.display_name, to=to.name))
    return redirect(url_for("admin.person", user_id=user_id), 303)


def _receiver(text: str) -> Receiver:
    """The one that the form names: "person-3" or "team-1"."""
    kind, _dash, number = text.partition("-")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        if kind == "person":
            return Receiver(person=db.session.get(User, int(number)))
        if kind == "team":
            return Receiver(team=db.session.get(Team, int(number)))
    return Receiver()


def _form(user: User, errors: dict[str, str]) -> Any:
    page = render_template(
        "admin/handover.html",
        user=user,
        found=handover.holdings(user),
        people=[one for one in choices.agents() if one.id != user.id],
        teams=choices.teams(),
        chosen=request.form.get("to", ""),
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)
