"""Languages: how much of the desk each one has, its texts to search and correct, files in and out."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core import catalogs, corrections, i18n, packs, pofiles
from helpdesk.core.catalogs import SOURCE_LOCALE, Text
from helpdesk.core.corrections import ALL, CORRECTED, MISSING, NoLanguage, Taken, WrongText
from helpdesk.core.packs import CORE, HOME, PACK
from helpdesk.core.pofiles import Problem
from helpdesk.plugins import manager
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.session import reader

SIZE = 50
_SHOWN_PROBLEMS = 50


@dataclass(frozen=True)
class Language:
    """One language of the list: ``percents`` by owner, in the order of the owners."""

    code: str
    name: str
    direction: str
    total: int
    missing: int
    corrected: int
    problems: int
    percents: list[int]

    @property
    def percent(self) -> int:
        return _percent(self.total - self.missing, self.total)


@dataclass(frozen=True)
class Filter:
    """What the page of a language shows; ``owner`` "" is everybody."""

    words: str = ""
    show: str = ALL
    owner: str = ""
    page: int = 1

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """For ``url_for``: without what is not chosen."""
        values = {"q": self.words, "show": self.show, "of": self.owner, "page": self.page, **changes}
        standard = {"q": "", "show": ALL, "of": "", "page": 1}
        return {key: value for key, value in values.items() if value != standard.get(key)}


@dataclass
class Typed:
    """A correction that was sent and cannot be kept: it comes back as it was typed."""

    digest: str
    texts: list[str] = field(default_factory=list)
    error: str = ""
    form: int = 0


@admin.get("/languages")
@needs("language.edit")
def languages() -> Any:
    """Every language with its coverage, where its texts come from, and what is wrong."""
    return _overview({}, {})


@admin.post("/languages")
@needs("language.edit")
def add_language() -> Any:
    """Add a language, or a catalog to one, from a file: it is kept in the home."""
    typed = {"code": request.form.get("code", "").strip(), "of": request.form.get("of", CORE)}
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return _overview({"file": _("Choose a .po file.")}, typed)
    try:
        taken = corrections.keep_file(typed["code"], typed["of"], _data(upload), reader())
    except NoLanguage as problem:
        wrong_code = not packs.is_code(typed["code"])
        return _overview({"code" if wrong_code else "file": str(problem)}, typed)
    _say(taken)
    return redirect(url_for("admin.language", code=typed["code"]), 303)


@admin.get("/languages/begin")
@needs("language.edit")
def begin_language() -> Any:
    """An ordinary .po file with every text of the desk, to begin a language with."""
    code = request.args.get("code", "").strip()
    try:
        packs.check_code(code)
    except ValueError as problem:
        return _overview({"begin": str(problem)}, {"begin": code})
    return _file(code, MISSING, "")


@admin.get("/languages/<code>")
@needs("language.edit")
def language(code: str) -> Any:
    """The texts of one language."""
    return _texts(_known(code), _filter(request.args))


@admin.post("/languages/<code>/texts/<digest>")
@needs("language.edit")
def correct_text(code: str, digest: str) -> Any:
    """Correct one text, or take its correction back."""
    code, chosen = _known(code), _filter(request.form)
    text = corrections.known(code, digest)
    if "undo" in request.form:
        corrections.undo(code, [digest], reader())
        flash(_("The correction was taken back."))
    elif text is None:
        abort(404)
    else:
        wanted = [request.form.get(f"text_{form}", "") for form in range(len(_forms(code, text)))]
        try:
            corrections.correct(code, text, wanted, reader())
        except WrongText as problem:
            return _texts(code, chosen, Typed(digest, wanted, str(problem), problem.form))
        flash(_("The text was corrected. Everybody sees it within two seconds."))
    return redirect(url_for("admin.language", code=code, **chosen.arguments()) + f"#t-{digest[:12]}", 303)


@admin.get("/languages/<code>/export")
@needs("language.edit")
def export_language(code: str) -> Any:
    """The corrections, what is missing, or everything, as a .po file."""
    what = request.args.get("what", ALL)
    return _file(_known(code), what if what in (CORRECTED, MISSING, ALL) else ALL, request.args.get("of", ""))


@admin.post("/languages/<code>/import")
@needs("language.edit")
def import_language(code: str) -> Any:
    """Take the texts of a .po file: as corrections, or as a catalog in the home."""
    code, upload = _known(code), request.files.get("file")
    if upload is None or not upload.filename:
        return _texts(code, Filter(), problem=_("Choose a .po file."))
    data, owner = _data(upload), request.form.get("of", CORE)
    try:
        if request.form.get("as") == "file":
            taken = corrections.keep_file(code, owner, data, reader())
        else:
            taken = corrections.take(code, data, reader())
    except NoLanguage as problem:
        return _texts(code, Filter(), problem=str(problem))
    _say(taken)
    if taken.problems:
        return _texts(code, Filter(), taken=taken)
    return redirect(url_for("admin.language", code=code), 303)


def _known(code: str) -> str:
    if code not in {known for known, _name in i18n.locales()}:
        abort(404)
    return code


def _filter(values: Any) -> Filter:
    show, page = values.get("show", ALL), values.get("page", "1")
    return Filter(
        values.get("q", "").strip()[:200],
        show if show in (MISSING, CORRECTED) else ALL,
        values.get("of", "") if values.get("of", "") in catalogs.current().owners() else "",
        int(page) if page.isascii() and page.isdigit() and len(page) < 6 and int(page) else 1,
    )


def _data(upload: Any) -> bytes:
    data: bytes = upload.stream.read(pofiles.MOST_BYTES + 1)
    upload.close()
    return data


def _say(taken: Taken) -> None:
    flash(ngettext("%(num)s text was taken.", "%(num)s texts were taken.", taken.new))
    if taken.problems:
        left = len(taken.problems)
        flash(ngettext("%(num)s entry has a problem.", "%(num)s entries have problems.", left), "warn")


def _overview(errors: dict[str, str], typed: dict[str, str]) -> Any:
    i18n.locales()
    found = catalogs.current()
    owners = found.owners()
    page = render_template(
        "admin/languages.html",
        languages=[_language(code, name, owners) for code, name in i18n.locales()],
        owners=[(owner, _owner_name(owner), len(found.template(owner))) for owner in owners],
        sources=[source for source in found.sources() if source.place.kind in (HOME, PACK)][:200],
        folders=[_line(path, problem) for path, problem in found.folder_problems()][:_SHOWN_PROBLEMS],
        errors=errors,
        typed=typed,
    )
    return make_response(page, 422 if errors else 200)


def _language(code: str, name: str, owners: list[str]) -> Language:
    texts, problems = catalogs.current().texts(code), catalogs.current().problems(code)
    whole = {owner: 0 for owner in owners}
    there = dict(whole)
    for text in texts:
        whole[text.owner] += 1
        there[text.owner] += code == SOURCE_LOCALE or text.texts is not None
    missing = len(texts) - sum(there.values())
    corrected = sum(1 for text in texts if text.corrected is not None)
    percents = [_percent(there[owner], whole[owner]) for owner in owners]
    return Language(code, name, i18n.text_direction(code), len(texts), missing, corrected, len(problems), percents)


def _texts(code: str, chosen: Filter, typed: Typed | None = None, problem: str = "", taken: Taken | None = None) -> Any:
    every = catalogs.current().texts(code)
    # Each tab says how many it would show with the same words and the same owner.
    alike = replace(chosen, show=ALL)
    found = [text for text in every if _fits(text, alike, code)]
    fitting = [text for text in found if _fits(text, chosen, code)]
    start = (chosen.page - 1) * SIZE
    rows = fitting[start : start + SIZE]
    if typed is not None and all(row.digest != typed.digest for row in rows):
        rows = [text for text in every if text.digest == typed.digest] + rows
    page = render_template(
        "admin/language.html",
        code=code,
        name=packs.locale_name(code),
        direction=i18n.text_direction(code),
        forms_of=lambda text: _forms(code, text),
        rows=rows,
        count=len(fitting),
        total=len(found),
        chosen=chosen,
        more=len(fitting) > start + SIZE,
        counts={
            MISSING: sum(1 for text in found if text.texts is None) if code != SOURCE_LOCALE else 0,
            CORRECTED: sum(1 for text in found if text.corrected is not None),
        },
        owners=[(owner, _owner_name(owner)) for owner in catalogs.current().owners()],
        owner_name=_owner_name,
        problems=[_line(path, one) for path, one in catalogs.current().problems(code)][:_SHOWN_PROBLEMS],
        left_out=taken.problems[:_SHOWN_PROBLEMS] if taken else [],
        typed=typed,
        problem=problem,
        is_source=code == SOURCE_LOCALE,
    )
    return make_response(page, 422 if typed or problem else 200)


def _fits(text: Text, chosen: Filter, code: str) -> bool:
    if chosen.owner and text.owner != chosen.owner:
        return False
    if chosen.show == MISSING and (text.texts is not None or code == SOURCE_LOCALE):
        return False
    if chosen.show == CORRECTED and text.corrected is None:
        return False
    words = chosen.words.casefold()
    return not words or any(words in one.casefold() for one in (*text.entry.sources, *(text.texts or ())))


def _forms(code: str, text: Text) -> list[str]:
    """What each plural form of a text is for; one without a word when it has none."""
    return [""] if text.entry.plural is None else pofiles.digits(code)


def _file(code: str, what: str, owner: str) -> Any:
    owner = owner if owner in catalogs.current().owners() else ""
    answer = make_response(corrections.exported(code, what, owner or None))
    answer.mimetype = "text/x-gettext-translation"
    name = "-".join(part for part in ("helpdesk", owner, code, what if what != ALL else "") if part)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.po"'
    return answer


def _line(path: Path, problem: Problem) -> tuple[str, int | None, str]:
    """Where a problem is, shortly and without the machine's folders: in the home from there, else from its package."""
    home = current_app.config["HELPDESK"].paths.root
    if path.is_relative_to(home):
        return str(path.relative_to(home)), problem.line, problem.sentence
    parts = path.parts
    start = max(len(parts) - 5, 0)
    return "/".join(parts[start:]), problem.line, problem.sentence


def _owner_name(owner: str) -> str:
    if owner == CORE:
        return _("The desk itself")
    plugin = manager.current().plugins.get(owner)
    return plugin.name if plugin else owner


def _percent(part: int, whole: int) -> int:
    """Whole percents, rounded down: 100 means all of them."""
    return part * 100 // whole if whole else 100
