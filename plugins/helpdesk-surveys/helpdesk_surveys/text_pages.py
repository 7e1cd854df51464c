"""The words of a survey: what it asks in each language, its questions, a preview, and versions of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import force_locale, get_locale

from helpdesk.api import Invalid, db, default_locale, locales, permission_required, reader, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_surveys import asking, wording
from helpdesk_surveys import surveys as keeping
from helpdesk_surveys.answer_pages import form_page
from helpdesk_surveys.asking import Typed
from helpdesk_surveys.blueprint import pages, show
from helpdesk_surveys.models import QUESTIONS, Survey
from helpdesk_surveys.permissions import MANAGE
from helpdesk_surveys.survey_pages import survey_of, version_of

_MOST_ITEMS, _MOST_OPTIONS, _MOST_PAGES, _LONGEST = 40, 30, 10, 2_000


@pages.get("/surveys/<int:survey_id>/words")
@permission_required(MANAGE)
def words_of(survey_id: int) -> Any:
    """The words and questions in one language; another one by ?locale=."""
    row = survey_of(survey_id)
    items = list(row.texts.get("items", ()))
    if "add" in request.args or (row.kind == "form" and not items):
        items.append(_empty(items))
    return _form(row, _locale(), row.texts.get("texts", {}), items)


@pages.post("/surveys/<int:survey_id>/words")
@permission_required(MANAGE)
def save_words(survey_id: int) -> Any:
    """Keep the draft of the words; those who are asked see it when it is published."""
    row, locale = survey_of(survey_id), _locale()
    texts, errors = _read_texts(row, locale)
    items = _read_items(row, locale, errors)
    kept = [item for item in items if not item.pop("gone", False)]
    if errors:
        return _form(row, locale, texts, items, errors)
    try:
        with transaction():
            keeping.save_texts(row, {"texts": texts, "items": kept}, reader())
            db.session.flush()
            if "publish" in request.form:
                keeping.publish_version(row, reader())
    except Invalid as problem:
        db.session.rollback()
        return _form(survey_of(survey_id), locale, texts, items, {_field(problem.field, kept): str(problem)})
    more: dict[str, Any] = {"add": 1, "_anchor": "new-item"} if "add" in request.form else {}
    if "publish" in request.form:
        flash(_("Published. Whoever is asked from now on sees these words."))
    elif not more:
        flash(_("Saved. It is asked as before until you publish it."))
    return redirect(url_for("surveys.words_of", survey_id=survey_id, locale=locale, **more), 303)


@pages.get("/surveys/<int:survey_id>/preview")
@permission_required(MANAGE)
def preview(survey_id: int) -> Any:
    """The page as customers will see it, in one of the languages, with the draft of the words."""
    return _preview(survey_of(survey_id), Typed(), 0)


@pages.post("/surveys/<int:survey_id>/preview")
@permission_required(MANAGE)
def turn_preview(survey_id: int) -> Any:
    """Another page of it. Nothing is kept."""
    row = survey_of(survey_id)
    typed = asking.read(request.form, row.texts, wording.scores(row.kind, row.look))
    last = len(asking.steps(row.texts)) - 1
    text = request.form.get("step", "")
    here = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    return _preview(row, typed, max(0, min(last, here + (-1 if "back" in request.form else 1))))


def _preview(row: Survey, typed: Typed, here: int) -> Any:
    with force_locale(_locale()):
        return form_page(row, row.texts, typed, here, preview=True, asked=None)


def _locale() -> str:
    """The language that is worded; the reader's own at first."""
    chosen = (request.form if request.method == "POST" else request.args).get("locale", "")
    known = dict(locales())
    return next((code for code in (chosen, str(get_locale())) if code in known), default_locale())


# ---- what was typed


def _read_texts(row: Survey, locale: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The words of the mail and the page; nothing typed is the usual words."""
    texts = {name: dict(row.texts.get("texts", {}).get(name) or {}) for name in wording.TEXTS}
    errors: dict[str, str] = {}
    for name in wording.TEXTS:
        text = _text(name)
        if name == "subject":
            text = " ".join(text.split())
        if len(text) > _LONGEST:
            errors[name] = _("This is too long; %(number)s characters fit.", number=_LONGEST)
        _put(texts[name], locale, text)
    return texts, errors


def _read_items(row: Survey, locale: str, errors: dict[str, str]) -> list[dict[str, Any]]:
    """The questions in their order; those that are to go, and an empty new one, are marked ``gone``."""
    present = {item["key"]: item for item in row.texts.get("items", ())}
    found: list[tuple[int, int, dict[str, Any]]] = []
    for place in range(_MOST_ITEMS):
        key = request.form.get(f"item-{place}-key", "")
        if not key or len(key) > 10 or not key.isalnum():
            continue
        old = present.get(key, {})
        item = _read_item(f"item-{place}", key, old, locale, errors)
        found.append((_number(f"item-{place}-place", place + 1), place, item))
    return [item for _position, _place, item in sorted(found, key=lambda one: one[:2])]


def _read_item(name: str, key: str, old: Mapping[str, Any], locale: str, errors: dict[str, str]) -> dict[str, Any]:
    kind = request.form.get(f"{name}-kind", QUESTIONS[0])
    item: dict[str, Any] = {
        "key": key,
        "kind": kind if kind in QUESTIONS else QUESTIONS[0],
        "required": f"{name}-required" in request.form,
        "page": max(1, min(_MOST_PAGES, _number(f"{name}-page", 1))),
        "text": dict(old.get("text") or {}),
        "options": [dict(option) for option in old.get("options", ())],
        "most": max(2, min(11, _number(f"{name}-most", 5))),
    }
    _put(item["text"], locale, _text(f"{name}-text"))
    lines = [line.strip() for line in _text(f"{name}-options").splitlines() if line.strip()]
    if item["kind"] in ("single", "multiple"):
        item["options"], problem = _options(item["options"], lines, locale)
        if problem:
            errors[f"{key}.options"] = problem
    item["gone"] = f"{name}-gone" in request.form or not (item["text"] or old)
    if item["gone"]:
        errors.pop(f"{key}.options", None)
    elif not item["text"]:
        errors[f"{key}.text"] = _("Write the question.")
    elif len(_text(f"{name}-text")) > _LONGEST:
        errors[f"{key}.text"] = _("This is too long; %(number)s characters fit.", number=_LONGEST)
    return item


def _options(options: Sequence[dict[str, Any]], lines: Sequence[str], locale: str) -> tuple[list[dict[str, Any]], str]:
    """The choices by the lines of one language: a line that was there keeps its key and its other languages."""
    if len(lines) > _MOST_OPTIONS:
        return list(options), _("These are too many choices; %(number)s fit.", number=_MOST_OPTIONS)
    if locale != default_locale() and options:
        if lines and len(lines) != len(options):
            return list(options), _("There are %(number)s choices; write one line for each.", number=len(options))
        for place, option in enumerate(options):
            option["text"] = dict(option.get("text") or {})
            _put(option["text"], locale, lines[place] if lines else "")
        return list(options), ""
    if len(lines) < 2:
        return list(options), _("Write two choices at least, one on a line.")
    known = {option.get("text", {}).get(locale): option for option in options}
    numbers = [int(option["key"]) for option in options if str(option["key"]).isdigit()]
    following = max(numbers, default=0)
    made = []
    for place, line in enumerate(lines):
        old = known.pop(line, None)
        if old is None and len(lines) == len(options) and options[place].get("text", {}).get(locale) not in lines:
            # A line that was corrected.
            old = options[place]
        if old is None:
            following += 1
            old = {"key": str(following), "text": {}}
        made.append({"key": old["key"], "text": {**(old.get("text") or {}), locale: line}})
    return made, ""


def _field(name: str, items: Sequence[Mapping[str, Any]]) -> str:
    """The questions are checked by their place (``q2.text``), and shown by their key."""
    place, dot, part = name.partition(".")
    number = int(place[1:]) if dot and place[1:].isdigit() else 0
    return f"{items[number - 1]['key']}.{part}" if 0 < number <= len(items) else name


def _empty(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A new question, with a key that none has."""
    numbers = [int(item["key"][1:]) for item in items if item["key"][1:].isdigit()]
    page = items[-1]["page"] if items else 1
    return {"key": f"q{max(numbers, default=0) + 1}", "kind": "text", "required": False, "page": page, "text": {},
            "options": [], "most": 5, "new": True}  # fmt: skip


def _form(
    row: Survey,
    locale: str,
    texts: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    errors: dict[str, str] | None = None,
) -> Any:
    version = version_of(row)
    with speaking(locale):
        usual = wording.usual(row.kind)
    return show(
        "words.html",
        422 if errors else 200,
        survey=row,
        version=version,
        is_changed=version is not None and version.questions != row.texts,
        locale=locale,
        first=default_locale(),
        languages=[(code, name, _missing(row, code)) for code, name in locales()],
        texts={name: texts.get(name) or {} for name in wording.TEXTS},
        usual=usual,
        items=items,
        errors=errors or {},
    )


def _missing(row: Survey, code: str) -> int:
    """How many of the owner's own words are not there in a language."""
    own = [texts for texts in row.texts.get("texts", {}).values() if texts]
    own += [item["text"] for item in row.texts.get("items", ())]
    own += [option["text"] for item in row.texts.get("items", ()) for option in item.get("options", ())]
    return sum(1 for texts in own if any(texts.values()) and not texts.get(code))


def _put(texts: dict[str, str], locale: str, text: str) -> None:
    if text:
        texts[locale] = text
    else:
        texts.pop(locale, None)


def _text(name: str) -> str:
    return str(request.form.get(name, "")).replace("\r\n", "\n").replace("\0", "").strip()


def _number(name: str, usual: int) -> int:
    text = request.form.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else usual
