"""The record of administrative acts."""

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, abort, render_template, request, stream_with_context
from flask_babel import get_timezone
from werkzeug.datastructures import MultiDict

from helpdesk.core.audit import checking, exporting
from helpdesk.core.audit.searching import Search, entries
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, User
from helpdesk.web.admin.acts import BY_STRANGERS, act_name, act_names, subject_of
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.numbers import row_number
from helpdesk.web.proving import proof_required
from helpdesk.web.session import reader

_TYPES = {exporting.CSV: "text/csv; charset=utf-8", exporting.JSON_LINES: "application/x-ndjson; charset=utf-8"}


@admin.get("/audit")
@needs("audit.read")
def audit() -> Any:
    """Who did what, newest first; the address says what it is narrowed down to."""
    search = _search(request.args)
    actor = db.session.get(User, search.actor_id) if search.actor_id is not None else None
    return render_template(
        "admin/audit.html",
        page=slice_of(entries(search), AuditEntry.id),
        search=search,
        # As they were typed, to be typed on.
        asked={name: request.args.get(name, "")[:200] for name in ("action", "text", "address", "since", "until")},
        actor=actor,
        actions=act_names(),
        act_name=act_name,
        subject_of=subject_of,
        by_strangers=BY_STRANGERS,
        found=checking.last(),
    )


@admin.post("/audit/export")
@needs("audit.read")
@proof_required
def export_audit() -> Any:
    """The entries that the page shows, all of them, as a file; that it was handed out is an entry itself."""
    form = request.form.get("format", exporting.CSV)
    if form not in exporting.FORMATS:
        abort(422)
    pieces = exporting.export(_search(request.form), form, reader())
    answer = Response(stream_with_context(pieces), content_type=_TYPES[form])
    answer.headers["Content-Disposition"] = f"attachment; filename=record-{now().date().isoformat()}.{form}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _search(values: MultiDict[str, str]) -> Search:
    """What is looked for. What cannot be read does not narrow."""
    number, until = values.get("actor", 0, type=row_number), _day(values.get("until", ""))
    return Search(
        action=_line(values.get("action", "")),
        actor_id=number if 0 < number < 2**31 else None,
        text=_line(values.get("text", "")),
        address=_line(values.get("address", "")),
        since=_begin(_day(values.get("since", ""))),
        # That day counts as well.
        until=_begin(until + timedelta(days=1) if until is not None and until < date.max else None),
    )


def _line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:200]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _begin(day: date | None) -> datetime | None:
    """When a day begins for the reader. The first and the last years that there are have no zones."""
    if day is None or not 1970 <= day.year < 9999:
        return None
    zone: Any = get_timezone()
    return datetime.combine(day, time(), tzinfo=zone)
