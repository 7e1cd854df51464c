"""The room of texts: canned responses, names and mails in two languages side by side."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import Invalid, NotAllowed, default_locale, locales, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_multilingual import choosing, variants
from helpdesk_multilingual.blueprint import pages, show
from helpdesk_multilingual.engines import EngineProblem
from helpdesk_multilingual.models import CANNED, KINDS, STATUSES
from helpdesk_multilingual.permissions import MANAGE

_SIZE, _LONGEST = 30, 20_000


@pages.get("/texts")
@permission_required(MANAGE)
def texts() -> Any:
    """Each text in its own language and in another, and where that stands."""
    return _room()


@pages.post("/texts")
@permission_required(MANAGE)
def save_text() -> Any:
    """Save a text in a language, say that it is right as it is, or have an engine propose one."""
    kind, key = request.form.get("kind", ""), request.form.get("key", "")[:80]
    locale = choosing.read(request.form, "locale")
    row = variants.find(kind, key, locale, reader()) if kind in KINDS and locale else None
    if row is None:
        return _room(422, form_error=_("This text is not there any more."))
    text = request.form.get("text", "").replace("\r\n", "\n").replace("\0", "").strip()
    act = request.form.get("act", "save")
    if act == "suggest":
        return _suggested(row, text)
    if not text:
        return _room(422, row, text, _("Write the text in %(language)s.", language=choosing.name(locale)))
    if len(text) > _LONGEST:
        return _room(422, row, text, _("This is too long; %(number)s characters fit.", number=_LONGEST))
    try:
        if act == "check" and text == row.text.strip():
            variants.check(kind, key, locale, reader())
        else:
            variants.save(kind, key, locale, text, reader())
    except (Invalid, NotAllowed) as problem:
        return _room(422, row, text, str(problem))
    flash(_("“%(name)s” was saved in %(language)s.", name=row.name, language=choosing.name(locale)))
    return redirect(url_for("multilingual.texts", **_chosen()), 303)


def _suggested(row: Any, text: str) -> Any:
    try:
        proposed = variants.suggest(row.kind, row.key, row.locale, reader())
    except EngineProblem as problem:
        return _room(422, row, text, str(problem))
    return _room(200, row, proposed, is_proposed=True)


def _chosen() -> dict[str, str]:
    """What the list is narrowed to, from the address or the form that stands in it."""
    sent = request.form if request.method == "POST" else request.args
    kind = sent.get("kind", "")
    kind = kind if kind in KINDS else CANNED
    status = sent.get("status", "")
    locale = choosing.read(sent, "locale") or _usual()
    status = status if status in STATUSES else ""
    found = {"kind": kind, "locale": locale, "status": status, "after": sent.get("after", "")}
    return {name: value for name, value in found.items() if value}


def _usual() -> str:
    """The language that a room begins with: the reader's, or the first other than that in which texts are made."""
    own = default_locale()
    codes = [choosing.reader_locale(), *(code for code, _own in locales())]
    return next((code for code in codes if code != own), own)


def _room(code: int = 200, wrong: Any = None, text: str = "", problem: str = "", **more: Any) -> Any:
    """The list; ``wrong``: the row that was sent, with its text and what is wrong with it."""
    chosen = _chosen()
    kind, locale, status = chosen["kind"], chosen["locale"], chosen.get("status", "")
    rows, following = variants.listed(kind, locale, status, chosen.get("after"), limit=_SIZE)
    return show(
        "texts.html",
        code,
        rows=rows,
        more=following,
        chosen=chosen,
        counts=variants.counts(kind, locale, reader()),
        form_error=more.get("form_error", ""),
        wrong=(wrong.key, text, problem, more.get("is_proposed", False)) if wrong is not None else None,
        languages=choosing.offered(*[code for code, _own in locales()]),
    )
