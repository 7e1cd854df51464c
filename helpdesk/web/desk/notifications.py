"""What the reader is told: the bell, the list, and how each kind is told."""

from collections.abc import Mapping
from typing import Any

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from helpdesk.core.accounts import AccountError
from helpdesk.core.models.notification import AT_ONCE, DIGEST, KINDS, NEVER
from helpdesk.core.notifications import choices, reading
from helpdesk.core.notifications.choices import Choice, Choices
from helpdesk.core.notifications.words import KIND_WORDS, sentence
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.numbers import row_number
from helpdesk.web.render import number
from helpdesk.web.session import reader

_TIMES = ("quiet_from", "quiet_until", "digest_at")


@desk.get("/notifications")
def notifications() -> str:
    """What the reader was told, the newest first."""
    user, only_unread = reader(), request.args.get("unread") == "1"
    page = reading.page(user, request.args.get("before", type=row_number), unread=only_unread)
    shown = [(row, sentence(row)) for row in page.rows]
    return render_template(
        "desk/notifications.html",
        shown=shown,
        older=page.older,
        only_unread=only_unread,
        newest=max((row.id for row in page.rows), default=0),
        some_unread=any(row.read_at is None for row in page.rows),
    )


@desk.get("/notifications/news")
def notification_news() -> Any:
    """What every open page asks for each few seconds: JSON, or 204 when nothing differs from what it knows."""
    since = request.args.get("since", type=row_number)
    news = reading.news(reader(), since)
    known = request.args.get("unread", type=row_number)
    if not news.rows and (since, known) == (news.newest, news.unread):
        return "", 204
    items = [
        {
            "id": row.id,
            "title": f"#{row.ticket.number} {row.ticket.subject}",
            "text": sentence(row),
            "url": url_for("desk.ticket", number=row.ticket_id),
        }
        for row in news.rows
    ]
    shown = f"{number(reading.MOST)}+" if news.unread > reading.MOST else number(news.unread)
    label = _("Notices: %(number)s unread", number=shown) if news.unread else _("Notices")
    return jsonify(unread=news.unread, newest=news.newest, shown=shown, label=label, items=items)


@desk.post("/notifications/read")
def read_notifications() -> Response:
    """All that the list showed is read (up to number ``until``), or one of them (``id``)."""
    user = reader()
    one, until = request.form.get("id", type=row_number), request.form.get("until", type=row_number)
    if one is not None:
        reading.mark_read(user, [one])
    elif until is not None:
        reading.mark_all_read(user, until)
    return redirect(url_for("desk.notifications", unread=request.form.get("unread") or None), 303)


@desk.get("/notifications/choices")
def notification_choices() -> Any:
    """How the reader wants to be told of what, and when mails may come."""
    user = reader()
    times = {name: getattr(user, name) or "" for name in _TIMES}
    return _choices_page(choices.choices_of([user.id])[user.id], times, {})


@desk.post("/notifications/choices")
def save_notification_choices() -> Any:
    """Keep the reader's choices."""
    wanted = {kind: _choice(request.form, kind) for kind in KINDS}
    times = {name: request.form.get(name, "").strip() for name in _TIMES}
    try:
        choices.set_choices(reader(), wanted, **times)
    except AccountError as problem:
        return _choices_page(wanted, times, {problem.field: str(problem)})
    flash(_("Your choices were saved."))
    return redirect(url_for("desk.notification_choices"), 303)


def _choice(form: Mapping[str, str], kind: str) -> Choice:
    return Choice(f"{kind}-page" in form, f"{kind}-browser" in form, form.get(f"{kind}-mail", NEVER))


def _choices_page(wanted: Choices, times: Mapping[str, str], errors: Mapping[str, str]) -> Any:
    page = render_template(
        "desk/notification_choices.html",
        kinds=[(kind, *KIND_WORDS[kind], wanted[kind]) for kind in KINDS],
        mails=[(NEVER, _("No mail")), (AT_ONCE, _("Mail at once")), (DIGEST, _("In the daily summary"))],
        times=times,
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)
