"""The room of the glossary: words that are translated in one way, or stay as they are."""

from typing import Any

from flask import Response, flash, redirect, request, url_for

from helpdesk.api import Form, Invalid, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_multilingual import choosing, glossary, glossary_exchange
from helpdesk_multilingual.blueprint import pages, row_of, show
from helpdesk_multilingual.exchange_forms import csv_answer, taken
from helpdesk_multilingual.glossary import TermDraft
from helpdesk_multilingual.models import Term
from helpdesk_multilingual.permissions import MANAGE

_SIZE = 50


@pages.get("/glossary")
@permission_required(MANAGE)
def glossary_list() -> Any:
    """The words by the alphabet."""
    return _room()


@pages.post("/glossary")
@permission_required(MANAGE)
def add_term() -> Any:
    """Add a word."""
    return _saved(None)


@pages.post("/glossary/<int:term_id>")
@permission_required(MANAGE)
def save_term(term_id: int) -> Any:
    """Change a word."""
    return _saved(row_of(Term, term_id))


@pages.post("/glossary/<int:term_id>/delete")
@permission_required(MANAGE)
def delete_term(term_id: int) -> Any:
    """Delete a word."""
    glossary.delete(row_of(Term, term_id), reader())
    flash(_("The word was deleted."))
    return redirect(url_for("multilingual.glossary_list"), 303)


@pages.get("/glossary/export")
@permission_required(MANAGE)
def export_glossary() -> Response:
    """All words as CSV."""
    return csv_answer(glossary_exchange.rows(), "glossary.csv")


@pages.post("/glossary/import")
@permission_required(MANAGE)
def import_glossary() -> Any:
    """Take words from a CSV file; one of the same languages is changed."""
    outcome, problem = taken(glossary_exchange.read, reader())
    if problem:
        return _room(422, problem=problem)
    return _room(outcome=outcome)


def _saved(row: Term | None) -> Any:
    form = Form(request.form.to_dict())
    draft = TermDraft(
        source=_language(form, "source"),
        target=_language(form, "target"),
        term=form.line("term", longest=200, required=True),
        translation=form.line("translation", longest=200),
        note=form.line("note", longest=500),
        keep=form.tick("keep"),
    )
    if not draft.keep and not draft.translation:
        form.refuse("translation", _("Write the translation, or tick that the word stays as it is."))
    number = row.id if row is not None else None
    if not form.errors:
        try:
            glossary.save(row, draft, reader())
        except Invalid as problem:
            form.refuse(problem.field, str(problem))
    if form.errors:
        return _room(422, wrong=(number, form.typed, form.errors))
    flash(_("The word was saved."))
    return redirect(url_for("multilingual.glossary_list"), 303)


def _language(form: Form, name: str) -> str:
    code = form.typed.get(name, "")
    if code and not choosing.read(form.typed, name):
        form.refuse(name, _("Choose one of the list."))
    return code


def _room(code: int = 200, **more: Any) -> Any:
    words, after = request.args.get("q", "")[:200].strip(), request.args.get("after", "")
    rows, following = glossary.listed(words, after or None, limit=_SIZE)
    known = {"wrong": None, "problem": "", "outcome": None, **more}
    return show("glossary.html", code, rows=rows, more=following, q=words, **known)
