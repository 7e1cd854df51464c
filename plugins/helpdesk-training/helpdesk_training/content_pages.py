"""The content of a course as it is written: lessons, questions and tasks, one language at a time, and a preview."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_babel import get_locale

from helpdesk.api import Invalid, db, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_training import content as writing
from helpdesk_training import courses as finding
from helpdesk_training import editing, files, rendering
from helpdesk_training.blueprint import pages, show
from helpdesk_training.course_pages import any_course, languages
from helpdesk_training.models import FREE, ORDER, QUESTIONS, SINGLE, Course
from helpdesk_training.permissions import WRITE

_PARTS = {"lessons": "lesson", "questions": "question", "tasks": "task"}
_NEW = "new"
_ROWS, _LINES = 20, 30


@pages.get("/manage/courses/<int:course_id>")
@permission_required(WRITE)
def content(course_id: int) -> Any:
    """What is in a course, in order, and what is missing until it can be published."""
    row = any_course(course_id)
    return show(
        "content.html",
        course=row,
        version=finding.newest(row),
        content=row.draft or writing.empty(),
        problems=finding.problems(row),
        has_news=finding.has_news(row),
        languages=languages(row),
        missing=_missing(row),
    )


@pages.post("/manage/courses/<int:course_id>/<any(up, down, drop):what>")
@permission_required(WRITE)
def move_part(course_id: int, what: str) -> Any:
    """Put a lesson, a question or a task one place up or down, or take it out."""
    row = any_course(course_id)
    draft = _draft(row)
    parts = draft.get(request.form.get("part", ""), [])
    key = request.form.get("id", "")
    place = next((number for number, one in enumerate(parts) if one["id"] == key), None)
    if place is not None and what == "drop":
        parts.pop(place)
    elif place is not None:
        other = place + (1 if what == "down" else -1)
        if 0 <= other < len(parts):
            parts[place], parts[other] = parts[other], parts[place]
    try:
        editing.save_content(row, draft, reader(), number_in(request.form.get("revision")))
    except Invalid as problem:
        db.session.rollback()
        flash(str(problem), "error")
    return redirect(url_for("training.content", course_id=course_id), 303)


@pages.get("/manage/courses/<int:course_id>/<any(lessons, questions, tasks):part>/<key>")
@permission_required(WRITE)
def edit_part(course_id: int, part: str, key: str) -> Any:
    """A lesson, a question or a task in one language; another one by ?locale=. The key “new” is a new one."""
    row = any_course(course_id)
    return _form(row, part, key, _one(row, part, key), _locale(row))


@pages.post("/manage/courses/<int:course_id>/<any(lessons, questions, tasks):part>/<key>")
@permission_required(WRITE)
def save_part(course_id: int, part: str, key: str) -> Any:
    """Keep what was written in that language; nobody takes it before it is published."""
    row = any_course(course_id)
    one, locale = _one(row, part, key), _locale(row)
    {"lessons": _read_lesson, "questions": _read_question, "tasks": _read_task}[part](one, locale, row)
    draft = _draft(row)
    if key == _NEW:
        draft[part].append(one)
    else:
        draft[part] = [one if other["id"] == key else other for other in draft[part]]
    try:
        editing.save_content(row, draft, reader(), number_in(request.form.get("revision")))
    except Invalid as problem:
        db.session.rollback()
        place = next(number for number, other in enumerate(draft[part], 1) if other is one)
        name = problem.field.removeprefix(f"{_PARTS[part]}.{place}.")
        return _form(any_course(course_id), part, key, one, locale, {name: str(problem)})
    flash(_("Saved. It is taken as before until you publish it."))
    if "more" in request.form:
        return redirect(url_for("training.edit_part", course_id=course_id, part=part, key=_NEW), 303)
    return redirect(url_for("training.content", course_id=course_id), 303)


@pages.get("/manage/courses/<int:course_id>/preview")
@permission_required(WRITE)
def preview(course_id: int) -> Any:
    """The draft as those will read it who take the course, in one of the languages."""
    row = any_course(course_id)
    locale = _locale(row)
    return show(
        "preview.html",
        course=row,
        content=row.draft or writing.empty(),
        locale=locale,
        languages=languages(row),
        html=lambda text: rendering.lesson_html(
            row.id, text, lesson_url=lambda key: url_for("training.preview", course_id=row.id, _anchor=f"lesson-{key}")
        ),
        in_it=lambda texts: rendering.words(texts, locale),
        tongue_of=lambda texts: rendering.locale_of(texts, locale) or locale,
    )


# ---- what was typed


def _read_lesson(one: dict[str, Any], locale: str, row: Course) -> None:
    _put(one, locale, {"title": _line("title"), "text": _text("text")})


def _read_question(one: dict[str, Any], locale: str, row: Course) -> None:
    """Rows of answers: a row that is empty in the language of the course is none, elsewhere it has no words yet."""
    kind = request.form.get("kind", SINGLE)
    one["kind"] = kind if kind in QUESTIONS else SINGLE
    one["points"] = _number("points", 1)
    said: dict[str, str] = {}
    kept: list[str] = []
    right: list[str] = []
    for place in range(_ROWS):
        key, text = request.form.get(f"o-{place}-id", "")[:40], _line(f"o-{place}-text")
        known = key in one["options"]
        if not (text or (known and locale != row.language)):
            continue
        key = key if known else _free(one, kept)
        kept.append(key)
        if text:
            said[key] = text
        if f"o-{place}-right" in request.form:
            right.append(key)
    if one["kind"] != FREE:
        one["options"] = kept
        one["right"] = list(kept) if one["kind"] == ORDER else right
    words = {"text": _text("text"), "explanation": _text("explanation"), "model": _text("model")}
    _put(one, locale, words, options=said)


def _read_task(one: dict[str, Any], locale: str, row: Course) -> None:
    rubric, known = [], {line["id"]: line for line in one["rubric"]}
    for place in range(_LINES):
        key, text = request.form.get(f"r-{place}-id", "")[:40], _line(f"r-{place}-text")
        if not (text or (key in known and locale != row.language)):
            continue
        line = deepcopy(known.get(key)) or {"id": "", "points": 1, "texts": {}}
        line["points"] = _number(f"r-{place}-points", 1)
        if text:
            line["texts"][locale] = text
        else:
            line["texts"].pop(locale, None)
        rubric.append(line)
    one["rubric"] = rubric
    one["pass_points"] = _number("pass_points", sum(line["points"] for line in rubric))
    _put(one, locale, {"title": _line("title"), "text": _text("text"), "subject": _line("subject"),
                       "message": _text("message")})  # fmt: skip


def _put(one: dict[str, Any], locale: str, words: Mapping[str, str], options: Mapping[str, str] | None = None) -> None:
    said: dict[str, Any] = {name: text for name, text in words.items() if text}
    if options:
        said["options"] = dict(options)
    if said:
        one["texts"][locale] = said
    else:
        one["texts"].pop(locale, None)


def _free(one: Mapping[str, Any], kept: list[str]) -> str:
    """A name for a new answer that none has, nor had before: answers that were given name it."""
    taken = {*one["options"], *kept}
    return next(f"o{number}" for number in range(1, 1_000) if f"o{number}" not in taken)


def _number(name: str, usual: int) -> int:
    text = request.form.get(name, "").strip()
    if not text:
        return usual
    # What is no number is refused by the content, with a sentence.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


def _line(name: str) -> str:
    return " ".join(request.form.get(name, "").replace("\0", "").split())


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()


# ---- the form


def _one(row: Course, part: str, key: str) -> dict[str, Any]:
    empty = {"id": "", "texts": {}, "kind": SINGLE, "points": 1, "options": [], "right": [], "rubric": [],
             "pass_points": 0}  # fmt: skip
    if key == _NEW:
        return empty
    found = next((one for one in _draft(row)[part] if one["id"] == key), None)
    if found is None:
        abort(404)
    return {**empty, **found}


def _draft(row: Course) -> dict[str, Any]:
    return deepcopy({**writing.empty(), **(row.draft or {})})


def _locale(row: Course) -> str:
    """The language that is written; the course's own at first, in a preview the reader's."""
    chosen = (request.form if request.method == "POST" else request.args).get("locale", "")
    known = [code for code, _name in languages(row)]
    if chosen in known:
        return chosen
    return str(get_locale()) if request.endpoint == "training.preview" else row.language


def _form(
    row: Course, part: str, key: str, one: dict[str, Any], locale: str, errors: dict[str, str] | None = None
) -> Any:
    texts = one["texts"].get(locale, {})
    base = one["texts"].get(row.language, {}) if locale != row.language else {}
    spare = 2 if locale == row.language else 0
    rows: list[dict[str, Any]] = [
        {"id": option, "text": texts.get("options", {}).get(option, ""), "right": option in one["right"],
         "base": base.get("options", {}).get(option, "")}
        for option in (one["right"] if one["kind"] == ORDER else one["options"])
    ]  # fmt: skip
    lines = [
        {"id": line["id"], "text": line["texts"].get(locale, ""), "points": line["points"],
         "base": line["texts"].get(row.language, "") if base else ""}
        for line in one["rubric"]
    ]  # fmt: skip
    if spare:
        empty = {"id": "", "text": "", "right": False, "points": 1, "base": ""}
        rows += [empty] * max(spare, 4 - len(rows))
        lines += [empty] * max(spare, 3 - len(lines))
    return show(
        f"{_PARTS[part]}_form.html",
        422 if errors else 200,
        course=row,
        part=part,
        key=key,
        one=one,
        texts=texts,
        base=base,
        rows=rows[:_ROWS],
        lines=lines[:_LINES],
        locale=locale,
        languages=languages(row),
        files=files.of(row),
        others=[(other["id"], rendering.words(other["texts"], locale).get("title", ""))
                for other in (row.draft or {}).get("lessons", ()) if other["id"] != key and other["texts"]],
        errors=errors or {},
        revision=request.form.get("revision") or row.revision,
    )  # fmt: skip


def _missing(row: Course) -> dict[str, int]:
    """How many parts have no words yet in each further language that the course has."""
    draft = row.draft or writing.empty()
    parts = [one for part in _PARTS for one in draft.get(part, ())]
    return {code: sum(1 for one in parts if code not in one["texts"]) for code in writing.languages_of(draft)}
