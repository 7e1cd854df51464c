"""What fits the customer of a ticket: looked up, put into the reply, and what came of it."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import (
    Invalid,
    MessageDraft,
    Refused,
    Stale,
    Ticket,
    db,
    language_name,
    permission_required,
    reader,
    reply,
    text_direction,
)
from helpdesk.api import gettext as _
from helpdesk_upsell import amounts, recommending, suggestions
from helpdesk_upsell.blueprint import is_beside, pages, show, ticket_of
from helpdesk_upsell.forms import RowForm
from helpdesk_upsell.models import (
    ACCEPTED,
    BOUGHT,
    DECLINE_REASONS,
    DECLINED,
    INTERESTED,
    OFFERED,
    SHOWN,
    Suggestion,
)
from helpdesk_upsell.permissions import USE

# What can still be put into an answer.
_OFFERABLE = (SHOWN, OFFERED, INTERESTED)
_OUTCOMES = (INTERESTED, ACCEPTED, DECLINED, BOUGHT)


@pages.get("/tickets/<int:number>")
@permission_required(USE)
def fitting(number: int) -> Any:
    """What was found for the customer of a ticket, or why nothing is suggested now."""
    return _page(ticket_of(number))


@pages.post("/tickets/<int:number>/look")
@permission_required(USE)
def look(number: int) -> Any:
    """See what fits. From here on it is measured, so it is asked for and not looked up by itself."""
    ticket = ticket_of(number)
    advice = suggestions.show(ticket, reader())
    if request.headers.get("HX-Target") == "up-panel":
        return show("panel_body.html", **panel_values(ticket, advice.rows, advice.objections, is_looked_up=True))
    return _page(ticket, advice)


@pages.post("/tickets/<int:number>/suggestions/<int:suggestion_id>")
@permission_required(USE)
def offer_text(number: int, suggestion_id: int) -> Any:
    """The text for the customer, with the link to the offer, to be put into the answer."""
    ticket, row = _of_ticket(number, suggestion_id)
    try:
        text = suggestions.offer(row, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        return _page(ticket_of(number), problem=str(problem), code=422)
    return _text_page(ticket, row, text)


@pages.post("/tickets/<int:number>/suggestions/<int:suggestion_id>/send")
@permission_required(USE)
def send_offer(number: int, suggestion_id: int) -> Any:
    """Without a script: send the text as an answer."""
    ticket, row = _of_ticket(number, suggestion_id)
    text = request.form.get("text", "").replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        return _text_page(ticket, row, text, {"text": _("Write your answer first.")})
    try:
        reply(ticket, MessageDraft(text=text), reader())
    except (Invalid, Refused, Stale) as problem:
        db.session.rollback()
        ticket, row = _of_ticket(number, suggestion_id)
        return _text_page(ticket, row, text, {"text": str(problem)})
    flash(_("Your answer was sent."))
    return redirect(url_for("desk.ticket", number=ticket.id, _anchor="latest"), 303)


@pages.get("/suggestions/<int:suggestion_id>")
@permission_required(USE)
def suggestion(suggestion_id: int) -> Any:
    """One suggestion: what was shown, why, and what came of it."""
    chosen = request.args.get("outcome", "")
    return _one(_suggestion(suggestion_id), {"outcome": chosen} if chosen in _OUTCOMES else {})


@pages.post("/suggestions/<int:suggestion_id>")
@permission_required(USE)
def answer_suggestion(suggestion_id: int) -> Any:
    """Write down what the customer said to it, or that it was bought."""
    row, form = _suggestion(suggestion_id), RowForm(request.form.to_dict())
    outcome = form.choice("outcome", ("", *_OUTCOMES))
    if not outcome:
        form.refuse("outcome", _("Choose one of the answers."))
    if outcome == DECLINED:
        form.choice("why", DECLINE_REASONS)
        form.text("words", longest=suggestions.WORDS_LENGTH)
    paid = _paid(form, row) if outcome == BOUGHT else None
    if form.errors:
        return _one(row, form.typed, form.errors)
    try:
        _note(row, outcome, form, paid)
    except (Invalid, Refused) as problem:
        db.session.rollback()
        field = problem.field if isinstance(problem, Invalid) else "form"
        return _one(_suggestion(suggestion_id), form.typed, {_field(field): str(problem)})
    flash(_("Noted."))
    return redirect(_then(row), 303)


def _note(row: Suggestion, outcome: str, form: RowForm, paid: int | None) -> None:
    if outcome == INTERESTED:
        suggestions.interested(row, reader())
    elif outcome == ACCEPTED:
        suggestions.accept(row, reader())
    elif outcome == DECLINED:
        suggestions.decline(row, form.values["why"], form.values["words"], reader())
    else:
        suggestions.mark_bought(row, paid, reader())


def _paid(form: RowForm, row: Suggestion) -> int | None:
    """What was paid, in the currency of the offer; what was asked for where nothing is said."""
    text = form.typed.get("paid", "").strip()
    if not text or not row.currency:
        return None
    try:
        return amounts.parse(text, row.currency)
    except Invalid as problem:
        form.refuse("paid", str(problem))
        return None


def _field(name: str) -> str:
    return name if name in ("outcome", "why", "words", "paid") else {"amount": "paid"}.get(name, "form")


def _then(row: Suggestion) -> str:
    """Back to the ticket, where there is one."""
    if row.ticket_id is None:
        return url_for("upsell.suggestion", suggestion_id=row.id)
    return url_for("desk.ticket", number=row.ticket_id)


# ---- pages


def panel_values(ticket: Ticket, rows: Any, objections: Any = (), *, is_looked_up: bool = False) -> dict[str, Any]:
    """What the panel beside a ticket needs. No query."""
    return {
        "ticket": ticket,
        "rows": list(rows),
        "objections": list(objections),
        "is_looked_up": is_looked_up,
        "offerable": _OFFERABLE,
    }


def _page(ticket: Ticket, advice: Any = None, *, problem: str = "", code: int = 200) -> Any:
    is_looked_up = advice is not None
    rows = list(advice.rows) if advice is not None else list(suggestions.of_ticket(ticket))
    if advice is None and not rows:
        advice = recommending.advice(ticket, reader())
    return show(
        "fitting.html",
        code,
        **panel_values(ticket, rows, advice.objections if advice is not None else (), is_looked_up=is_looked_up),
        left_out=advice.left_out if advice is not None else (),
        problem=problem,
        beside=is_beside(),
    )


def _text_page(ticket: Ticket, row: Suggestion, text: str, errors: Mapping[str, str] | None = None) -> Any:
    return show(
        "offer_text.html",
        422 if errors else 200,
        ticket=ticket,
        suggestion=row,
        text=text,
        errors=errors or {},
        beside=is_beside(),
        language=_language(row.language),
        direction=text_direction(row.language) if row.language else "auto",
    )


def _one(row: Suggestion, typed: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Any:
    return show(
        "suggestion.html",
        422 if errors else 200,
        suggestion=row,
        typed=typed,
        errors=errors or {},
        outcomes=_OUTCOMES,
        language=_language(row.language),
        direction=text_direction(row.language) if row.language else "auto",
        price_changed=suggestions.price_changed(row) if row.state in _OFFERABLE else False,
    )


def _language(code: str) -> str:
    return language_name(code) if code else ""


def _suggestion(suggestion_id: int) -> Suggestion:
    found = suggestions.find(suggestion_id, reader()) if suggestion_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _of_ticket(number: int, suggestion_id: int) -> tuple[Ticket, Suggestion]:
    ticket, row = ticket_of(number), _suggestion(suggestion_id)
    if row.ticket_id != ticket.id:
        abort(404)
    return ticket, row
