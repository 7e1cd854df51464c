"""The room of the memory: translations that were confirmed, to be found, changed, deleted, and taken in and out."""

from typing import Any

from flask import Response, flash, redirect, request, url_for

from helpdesk.api import Form, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_multilingual import choosing, memory, memory_exchange
from helpdesk_multilingual.blueprint import pages, row_of, show
from helpdesk_multilingual.exchange_forms import csv_answer, taken
from helpdesk_multilingual.models import Pair
from helpdesk_multilingual.permissions import MANAGE

_SIZE, _LONGEST, _NAMED = 50, 20_000, 120


@pages.get("/memory")
@permission_required(MANAGE)
def memory_list() -> Any:
    """The newest first, by languages and words."""
    return _room()


@pages.post("/memory/<int:pair_id>")
@permission_required(MANAGE)
def save_pair(pair_id: int) -> Any:
    """Change a translation."""
    row, form = row_of(Pair, pair_id), Form(request.form.to_dict())
    text = form.text("translation", longest=_LONGEST)
    if not text:
        form.refuse("translation", _("Fill this in."))
    if form.errors:
        return _room(422, wrong=(row.id, form.typed, form.errors))
    memory.save(row, text, reader())
    flash(_("The translation was changed."))
    return redirect(url_for("multilingual.memory_list"), 303)


@pages.get("/memory/<int:pair_id>/delete")
@permission_required(MANAGE)
def confirm_forget_pair(pair_id: int) -> Any:
    """Ask whether a translation is to go."""
    row = row_of(Pair, pair_id)
    return show(
        "confirm.html",
        heading=_("Delete this translation?"),
        lead=_(
            "“%(text)s” is not offered any more. Answers that were sent stay as they are.",
            text=row.text if len(row.text) <= _NAMED else f"{row.text[:_NAMED]}…",
        ),
        button=_("Delete"),
        action=url_for("multilingual.forget_pair", pair_id=row.id),
        back=url_for("multilingual.memory_list"),
    )


@pages.post("/memory/<int:pair_id>/delete")
@permission_required(MANAGE)
def forget_pair(pair_id: int) -> Any:
    """Delete a translation."""
    memory.forget(row_of(Pair, pair_id), reader())
    flash(_("The translation was deleted."))
    return redirect(url_for("multilingual.memory_list"), 303)


@pages.get("/memory/export")
@permission_required(MANAGE)
def export_memory() -> Response:
    """All of them as CSV."""
    return csv_answer(memory_exchange.rows(), "translations.csv")


@pages.post("/memory/import")
@permission_required(MANAGE)
def import_memory() -> Any:
    """Take translations from a CSV file; one of the same text is changed."""
    outcome, problem = taken(memory_exchange.read, reader())
    if problem:
        return _room(422, problem=problem)
    return _room(outcome=outcome)


def _room(code: int = 200, **more: Any) -> Any:
    words, after = request.args.get("q", "")[:200].strip(), request.args.get("after", "")
    source, target = choosing.read(request.args, "source"), choosing.read(request.args, "target")
    rows, following = memory.listed(words, source, target, after or None, limit=_SIZE)
    chosen = {"q": words or None, "source": source or None, "target": target or None}
    known = {"wrong": None, "problem": "", "outcome": None, **more}
    return show("memory.html", code, rows=rows, more=following, chosen=chosen, **known)
