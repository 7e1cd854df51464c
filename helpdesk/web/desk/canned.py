"""Canned responses: the page where they are kept, and how they come into a reply."""

from collections.abc import Mapping
from typing import Any

from flask import Response, abort, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from helpdesk.core import canned, canned_exchange, colleagues, i18n, labels, markup, placeholders
from helpdesk.core.canned import Canned, InvalidCanned
from helpdesk.core.models import CannedResponse, Ticket
from helpdesk.core.models.view import EVERYBODY, MINE, TEAM
from helpdesk.core.permissions import allowed, find_ticket
from helpdesk.web.desk import choices, composer
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.tickets import ticket_or_404
from helpdesk.web.desk.writing import composer_page, typed
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

_OFFERED = 30


@desk.get("/canned")
def canned_list() -> str:
    """What the reader has, by folder."""
    return _list()


def _list(problem: str = "") -> str:
    user, text = reader(), " ".join(request.args.get("text", "").split())[:200]
    number = request.args.get("after", type=row_number)
    after = canned.find(number, user) if number is not None else None
    found = canned.listed(user, text, after=after)
    more = found[-1].id if len(found) == canned.PAGE else None
    may = {"may_add": allowed(user, "canned.save"), "may_share": allowed(user, "canned.share")}
    return render_template("desk/canned.html", found=found, text=text, more=more, problem=problem, **may)


@desk.get("/canned/new")
def new_canned() -> Any:
    """The form for one more."""
    return _form(None, Canned("", shared_with=MINE))


@desk.post("/canned/new")
def add_canned() -> Any:
    """Keep one more."""
    return _save(None)


@desk.get("/canned/export")
def export_canned() -> Response:
    """All that the reader has as a file: ``?format=csv``, else JSON."""
    as_csv = request.args.get("format") == "csv"
    text = canned_exchange.as_csv(reader()) if as_csv else canned_exchange.as_json(reader())
    answer = Response(text, mimetype="text/csv" if as_csv else "application/json")
    name = f"canned-responses.{'csv' if as_csv else 'json'}"
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


@desk.post("/canned/import")
def import_canned() -> Any:
    """Take in such a file: all of it or nothing."""
    file = request.files.get("file")
    shared = EVERYBODY if "everybody" in request.form else MINE
    try:
        data = file.stream.read(canned_exchange.SIZE + 1) if file is not None else b""
        taken = canned_exchange.take_in(data, reader(), shared)
    except canned_exchange.NotTaken as problem:
        return make_response(_list(str(problem)), 422)
    flash(_("%(made)s made, %(changed)s changed.", made=taken.made, changed=taken.changed))
    return redirect(url_for("desk.canned_list"), 303)


@desk.get("/canned/<int:canned_id>")
def canned_response(canned_id: int) -> Any:
    """One of them to change, and with ``?ticket=`` what it says there."""
    found = _or_404(canned_id)
    texts = {row.locale: row.text for row in found.texts}
    wanted = Canned(found.name, texts, found.folder, found.shared_with, found.team_id, found.active)
    return _form(found, wanted)


@desk.post("/canned/<int:canned_id>")
def save_canned(canned_id: int) -> Any:
    """Change it."""
    return _save(_or_404(canned_id))


@desk.post("/canned/<int:canned_id>/delete")
def delete_canned(canned_id: int) -> Any:
    """Delete it."""
    found = _or_404(canned_id)
    name = found.name
    canned.delete(found, reader())
    flash(_("“%(name)s” was deleted.", name=name))
    return redirect(url_for("desk.canned_list"), 303)


@desk.get("/tickets/<int:number>/canned")
def canned_choices(number: int) -> Any:
    """As JSON what may be put into a reply on that ticket, found by ``?q=``; those used most come first."""
    ticket, user = ticket_or_404(number), reader()
    text = request.args.get("q", "")[:200]
    found = canned.listed(user, text, only_active=True)
    order = sorted(found, key=lambda one: (not one.name.casefold().startswith(text.casefold()), -one.used))
    locale = canned.language_of(ticket)
    return jsonify(
        [
            {
                "id": one.id,
                "name": one.name,
                "hint": one.folder,
                "preview": markup.snippet(canned.text_of(one, locale), 90),
                "url": url_for("desk.canned_text", number=number, canned_id=one.id),
            }
            for one in order[:_OFFERED]
        ]
    )


@desk.get("/tickets/<int:number>/canned/<int:canned_id>")
def canned_text(number: int, canned_id: int) -> Any:
    """As JSON one of them as it reads on that ticket, and what there was no value for."""
    filled = _filled(_or_404(canned_id), ticket_or_404(number))
    return jsonify(text=filled.text, missing=_words_of(filled.missing))


@desk.post("/tickets/<int:number>/canned")
def insert_canned(number: int) -> Any:
    """Without a script: the composer again with what was typed, and a choice; or with the chosen one put in."""
    ticket, user = ticket_or_404(number), reader()
    written = typed(user)
    chosen = request.form.get("canned", type=row_number) if "insert" in request.form else None
    response = canned.find(chosen, user) if chosen is not None else None
    missing: list[str] = []
    if response is not None:
        filled = _filled(response, ticket)
        missing = _words_of(filled.missing)
        written.text = f"{written.text.rstrip()}\n\n{filled.text}" if written.text.strip() else filled.text
        written.html = ""
    state = composer.again(ticket, user, written)
    state.missing = missing
    state.canned = canned.listed(user, only_active=True)
    if not state.canned:
        state.errors = [_("There are no canned responses yet.")]
    return composer_page(ticket, state)


@desk.get("/tickets/<int:number>/colleagues")
def colleagues_named(number: int) -> Any:
    """As JSON who can be named in a note, found by ``?q=``."""
    ticket_or_404(number)
    found = colleagues.found_by(request.args.get("q", "")[:100], 10)
    return jsonify([{"id": person.id, "name": person.display_name, "hint": person.email or ""} for person in found])


def _or_404(number: int) -> CannedResponse:
    found = canned.find(number, reader())
    if found is None:
        abort(404)
    return found


def _filled(response: CannedResponse, ticket: Ticket) -> canned.Filled:
    locale = canned.language_of(ticket)
    return canned.render(canned.text_of(response, locale), ticket, reader(), locale)


def _words_of(names: list[str]) -> list[str]:
    words = dict(placeholders.offered()) if names else {}
    return [words.get(name, name) for name in names]


def _save(found: CannedResponse | None) -> Any:
    form = request.form
    texts = {key.removeprefix("text_"): value for key, value in form.items() if key.startswith("text_")}
    wanted = Canned(
        form.get("name", ""),
        texts,
        form.get("folder", ""),
        form.get("shared_with", MINE),
        form.get("team_id", type=row_number),
        "active" in form or found is None,
    )
    try:
        kept = canned.save(found, wanted, reader())
    except InvalidCanned as problem:
        return _form(found, wanted, {problem.field: str(problem)})
    flash(_("“%(name)s” is kept.", name=kept.name))
    return redirect(url_for("desk.canned_response", canned_id=kept.id), 303)


def _form(found: CannedResponse | None, wanted: Canned, errors: Mapping[str, str] | None = None) -> Any:
    user = reader()
    languages = dict(i18n.locales())
    own = str(get_locale())
    # The languages of the screen, the reader's first, and others that it has already.
    order = sorted({*languages, *wanted.texts}, key=lambda code: (code not in wanted.texts, code != own, code))
    shows = [(MINE, _("Only you")), (TEAM, _("A team"))]
    if allowed(user, "canned.share") or wanted.shared_with == EVERYBODY:
        shows.append((EVERYBODY, _("Everybody")))
    page = render_template(
        "desk/canned_form.html",
        found=found,
        wanted=wanted,
        errors=errors or {},
        languages=[(code, languages.get(code, code)) for code in order],
        shows=shows,
        teams=[(team.id, labels.team_name(team)) for team in choices.teams()],
        folders=canned.folders(user),
        offered=placeholders.offered(),
        editable=found is None or canned.may_change(found, user),
        preview=_preview(found),
    )
    return make_response(page, 422 if errors else 200)


def _preview(found: CannedResponse | None) -> Mapping[str, Any] | None:
    """What it says on the ticket that was asked for."""
    text = request.args.get("ticket", "").strip().lstrip("#")
    if found is None or not text:
        return None
    try:
        ticket = find_ticket(reader(), row_number(text))
    except ValueError:
        ticket = None
    if ticket is None:
        return {"number": text, "problem": _("You see no ticket with this number.")}
    filled = _filled(found, ticket)
    return {"number": text, "ticket": ticket, "text": filled.text, "missing": _words_of(filled.missing)}
