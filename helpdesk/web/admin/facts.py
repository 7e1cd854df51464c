"""Facts that plugins have not taken in: told again, or discarded."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core.events import held
from helpdesk.core.events.held import Held
from helpdesk.core.extensions import db
from helpdesk.core.models import HeldFact
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.confirm import ask
from helpdesk.web.admin.listing import SIZE, Slice, text_asked_for
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@admin.get("/facts")
@needs("job.read")
def facts() -> Any:
    """What is held, a line for each ticket and plugin, newest first; ``plugin`` narrows it down."""
    plugin, before = text_asked_for("plugin"), request.args.get("after", type=row_number)
    page = _page(held.listed(plugin=plugin, before=before, limit=SIZE + 1))
    return render_template(
        "admin/facts.html",
        page=page,
        plugin=plugin,
        plugins=sorted({*manager.current().plugins, *([plugin] if plugin else [])}),
        moves=any(line.running for line in page.rows),
        may_edit=allowed(reader(), "job.edit"),
    )


@admin.post("/facts/<name>/<int:event_id>/replay")
@needs("job.edit")
def replay_fact(name: str, event_id: int) -> Any:
    """Tell a plugin again of what is held of the ticket of an event."""
    _fact(name, event_id)
    if held.replay(name, event_id, reader()) is not None:
        flash(_("The plugin is told again."))
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return redirect(url_for("admin.facts"), 303)


@admin.get("/facts/<name>/<int:event_id>/discard")
@needs("job.edit")
def confirm_discard(name: str, event_id: int) -> Any:
    """Ask whether a plugin is never to hear of an event."""
    fact = _fact(name, event_id)
    return ask(
        heading=_("Discard this fact?"),
        code=f"{name}: {fact.event.kind}" + (f" #{fact.ticket_id}" if fact.ticket_id else ""),
        lead=_(
            "The plugin is never told of it, and what it makes of such facts will lack this one. Nothing of the ticket "
            "changes; the facts that stand behind it go on."
        ),
        button=_("Discard"),
        action=url_for("admin.discard_fact", name=name, event_id=event_id),
        back=url_for("admin.facts"),
        danger=True,
    )


@admin.post("/facts/<name>/<int:event_id>/discard")
@needs("job.edit")
def discard_fact(name: str, event_id: int) -> Any:
    """Never tell a plugin of an event; those behind it go on."""
    _fact(name, event_id)
    if held.discard(name, event_id, reader()):
        flash(_("The fact is discarded."))
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return redirect(url_for("admin.facts"), 303)


def _fact(plugin: str, event_id: int) -> HeldFact:
    found = db.session.get(HeldFact, (plugin, event_id)) if event_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _page(found: list[Held]) -> Slice:
    """Cut so that no event, which several plugins may have failed on, stands on two pages."""
    if len(found) <= SIZE:
        return Slice(found, None)
    beyond = found[SIZE].fact.event_id
    rows = [line for line in found if line.fact.event_id != beyond] or found[:SIZE]
    return Slice(rows, rows[-1].fact.event_id)
