"""The content of a course: checked for its form when it is saved, and for being whole when it is published.

``{"lessons": [...], "questions": [...], "tasks": [...]}``. Each has an ``id`` that it keeps through all versions, and
``texts`` by language: of a lesson ``title`` and ``text`` (Markdown); of a question ``text``, ``explanation``, ``model``
(of one that is answered freely) and ``options`` (by their ids); of a task ``title``, ``text`` and the ``subject`` and
``message`` of its sample ticket. A lesson may have ``skills`` of its own.

A question has ``kind``, ``points``, ``options`` (ids, as shown) and ``right`` (ids; of an order all of them, the first
one first). A task has a ``rubric`` of ``{"id", "points", "texts": {locale: words}}``, and ``pass_points``.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from helpdesk.api import Invalid, tidy_language
from helpdesk.api import gettext as _
from helpdesk_training import rendering, skills
from helpdesk_training.cleaning import storable
from helpdesk_training.models import FREE, ORDER, QUESTIONS, SINGLE

LONGEST, LONGEST_LESSON, LONGEST_ANSWER = 5_000, 200_000, 20_000
MOST_LESSONS, MOST_QUESTIONS, MOST_TASKS, MOST_OPTIONS, MOST_LINES, MOST_POINTS = 200, 200, 50, 20, 30, 100
_ID = re.compile(r"[a-z0-9_]{1,40}")


def empty() -> dict[str, Any]:
    """The content of a course in which nothing is written yet."""
    return {"lessons": [], "questions": [], "tasks": []}


def clean_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as it is kept. What is missing yet may be missing. Raises :class:`Invalid` naming ``lesson.1`` ..."""
    found = {
        "lessons": _each(content, "lessons", "lesson", MOST_LESSONS, _lesson),
        "questions": _each(content, "questions", "question", MOST_QUESTIONS, _question),
        "tasks": _each(content, "tasks", "task", MOST_TASKS, _task),
    }
    for key, letter in (("lessons", "l"), ("questions", "q"), ("tasks", "t")):
        _give_ids(found[key], letter, key)
    return found


def problems(content: Mapping[str, Any], language: str, files: Collection[str]) -> list[str]:
    """What keeps a course from being published, one sentence for each; ``language`` has to have every text."""
    lessons, questions, tasks = (content.get(key) or [] for key in ("lessons", "questions", "tasks"))
    found = [] if lessons or questions or tasks else [_("Write a lesson, a question or a task first.")]
    for number, lesson in enumerate(lessons, 1):
        found += _lesson_problems(number, lesson, language, files, {one["id"] for one in lessons})
    for number, question in enumerate(questions, 1):
        found += _question_problems(number, question, language)
    for number, task in enumerate(tasks, 1):
        found += _task_problems(number, task, language)
    return found


def right_of(question: Mapping[str, Any], given: Any) -> bool | None:
    """Whether an answer is right as a whole; None: a person has to say."""
    if question["kind"] == FREE:
        return None
    chosen = list(given or [])
    if question["kind"] == ORDER:
        return chosen == list(question["right"])
    return set(chosen) == set(question["right"])


def clean_answers(content: Mapping[str, Any], answers: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What was answered over what was answered before; what is not asked or cannot be chosen is dropped.

    Raises :class:`Invalid` naming the id of a question whose answer is too long.
    """
    kept = {}
    for question in content["questions"]:
        key = question["id"]
        given = _given(question, answers[key]) if key in answers else before.get(key)
        if given:
            kept[key] = given
    return kept


def unanswered(content: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """The ids of questions without an answer; an order has to have all its options."""
    return [
        question["id"]
        for question in content["questions"]
        if not answers.get(question["id"])
        or (question["kind"] == ORDER and len(answers[question["id"]]) < len(question["options"]))
    ]


def by_id(parts: Sequence[Mapping[str, Any]], key: str) -> Mapping[str, Any] | None:
    """The lesson, question or task of that id."""
    return next((part for part in parts if part["id"] == key), None)


def languages_of(content: Mapping[str, Any]) -> list[str]:
    """In which languages anything is there."""
    parts = [part for key in ("lessons", "questions", "tasks") for part in content.get(key) or ()]
    return sorted({locale for part in parts for locale in part["texts"]})


# ---- its form


def _each(
    content: Mapping[str, Any],
    key: str,
    name: str,
    most: int,
    clean: Callable[[Mapping[str, Any], str], dict[str, Any]],
) -> list[dict[str, Any]]:
    parts = content.get(key) or ()
    if not isinstance(parts, list | tuple) or not all(isinstance(part, Mapping) for part in parts):
        raise Invalid(key, _("This cannot be read as the content of a course."))
    if len(parts) > most:
        raise Invalid(key, _("These are too many parts; %(number)s fit.", number=most))
    return [clean(part, f"{name}.{number}") for number, part in enumerate(parts, 1)]


def _lesson(lesson: Mapping[str, Any], name: str) -> dict[str, Any]:
    texts = _texts(lesson.get("texts"), name, {"title": 200, "text": LONGEST_LESSON})
    taught = skills.clean([str(one) for one in lesson.get("skills") or ()], f"{name}.skills")
    return {"id": _id(lesson.get("id"), name), "skills": taught, "texts": texts}


def _question(question: Mapping[str, Any], name: str) -> dict[str, Any]:
    kind = str(question.get("kind") or SINGLE)
    if kind not in QUESTIONS:
        raise Invalid(f"{name}.kind", _("Choose what kind of question this is."))
    texts = _texts(question.get("texts"), name, {"text": LONGEST, "explanation": LONGEST, "model": LONGEST})
    options, right = _options(question, texts, name) if kind != FREE else ([], [])
    found = {
        "id": _id(question.get("id"), name),
        "kind": kind,
        "points": _number(question.get("points", 1), f"{name}.points", 1, MOST_POINTS),
        "options": options,
        "right": list(right) if kind != ORDER else [*right, *(one for one in options if one not in right)],
        "texts": texts,
    }
    if kind == SINGLE and len(right) > 1:
        raise Invalid(f"{name}.right", _("One answer is right here. Choose “Several choices” if there are more."))
    return found


def _options(question: Mapping[str, Any], texts: dict[str, dict[str, Any]], name: str) -> tuple[list[str], list[str]]:
    """The ids of the options that have words in some language, with those words put into ``texts``."""
    wanted = [_id(one, f"{name}.options") for one in question.get("options") or ()]
    if len(wanted) > MOST_OPTIONS or len(set(wanted)) < len(wanted):
        raise Invalid(f"{name}.options", _("These are too many answers; %(number)s fit.", number=MOST_OPTIONS))
    said: dict[str, dict[str, str]] = {}
    for code, words in dict(question.get("texts") or {}).items():
        locale = _locale(code, name)
        for option, text in dict((words or {}).get("options") or {}).items():
            line = _short(str(text), f"{name}.options", LONGEST)
            if line and option in wanted:
                said.setdefault(locale, {})[str(option)] = line
    for locale, options in said.items():
        texts.setdefault(locale, {})["options"] = options
    there = [one for one in wanted if any(one in options for options in said.values())]
    return there, [one for one in (str(key) for key in question.get("right") or ()) if one in there]


def _task(task: Mapping[str, Any], name: str) -> dict[str, Any]:
    fields = {"title": 200, "text": LONGEST, "subject": 500, "message": LONGEST}
    rubric: list[dict[str, Any]] = []
    for number, line in enumerate(task.get("rubric") or (), 1):
        at = f"{name}.rubric.{number}"
        said = {_locale(code, at): _short(str(text), at, 500) for code, text in dict(line.get("texts") or {}).items()}
        said = {locale: text for locale, text in said.items() if text}
        if said:
            points = _number(line.get("points", 1), at, 1, MOST_POINTS)
            rubric.append({"id": _id(line.get("id"), at), "points": points, "texts": said})
    if len(rubric) > MOST_LINES:
        raise Invalid(f"{name}.rubric", _("These are too many parts; %(number)s fit.", number=MOST_LINES))
    _give_ids(rubric, "r", f"{name}.rubric")
    total = sum(line["points"] for line in rubric)
    least = _number(task.get("pass_points", total), f"{name}.pass_points", 0, MOST_LINES * MOST_POINTS)
    return {
        "id": _id(task.get("id"), name), "texts": _texts(task.get("texts"), name, fields), "rubric": rubric,
        "pass_points": least,
    }  # fmt: skip


def _texts(texts: Any, name: str, fields: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for code, words in dict(texts or {}).items():
        locale = _locale(code, name)
        kept = {field: _short(str(words.get(field) or ""), f"{name}.{field}", most) for field, most in fields.items()}
        if any(kept.values()):
            found[locale] = kept
    return found


def _locale(code: Any, name: str) -> str:
    locale = tidy_language(str(code))
    if locale is None:
        raise Invalid(name, _("There is no language “%(code)s”.", code=str(code)[:20]))
    return locale


def _short(text: str, name: str, most: int) -> str:
    words = storable(text)
    if len(words) > most:
        raise Invalid(name, _("This is too long; %(number)s characters fit.", number=most))
    return words


def _number(value: Any, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(name, _("Write a number from %(least)s to %(most)s.", least=least, most=most))
    return value


def _id(value: Any, name: str) -> str:
    key = str(value or "")
    if key and _ID.fullmatch(key) is None:
        raise Invalid(name, _("Name it with small letters, digits and underscores."))
    return key


def _give_ids(parts: list[dict[str, Any]], letter: str, name: str) -> None:
    """An id for those that have none, which none of the others has."""
    taken = [part["id"] for part in parts if part["id"]]
    if len(set(taken)) < len(taken):
        raise Invalid(name, _("Two parts have the same name. Give each one of its own."))
    number, known = 0, set(taken)
    for part in parts:
        while not part["id"]:
            number += 1
            if f"{letter}{number}" not in known:
                part["id"] = f"{letter}{number}"
                known.add(part["id"])


def _given(question: Mapping[str, Any], value: Any) -> Any:
    if question["kind"] == FREE:
        text = storable(str(value[0] if isinstance(value, list) and value else value or ""))
        if len(text) > LONGEST_ANSWER:
            raise Invalid(question["id"], _("This is too long; %(number)s characters fit.", number=LONGEST_ANSWER))
        return text
    chosen = [str(one) for one in ([value] if isinstance(value, str) else value or ())]
    chosen = [one for one in dict.fromkeys(chosen) if one in question["options"]]
    return chosen[:1] if question["kind"] == SINGLE else chosen


# ---- whether it is whole


def _lesson_problems(
    number: int, lesson: Mapping[str, Any], language: str, files: Collection[str], lessons: Collection[str]
) -> list[str]:
    words = lesson["texts"].get(language, {})
    found = []
    if not words.get("title") or not words.get("text"):
        found.append(_("Lesson %(number)s needs a title and a text in the language of the course.", number=number))
    for text in (one.get("text", "") for one in lesson["texts"].values()):
        for name in sorted(rendering.named_files(text) - set(files)):
            found.append(
                _("Lesson %(number)s names the file “%(name)s”, which is not there. Add it.", number=number, name=name)
            )
        if rendering.named_lessons(text) - set(lessons):
            found.append(_("Lesson %(number)s links to a lesson that is not there.", number=number))
    return list(dict.fromkeys(found))


def _question_problems(number: int, question: Mapping[str, Any], language: str) -> list[str]:
    words = question["texts"].get(language, {})
    if not words.get("text"):
        return [_("Question %(number)s has no words in the language of the course.", number=number)]
    if question["kind"] == FREE:
        return []
    if len(question["options"]) < 2:
        return [_("Question %(number)s needs two answers at least to choose from.", number=number)]
    if any(not words.get("options", {}).get(option) for option in question["options"]):
        return [_("An answer of question %(number)s has no words in the language of the course.", number=number)]
    if not question["right"]:
        return [_("Question %(number)s has no right answer. Mark the one that is right.", number=number)]
    return []


def _task_problems(number: int, task: Mapping[str, Any], language: str) -> list[str]:
    words = task["texts"].get(language, {})
    if not words.get("title") or not words.get("text"):
        return [_("Task %(number)s needs a title and a text in the language of the course.", number=number)]
    total = sum(line["points"] for line in task["rubric"])
    if not task["rubric"]:
        return [_("Task %(number)s needs a rubric: what is looked at, and the points for it.", number=number)]
    if not 0 < task["pass_points"] <= total:
        return [
            _("Task %(number)s is passed from %(least)s of %(total)s points, which cannot be. Change one of them.",
              number=number, least=task["pass_points"], total=total)
        ]  # fmt: skip
    return []
