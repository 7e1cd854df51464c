"""How one of staff reads, and which languages they have."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import User, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_multilingual import agents, choosing, reading
from helpdesk_multilingual.blueprint import pages, show
from helpdesk_multilingual.models import LEVELS
from helpdesk_multilingual.permissions import USE

# So many languages can be added in one go.
MORE = 2
_MOST = 30


@pages.get("/me")
@permission_required(USE)
def me() -> Any:
    """Into which language messages are translated for the reader, whether always, and what the reader speaks."""
    target, always = reading.choice_of(reader())
    return show("me.html", always=always, target=target or reading.target_for(reader()), **rows_of(reader()))


@pages.post("/me")
@permission_required(USE)
def save_me() -> Any:
    """Keep both."""
    user, form = reader(), request.form
    target, (spoken, problem) = choosing.read(form, "target"), read_rows()
    if problem:
        shown = {"always": "always" in form, "target": target, "rows": spoken, "problem": problem}
        return show("me.html", 422, **shown)
    reading.choose(user, target, "always" in form)
    agents.save(user, dict(spoken), user)
    flash(_("Your languages were saved."))
    return redirect(url_for("multilingual.me"), 303)


def rows_of(person: User) -> dict[str, Any]:
    """The languages that somebody has, as the form shows them."""
    return {"rows": list(agents.of(person).items()), "problem": ""}


def read_rows() -> tuple[list[tuple[str, str]], str]:
    """Languages and levels as they were sent, and what is wrong with them. Rows without a language are left out."""
    chosen = zip(request.form.getlist("language"), request.form.getlist("level"), strict=False)
    spoken = [(language, level) for language, level in chosen if language][:_MOST]
    if any(not choosing.read({"one": language}, "one") or level not in LEVELS for language, level in spoken):
        return [], _("Choose each language and how well it is known from the lists.")
    if len({language for language, _level in spoken}) < len(spoken):
        return spoken, _("One language is there twice; leave one of them out.")
    return spoken, ""
