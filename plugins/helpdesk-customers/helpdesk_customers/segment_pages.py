"""Segments: conditions with a name, as everybody uses them and supervisors keep them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import Invalid, db, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_customers import condition_form
from helpdesk_customers import segments as keeping
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.condition_choices import Choice
from helpdesk_customers.condition_form import Row
from helpdesk_customers.conditions import sentence
from helpdesk_customers.finding import row_of
from helpdesk_customers.models import ALL, PERSON, SUBJECTS, Segment
from helpdesk_customers.permissions import MANAGE, USE


@pages.get("/segments")
@permission_required(USE)
def segments() -> Any:
    """All segments, what each asks for, and how many are in it."""
    known = {subject: condition_form.known_of(subject) for subject in SUBJECTS}
    rows = [
        (one, [sentence(one.subject, condition, known[one.subject]) for condition in one.conditions])
        for one in keeping.listed()
    ]
    return show("segments.html", rows=rows)


@pages.get("/segments/new")
@permission_required(MANAGE)
def new_segment() -> Any:
    """The form of a new segment; an address with filters of the list fills it in."""
    return _form(None, request.args)


@pages.post("/segments/new")
@permission_required(MANAGE)
def add_segment() -> Any:
    """Make a segment, or add a condition to the form."""
    return _save(None)


@pages.get("/segments/<int:segment_id>")
@permission_required(MANAGE)
def segment(segment_id: int) -> Any:
    """One segment."""
    row = row_of(Segment, segment_id)
    values = {"name": row.name, "about": row.about, "match": row.match, "subject": row.subject}
    known = condition_form.known_of(row.subject)
    return _form(row, values, rows=condition_form.stored_rows(row.subject, row.conditions, known), known=known)


@pages.post("/segments/<int:segment_id>")
@permission_required(MANAGE)
def save_segment(segment_id: int) -> Any:
    """Change a segment, or add a condition to the form."""
    return _save(row_of(Segment, segment_id))


@pages.post("/segments/<int:segment_id>/remove")
@permission_required(MANAGE)
def remove_segment(segment_id: int) -> Any:
    """Take it away; nobody's record changes."""
    keeping.remove(row_of(Segment, segment_id), reader())
    flash(_("The segment was removed."))
    return redirect(url_for("customers.segments"), 303)


def _save(row: Segment | None) -> Any:
    sent = request.form
    if condition_form.is_changing(sent):
        return _form(row, sent)
    known = condition_form.known_of(_subject(row, sent))
    data = {
        "name": sent.get("name", ""),
        "about": sent.get("about", ""),
        "match": sent.get("match", ALL),
        "subject": _subject(row, sent),
        "conditions": condition_form.as_read(condition_form.sent_rows(sent, known)),
    }
    try:
        keeping.save(row, data, reader())
    except Invalid as problem:
        errors = condition_form.errors_of(problem.field, str(problem))
        number = row.id if row is not None else None
        db.session.rollback()
        return _form(row_of(Segment, number) if number is not None else None, sent, errors)
    flash(_("Saved."))
    return redirect(url_for("customers.segments"), 303)


def _subject(row: Segment | None, sent: Mapping[str, str]) -> str:
    """Whom it is of; that is chosen once."""
    subject = row.subject if row is not None else sent.get("subject", PERSON)
    return subject if subject in SUBJECTS else PERSON


def _form(
    row: Segment | None,
    values: Mapping[str, str],
    errors: dict[str, str] | None = None,
    rows: Sequence[Row] | None = None,
    known: Mapping[str, Choice] | None = None,
) -> Any:
    subject = _subject(row, values)
    known = known if known is not None else condition_form.known_of(subject)
    return show(
        "segment.html",
        422 if errors else 200,
        segment=row,
        subject=subject,
        values=values,
        rows=rows if rows is not None else condition_form.sent_rows(values, known),
        known=known,
        errors=errors or {},
    )
