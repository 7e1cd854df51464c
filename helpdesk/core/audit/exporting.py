"""Handing the record out, as CSV or as lines of JSON, oldest first, a piece at a time."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from helpdesk.core.audit.recording import record
from helpdesk.core.audit.searching import Search, entries
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, User
from helpdesk.core.permissions import require
from helpdesk.core.spreadsheets import harmless
from helpdesk.core.transaction import transaction

CSV, JSON_LINES = "csv", "jsonl"
FORMATS = (CSV, JSON_LINES)
_COLUMNS = ("number", "at", "actor", "actor_name", "action", "subject", "data", "address", "erased")
_CHUNK = 500


def export(search: Search, form: str, actor: User | None) -> Iterator[str]:
    """The entries as text, piece by piece; memory does not grow with them. Audited before the first piece.

    Opens a transaction of its own, then reads a chunk at a time. What is written meanwhile is not in it. Raises
    NotAllowed at once, and ValueError for a form that there is not.
    """
    require(actor, "audit.read")
    if form not in FORMATS:
        raise ValueError(f"There is no form {form}.")
    with transaction():
        entry = record("audit.exported", actor, form, search.as_data())
        db.session.flush()
        newest = entry.id
    return _pieces(search, form, newest)


def _pieces(search: Search, form: str, newest: int) -> Iterator[str]:
    if form == CSV:
        # With the mark by which spreadsheets know the encoding.
        yield "\ufeff" + _line(_COLUMNS)
    last = 0
    query = entries(search).where(AuditEntry.id < newest).order_by(AuditEntry.id).limit(_CHUNK)
    while rows := [_row(entry) for entry in db.session.scalars(query.where(AuditEntry.id > last))]:
        # No transaction stays open while a slow reader takes a piece.
        db.session.rollback()
        last = rows[-1]["number"]
        yield "".join(_text(row, form) for row in rows)


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "number": entry.id,
        "at": entry.at.isoformat(),
        "actor": entry.actor_id,
        "actor_name": entry.actor.display_name if entry.actor else None,
        "action": entry.action,
        "subject": entry.subject,
        "data": entry.data,
        "address": entry.address,
        "erased": entry.erased_by is not None,
    }


def _text(row: dict[str, Any], form: str) -> str:
    if form == JSON_LINES:
        return json.dumps(row, ensure_ascii=False) + "\n"
    data = json.dumps(row["data"], ensure_ascii=False, sort_keys=True) if row["data"] else ""
    return _line([*({**row, "data": data, "erased": "yes" if row["erased"] else ""}.values())])


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["" if cell is None else harmless(str(cell)) for cell in cells])
    return out.getvalue()
