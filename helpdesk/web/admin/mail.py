"""What came in, what became of it and why, and what needs attention."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from markupsafe import Markup
from sqlalchemy import Select, func, or_, select

from helpdesk.core import files, markup, repairs
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.events.reasons import decision_text
from helpdesk.core.extensions import db
from helpdesk.core.models import Intake
from helpdesk.core.models import intake as intakes
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import SIZE, counts, slice_of, text_asked_for
from helpdesk.web.downloads import stored_file
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

# So much of a raw mail is shown; the rest is in the download.
_SHOWN = 200_000
# Larger ones are not taken apart for a page.
_READABLE = 10 * 1024 * 1024
# Addresses of ours to choose from; who has more finds them by the address of the page.
_ACCOUNTS = 50
# Several are tried again one after the other; whoever waits is not kept longer.
_PATIENCE = 15.0
_AGAIN = (intakes.QUARANTINED, intakes.IGNORED, intakes.DISCARDED)


@dataclass(frozen=True)
class Reading:
    """A kept item as its channel understands it now; ``problem`` where it cannot be read."""

    draft: IntakeDraft | None = None
    body: Markup = field(default_factory=Markup)
    problem: str = ""


@admin.get("/mail")
@needs("intake.read")
def mail() -> Any:
    """Incoming items, newest first; ``state``, ``account`` and ``text`` (sender, subject) narrow them down."""
    state, account, text = request.args.get("state", ""), request.args.get("account", "")[:255], text_asked_for()
    query = select(Intake)
    if state in intakes.STATES:
        query = query.where(Intake.state == state)
    if account:
        query = query.where(Intake.account == account)
    if text:
        query = query.where(_fits(text))
    return render_template(
        "admin/mail.html",
        page=slice_of(query, Intake.id),
        state=state if state in intakes.STATES else "",
        account=account,
        accounts=_accounts(account),
        text=text,
        states=_states(),
        counts=counts({intakes.QUARANTINED: select(Intake.id).where(Intake.state == intakes.QUARANTINED)}),
        decide=decision_text,
        again=_AGAIN if allowed(reader(), "intake.edit") else (),
    )


@admin.get("/mail/<int:item_id>")
@needs("intake.read")
def mail_item(item_id: int) -> Any:
    """One incoming item: what was understood, then its source."""
    item = _item(item_id)
    try:
        with files.path_of(item.sha256).open("rb") as file:
            raw = file.read(_READABLE + 1)
    except FileNotFoundError:
        raw = b""
    return render_template(
        "admin/mail_item.html",
        item=item,
        reading=_read(item, raw),
        source=raw[:_SHOWN].decode("utf-8", "replace"),
        cut=item.size > _SHOWN,
        names=dict(_states()),
        decide=decision_text,
        again=_AGAIN,
        may_edit=allowed(reader(), "intake.edit"),
    )


@admin.get("/mail/<int:item_id>/source")
@needs("intake.read")
def mail_source(item_id: int) -> Any:
    """The raw item as it came in."""
    item = _item(item_id)
    return stored_file(item.sha256, f"{item.id}.eml", "message/rfc822", inline=False)


@admin.post("/mail/<int:item_id>/<any(retry, accept, discard):act>")
@needs("intake.edit")
def settle_mail(item_id: int, act: str) -> Any:
    """Try an item again, let one in that was held, or put it aside for good."""
    item = _item(item_id)
    if act == "discard" and repairs.discard_incoming(item, reader()):
        flash(_("The message was put aside; its source is kept."))
    elif act == "retry" and repairs.retry_incoming(item, reader()) is not None:
        flash(_("Tried again: %(outcome)s", outcome=_became(item)))
    elif act == "accept" and (outcome := repairs.accept_incoming(item, reader())) is not None:
        flash(_("Let in: %(outcome)s", outcome=_became(item)))
        if outcome.message_id is not None:
            # What is to be done with it is done there.
            return redirect(url_for("desk.ticket", number=outcome.ticket_id, _anchor=f"m{outcome.message_id}"), 303)
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return redirect(url_for("admin.mail_item", item_id=item_id), 303)


@admin.post("/mail")
@needs("intake.edit")
def settle_mails() -> Any:
    """Try several again, or put them aside."""
    numbers = request.form.getlist("items", type=row_number)[:SIZE]
    items = [item for number in numbers if (item := db.session.get(Intake, number)) is not None]
    act = request.form.get("act")
    if not items:
        flash(_("Choose some first."), "warn")
    elif act == "retry":
        done = _retry(items)
        flash(ngettext("%(num)s message was tried again.", "%(num)s messages were tried again.", done))
    elif act == "discard":
        done = _discard(items)
        flash(ngettext("%(num)s message was put aside.", "%(num)s messages were put aside.", done))
    kept: dict[str, Any] = {name: request.args.get(name) for name in ("state", "account", "text")}
    return redirect(url_for("admin.mail", **kept), 303)


def _retry(items: Sequence[Intake]) -> int:
    done, end = 0, time.monotonic() + _PATIENCE
    for item in items:
        if time.monotonic() > end:
            flash(_("The rest was left for later; choose it again."), "warn")
            break
        done += repairs.retry_incoming(item, reader()) is not None
    return done


def _discard(items: Sequence[Intake]) -> int:
    return sum(repairs.discard_incoming(item, reader()) for item in items)


def _became(item: Intake) -> str:
    return decision_text(item.outcome, item.ticket_id, item.reason) or dict(_states()).get(item.state, item.state)


def _item(item_id: int) -> Intake:
    item = db.session.get(Intake, item_id) if item_id < 2**63 else None
    if item is None:
        abort(404)
    return item


def _fits(text: str) -> Any:
    """A whole address is looked up, other words are looked for in sender and subject."""
    exact = Intake.sender == text.lower()
    if "@" in text and db.session.scalar(select(Intake.id).where(exact).limit(1)) is not None:
        return exact
    return or_(*(place.icontains(text, autoescape=True) for place in (Intake.sender, Intake.subject)))


def _accounts(chosen: str) -> list[str]:
    """Our addresses that took something in, and the chosen one: each by one step in the index, in one query."""
    first = select(func.min(Intake.account).label("account")).where(Intake.account != "").cte("known", recursive=True)
    after: Select[Any] = select(func.min(Intake.account)).where(Intake.account > first.c.account)
    known = first.union_all(select(after.scalar_subquery()).where(first.c.account.is_not(None)))
    query = select(known.c.account).where(known.c.account.is_not(None)).limit(_ACCOUNTS)
    return sorted({*db.session.scalars(query), *([chosen] if chosen else [])})


def _read(item: Intake, raw: bytes) -> Reading:
    """What the item's channel makes of it. A hostile one must not cost the page."""
    if not raw:
        return Reading(problem=_("Its source is not there any more."))
    if len(raw) > _READABLE:
        return Reading(problem=_("It is too large to be shown here; download its source."))
    channel = manager.current().find("register_channels", item.channel)
    if channel is None or channel.parse is None:
        return Reading(problem=_("The channel “%(name)s” is off.", name=item.channel))
    try:
        draft: IntakeDraft = channel.parse(raw)
        html = markup.clean_html(draft.html, lambda _cid: None) if draft.html else markup.text_to_html(draft.text)
    except Exception:  # noqa: BLE001 - whatever a stranger sent, the page says so and shows the source
        current_app.logger.warning("Incoming item %s cannot be shown.", item.id, exc_info=True)
        return Reading(problem=_("It cannot be read; its source stands below."))
    shown = Markup(html)  # nosec B704 # cleaned, or made by us from text
    return Reading(draft, shown)


def _states() -> list[tuple[str, str]]:
    return [
        (intakes.RECEIVED, pgettext("incoming", "Waiting")),
        (intakes.DONE, pgettext("incoming", "Taken in")),
        (intakes.IGNORED, pgettext("incoming", "Ignored")),
        (intakes.QUARANTINED, pgettext("incoming", "Needs attention")),
        (intakes.DISCARDED, pgettext("incoming", "Put aside")),
    ]
