"""An agent's calls in their own calendar program."""

from typing import Any

from flask import Response, abort, flash, redirect, request, url_for

from helpdesk.api import db, machine_page, permission_required, reader, speaking
from helpdesk.api import gettext as _
from helpdesk_callbacks import feed
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.invitations import CONTENT_TYPE
from helpdesk_callbacks.invitations import feed as calendar_of
from helpdesk_callbacks.models import Feed
from helpdesk_callbacks.permissions import USE


@pages.get("/feed")
@permission_required(USE)
def feed_page() -> Any:
    """Whether there is an address, and the buttons that make or end it."""
    return show("feed.html", row=db.session.get(Feed, reader().id), address="")


@pages.post("/feed")
@permission_required(USE)
def renew_feed() -> Any:
    """A new address, shown this once."""
    made = feed.renew(reader())
    return show("feed.html", row=db.session.get(Feed, reader().id), address=made)


@pages.post("/feed/stop")
@permission_required(USE)
def stop_feed() -> Any:
    """End the address."""
    feed.stop(reader())
    flash(_("Your calendar address is off."))
    return redirect(url_for("callbacks.feed_page"), 303)


@pages.get("/feed/<secret>.ics")
@machine_page
def calendar(secret: str) -> Any:
    """The calendar; a program that has it already is told so (RFC 9110, 13.1.2)."""
    agent = feed.agent_of(secret)
    if agent is None:
        abort(404)
    with speaking(agent.locale):
        data = calendar_of(feed.calls_of(agent), _("Promised calls"))
    answer = Response(data, content_type=f"{CONTENT_TYPE}; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)
