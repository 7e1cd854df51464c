"""Below a message: its translation, and the language that it is in."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from helpdesk.api import Message, Ticket, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_multilingual import blocks, choosing, reading, speech
from helpdesk_multilingual.blueprint import is_part, message_of, pages, show
from helpdesk_multilingual.engines import EngineProblem
from helpdesk_multilingual.permissions import USE


@pages.post("/messages/<int:message_id>/reading")
@permission_required(USE)
def read_message(message_id: int) -> Any:
    """Translate a message for the reader, and keep the translation; an engine that fails leaves a sentence."""
    message, ticket = message_of(message_id)
    problem = ""
    try:
        reading.read(message, reader())
    except EngineProblem as wrong:
        problem = str(wrong)
    return _back(message, ticket, problem)


@pages.get("/messages/<int:message_id>/language")
@permission_required(USE)
def message_language(message_id: int) -> Any:
    """Every language to choose from, for a message that was taken for another one."""
    message, ticket = message_of(message_id)
    return _language_form(message, ticket)


@pages.post("/messages/<int:message_id>/language")
@permission_required(USE)
def correct_language(message_id: int) -> Any:
    """Say what language a message is in; it is remembered for the person and the ticket."""
    message, ticket = message_of(message_id)
    language = choosing.read(request.form, "language")
    if not language:
        return _language_form(message, ticket, {"language": _("Choose one of the list.")}, 422)
    speech.correct(message, language, reader())
    if not is_part():
        flash(_("Noted: this is %(language)s.", language=choosing.name(language)))
    return _back(message, ticket)


def _language_form(message: Message, ticket: Ticket, errors: dict[str, str] | None = None, code: int = 200) -> Any:
    language = blocks.language_of(message)
    return show("language.html", code, message=message, ticket=ticket, language=language, errors=errors or {})


def _back(message: Message, ticket: Ticket, problem: str = "") -> Any:
    """The block as it is now; without a script the ticket, where the message is."""
    if is_part():
        context = blocks.context_of(message, ticket, reader(), problem)
        return render_template("multilingual/message_block.html", message=message, ticket=ticket, **context)
    if problem:
        flash(problem, "warn")
    return redirect(url_for("desk.ticket", number=ticket.id, _anchor=f"m{message.id}"), 303)
