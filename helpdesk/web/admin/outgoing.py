"""What goes out: what waits and why, what was sent, failed or came back; sent again, held back."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from sqlalchemy import or_, select

from helpdesk.core import repairs
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery
from helpdesk.core.models import delivery as deliveries
from helpdesk.core.permissions import allowed
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.confirm import ask
from helpdesk.web.admin.listing import counts, slice_of, text_asked_for
from helpdesk.web.session import reader

_COUNTED_STATES = (deliveries.WAITING, deliveries.FAILED, deliveries.BOUNCED)


@admin.get("/mail/out")
@needs("delivery.read")
def mail_out() -> Any:
    """Outgoing messages, newest first; ``state`` and ``text`` (in address and reason) narrow them down."""
    state, text = request.args.get("state", ""), text_asked_for()
    query = select(Delivery)
    if state in deliveries.STATES:
        query = query.where(Delivery.state == state)
    if text:
        places = (Delivery.address, Delivery.error)
        query = query.where(or_(*(place.icontains(text, autoescape=True) for place in places)))
    return render_template(
        "admin/mail_out.html",
        page=slice_of(query, Delivery.id),
        state=state if state in deliveries.STATES else "",
        text=text,
        states=_states(),
        kinds=_kinds(),
        counts=counts({one: select(Delivery.id).where(Delivery.state == one) for one in _COUNTED_STATES}),
        may_edit=allowed(reader(), "intake.edit"),
    )


@admin.post("/mail/out/<int:delivery_id>/<any(retry, cancel, now):act>")
@needs("intake.edit")
def settle_outgoing(delivery_id: int, act: str) -> Any:
    """Send a message again; try one that waits now, or hold it back."""
    delivery = db.session.get(Delivery, delivery_id) if delivery_id < 2**63 else None
    if delivery is None:
        abort(404)
    if act == "retry" and repairs.retry_outgoing(delivery, reader()):
        flash(_("It is being sent again."))
    elif act == "now" and repairs.try_outgoing(reader(), delivery):
        flash(_("It is tried now."))
    elif act == "cancel" and repairs.cancel_outgoing(delivery, reader()):
        flash(_("It is held back; nothing is sent."))
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return redirect(url_for("admin.mail_out", state=request.args.get("state")), 303)


@admin.get("/mail/out/retry-failed")
@needs("intake.edit")
def confirm_retry_outgoing() -> Any:
    """Ask whether all failed messages are to be sent again."""
    count = repairs.count_failed_outgoing()
    if not count:
        flash(_("No message has failed."), "warn")
        return redirect(url_for("admin.mail_out"), 303)
    return ask(
        heading=ngettext("Send %(num)s failed message again?", "Send %(num)s failed messages again?", count),
        lead=_("Each goes to the address that it failed for. Look first whether the reason is mended."),
        button=_("Send again"),
        action=url_for("admin.retry_outgoing"),
        back=url_for("admin.mail_out", state=deliveries.FAILED),
    )


@admin.post("/mail/out/retry-failed")
@needs("intake.edit")
def retry_outgoing() -> Any:
    """Send the failed messages again, so many at once."""
    count = repairs.retry_failed_outgoing(reader())
    flash(ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", count))
    return redirect(url_for("admin.mail_out"), 303)


@admin.post("/mail/out/try-waiting")
@needs("intake.edit")
def try_outgoing() -> Any:
    """Try the messages now that wait for another try, so many at once."""
    if count := repairs.try_outgoing(reader()):
        flash(ngettext("%(num)s waiting message is tried now.", "%(num)s waiting messages are tried now.", count))
    else:
        flash(_("No message waits for another try."), "warn")
    return redirect(url_for("admin.mail_out", state=deliveries.WAITING), 303)


def _states() -> list[tuple[str, str]]:
    return [
        (deliveries.WAITING, pgettext("outgoing", "Waiting")),
        (deliveries.SENT, pgettext("outgoing", "Sent")),
        (deliveries.FAILED, pgettext("outgoing", "Failed")),
        (deliveries.BOUNCED, pgettext("outgoing", "Came back")),
        (deliveries.CANCELLED, pgettext("outgoing", "Not sent")),
    ]


def _kinds() -> dict[str, str]:
    """What a message is about."""
    return {
        "agent": pgettext("outgoing", "Word to an agent"),
        "notices": pgettext("outgoing", "Notices to an agent"),
        "care": pgettext("outgoing", "Care mail"),
        "letter": pgettext("outgoing", "What was arranged"),
        "reply": pgettext("outgoing", "Answer"),
        "notice": pgettext("outgoing", "Notice of receipt"),
        "solved": pgettext("outgoing", "Question whether it is solved"),
        "invitation": pgettext("outgoing", "Invitation"),
        "security": pgettext("outgoing", "Security notice"),
        "reset": pgettext("outgoing", "New password"),
    }
