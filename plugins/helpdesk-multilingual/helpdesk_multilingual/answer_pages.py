"""An answer in the customer's language: translated, looked over, put into the composer or, without a script, sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select

from helpdesk.api import (
    Invalid,
    Message,
    MessageDraft,
    Refused,
    Stale,
    Ticket,
    db,
    number_in,
    permission_required,
    reader,
    reply,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_multilingual import answering, choosing, detection, glossary, languages, memory, reading, speech
from helpdesk_multilingual.blueprint import is_beside, pages, show, ticket_of
from helpdesk_multilingual.engines import EngineProblem
from helpdesk_multilingual.memory import Match
from helpdesk_multilingual.models import Answer
from helpdesk_multilingual.permissions import USE

_OFFERED = 8
# Of so many paragraphs the memory is asked, and so many alike are shown of each.
_PARAGRAPHS, _ALIKE = 12, 2
_LONGEST = 100_000


@dataclass
class Typed:
    """What the form has: the agent's text, its translation as it was changed, and the two languages."""

    words: str = ""
    source: str = ""
    target: str = ""
    translated: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@pages.get("/tickets/<int:number>/answer")
@permission_required(USE)
def answer(number: int) -> Any:
    """The form; with what was begun earlier."""
    ticket = ticket_of(number)
    begun = _begun(ticket)
    return _page(ticket, _typed({}, ticket, begun), begun, asks_at_once=True)


@pages.post("/tickets/<int:number>/answer")
@permission_required(USE)
def prepare_answer(number: int) -> Any:
    """Translate what was written, take a translation from the memory or a canned response, or keep what was changed."""
    ticket, form = ticket_of(number), request.form
    begun = _begun(ticket)
    typed = _typed(form, ticket, begun)
    act, _colon, which = form.get("act", "translate").partition(":")
    if "auto" in form and (not typed.words or _is_translated(typed.words, begun, typed.target)):
        return _page(ticket, _typed({}, ticket, begun), begun)
    if act == "variant":
        return _from_variant(ticket, typed, which)
    if problem := _problem(typed):
        typed.errors = problem
        return _page(ticket, typed, begun, code=422)
    if act == "hand" or (act == "keep" and not typed.translated):
        return _page(ticket, typed, None, by_hand=True)
    try:
        begun = _made(ticket, typed, begun, act, which)
    except (EngineProblem, Invalid) as wrong:
        return _page(ticket, typed, None, problem=str(wrong), by_hand=True)
    typed.translated = begun.translated
    return _page(ticket, typed, begun)


def _made(ticket: Ticket, typed: Typed, begun: Answer | None, act: str, which: str) -> Answer:
    """The answer after a button was pressed: translated by an engine, or as the agent wants it."""
    user = reader()
    if begun is not None and act in ("hit", "keep"):
        text = _with_hit(begun, typed.translated, which) if act == "hit" else typed.translated
        return answering.edit(begun, text, user)
    if act == "keep":
        return answering.by_hand(ticket, user, typed.words, typed.source, typed.target, typed.translated)
    return answering.prepare(ticket, user, typed.words, typed.source, typed.target)


@pages.post("/tickets/<int:number>/answer/send")
@permission_required(USE)
def send_answer(number: int) -> Any:
    """Without a script: send the translation, or with ``act=original`` what the agent wrote."""
    ticket, form = ticket_of(number), request.form
    begun = _begun(ticket)
    typed = _typed(form, ticket, begun)
    is_own = form.get("act") == "original"
    text = typed.words if is_own else typed.translated
    if not text:
        typed.errors = {"words" if is_own else "translated": _("Write your answer first.")}
        return _page(ticket, typed, begun, code=422, by_hand=True)
    if _is_sent(ticket, text):
        typed.errors = {"form": _("This answer has been sent already.")}
        return _page(ticket, typed, begun, code=409, by_hand=True)
    if not is_own and (problem := _problem(typed)):
        typed.errors = problem
        return _page(ticket, typed, begun, code=422, by_hand=True)
    try:
        if is_own and begun is not None:
            answering.discard(ticket, reader())
        elif not is_own:
            _made(ticket, typed, begun, "keep", "")
        message = reply(ticket, MessageDraft(text=text), reader())
        with transaction():
            answering.keep_sent(ticket, message)
    except (Invalid, Refused, Stale) as wrong:
        typed.errors = {"form": str(wrong)}
        return _page(ticket, typed, _begun(ticket), code=422, by_hand=True)
    flash(_("Your answer was sent."))
    return redirect(url_for("desk.ticket", number=ticket.id, _anchor="latest"), 303)


def _begun(ticket: Ticket) -> Answer | None:
    """What the reader has begun. What was sent a moment ago is joined to its message by a worker."""
    begun = answering.pending(ticket, reader())
    return None if begun is not None and _is_sent(ticket, begun.translated.strip()) else begun


def _is_sent(ticket: Ticket, text: str) -> bool:
    """Whether the last public message is this text by the reader: a form that was sent twice."""
    query = (
        select(Message)
        .where(Message.ticket_id == ticket.id, Message.visibility == "public")
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
    )
    last = db.session.scalar(query)
    return last is not None and last.author_id == reader().id and last.text.strip() == text


def _page(
    ticket: Ticket,
    typed: Typed,
    begun: Answer | None,
    code: int = 200,
    *,
    problem: str = "",
    by_hand: bool = False,
    asks_at_once: bool = False,
) -> Any:
    has_text, user = begun is not None and bool(begun.translated), reader()
    wants_offers = bool(typed.target) and not has_text
    return show(
        "answer.html",
        code,
        ticket=ticket,
        typed=typed,
        begun=begun,
        problem=problem,
        has_text=has_text,
        by_hand=by_hand,
        sentences=reading.warnings_of(begun) if begun is not None else [],
        hits=_hits(begun) if begun is not None else [],
        terms=glossary.used(begun.original, begun.source, begun.target) if begun is not None else [],
        offers=answering.variants(ticket, user, typed.target, limit=_OFFERED) if wants_offers else [],
        beside=is_beside(),
        asks_at_once=asks_at_once and is_beside(),
    )


def _hits(begun: Answer) -> list[tuple[str, Match]]:
    """For each paragraph the translations of the memory that are alike."""
    paragraphs = [one.strip() for one in begun.original.split("\n\n") if one.strip()][:_PARAGRAPHS]
    return [
        (paragraph, match)
        for paragraph in paragraphs
        for match in memory.look_up(paragraph, begun.source, begun.target, _ALIKE, reader())
    ]


def _typed(form: Mapping[str, str], ticket: Ticket, begun: Answer | None) -> Typed:
    """What was sent; what is missing in it from the answer that was begun, then from what is usual."""
    source = begun.source if begun is not None else reading.target_for(reader())
    target = begun.target if begun is not None else speech.spoken_by(ticket) or ""
    words = form.get("text" if "auto" in form else "words", begun.original if begun is not None else "")
    translated = form.get("translated", begun.translated if begun is not None else "")
    return Typed(
        _tidy(words),
        choosing.read(form, "source") if "source" in form else source,
        choosing.read(form, "target") if "target" in form else target,
        _tidy(translated),
    )


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "").strip()


def _problem(typed: Typed) -> dict[str, str]:
    """What stands in the way of a translation, by field."""
    if not typed.words:
        return {"words": _("Write your answer first.")}
    if len(typed.words) > _LONGEST:
        return {"words": _("This is too long to be translated; send it as it is.")}
    if not typed.source:
        return {"source": _("Choose the language that you write in.")}
    if not typed.target:
        return {"target": _("Choose the language of the customer.")}
    if languages.same(typed.source, typed.target):
        return {"target": _("These are the same language: send your text as it is.")}
    return {}


def _is_translated(words: str, begun: Answer | None, target: str) -> bool:
    """Whether what stands in the composer is what was put there, and not a text that is to be translated."""
    if begun is None:
        return False
    if words in (begun.original.strip(), begun.translated.strip()):
        return True
    return languages.same(detection.detect(words).language, target)


def _with_hit(begun: Answer, translated: str, which: str) -> str:
    """The translation with one of its paragraphs as the memory has it; ``which``: which of the hits, and its pair."""
    place, _dash, number = which.partition("-")
    hits, at = _hits(begun), number_in(place)
    if at is None or at >= len(hits) or hits[at][1].pair.id != number_in(number):
        abort(404)
    paragraph, match = hits[at]
    originals, parts = begun.original.split("\n\n"), translated.split("\n\n")
    where = next((place for place, one in enumerate(originals) if one.strip() == paragraph), 0)
    if len(originals) != len(parts):
        return "\n\n".join([translated, match.pair.translation]) if len(originals) > 1 else match.pair.translation
    parts[where] = match.pair.translation
    return "\n\n".join(parts)


def _from_variant(ticket: Ticket, typed: Typed, which: str) -> Any:
    """A canned response in the customer's language, beside what it says in the agent's."""
    number = number_in(which)
    offers = answering.variants(ticket, reader(), typed.target, limit=_OFFERED) if typed.target else []
    if number is None or number not in [offer.canned_id for offer in offers]:
        abort(404)
    begun = answering.use_variant(ticket, reader(), number, typed.target)
    shown = Typed(begun.original, begun.source, begun.target, begun.translated)
    return _page(ticket, shown, begun)
