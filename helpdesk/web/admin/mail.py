"""What came in, what went out, and what could not."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import select

from helpdesk.core import files, repairs
from helpdesk.core.events.reasons import reason_text
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake
from helpdesk.core.models import delivery as deliveries
from helpdesk.core.models import intake as intakes
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.downloads import stored_file
from helpdesk.web.session import reader

# So much of a raw mail is shown; the rest is in the download.
_SHOWN = 200_000


@admin.get("/mail")
@needs("intake.read")
def mail() -> Any:
    """Incoming items, newest first."""
    state = request.args.get("state", "")
    query = select(Intake)
    if state in intakes.STATES:
        query = query.where(Intake.state == state)
    page = slice_of(query, Intake.id)
    return render_template("admin/mail.html", page=page, state=state, states=_states(), why=reason_text)


@admin.get("/mail/<int:item_id>")
@needs("intake.read")
def mail_item(item_id: int) -> Any:
    """One incoming item with its source."""
    item = _item(item_id)
    try:
        with files.path_of(item.sha256).open("rb") as file:
            source = file.read(_SHOWN).decode("utf-8", "replace")
    except FileNotFoundError:
        source = ""
    return render_template(
        "admin/mail_item.html", item=item, source=source, cut=item.size > _SHOWN, names=dict(_states()), why=reason_text
    )


@admin.get("/mail/<int:item_id>/source")
@needs("intake.read")
def mail_source(item_id: int) -> Any:
    """The raw item as it came in."""
    item = _item(item_id)
    return stored_file(item.sha256, f"{item.id}.eml", "message/rfc822", inline=False)


@admin.post("/mail/<int:item_id>/<any(retry, discard):act>")
@needs("intake.edit")
def settle_mail(item_id: int, act: str) -> Any:
    """Try an item in quarantine again, or put it aside for good."""
    item = _item(item_id)
    if act == "discard" and repairs.discard_incoming(item, reader()):
        flash(_("The message was put aside; its source is kept."))
    elif act == "retry" and repairs.retry_incoming(item, reader()) is not None:
        flash(_("Tried again: %(outcome)s", outcome=dict(_states()).get(item.state, item.state)))
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return redirect(url_for("admin.mail_item", item_id=item_id), 303)


@admin.get("/mail/out")
@needs("delivery.read")
def mail_out() -> Any:
    """Outgoing messages, newest first."""
    state = request.args.get("state", "")
    query = select(Delivery)
    if state in deliveries.STATES:
        query = query.where(Delivery.state == state)
    page = slice_of(query, Delivery.id)
    return render_template("admin/mail_out.html", page=page, state=state, states=_out_states(), kinds=_kinds())


@admin.post("/mail/out/<int:delivery_id>/retry")
@needs("intake.edit")
def retry_mail(delivery_id: int) -> Any:
    """Send a failed message again."""
    delivery = db.session.get(Delivery, delivery_id) if delivery_id < 2**63 else None
    if delivery is None:
        abort(404)
    if repairs.retry_outgoing(delivery, reader()):
        flash(_("It is being sent again."))
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return redirect(url_for("admin.mail_out"), 303)


def _item(item_id: int) -> Intake:
    item = db.session.get(Intake, item_id) if item_id < 2**63 else None
    if item is None:
        abort(404)
    return item


def _states() -> list[tuple[str, str]]:
    return [
        (intakes.RECEIVED, pgettext("incoming", "Waiting")),
        (intakes.DONE, pgettext("incoming", "Taken in")),
        (intakes.IGNORED, pgettext("incoming", "Ignored")),
        (intakes.QUARANTINED, pgettext("incoming", "Needs attention")),
        (intakes.DISCARDED, pgettext("incoming", "Put aside")),
    ]


def _out_states() -> list[tuple[str, str]]:
    return [
        (deliveries.WAITING, pgettext("outgoing", "Waiting")),
        (deliveries.SENT, pgettext("outgoing", "Sent")),
        (deliveries.FAILED, pgettext("outgoing", "Failed")),
        (deliveries.CANCELLED, pgettext("outgoing", "Not sent")),
    ]


def _kinds() -> dict[str, str]:
    """What a message is about; a plugin's kind is called by its name."""
    return {
        "reply": pgettext("outgoing", "Answer"),
        "notice": pgettext("outgoing", "Notice of receipt"),
        "invitation": pgettext("outgoing", "Invitation"),
        "reset": pgettext("outgoing", "New password"),
    }
