"""A survey as it is filled in: its pages, what was typed, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from helpdesk.api import gettext as _

LONGEST = 4_000


@dataclass
class Typed:
    """What somebody has filled in so far, by field; ``errors`` has a sentence for each that cannot be kept."""

    score: int | None = None
    comment: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def steps(questions: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """The questions of each page, the first page at first; one empty page where there are none."""
    found: dict[int, list[dict[str, Any]]] = {}
    for item in questions.get("items", ()):
        found.setdefault(int(item.get("page") or 1), []).append(item)
    first = found.pop(1, []) if 1 in found else []
    rest = [found[number] for number in sorted(found)]
    return [first, *rest]


def read(form: Any, questions: Mapping[str, Any], scores: Sequence[int], most_comment: int = LONGEST) -> Typed:
    """All that a form holds of a survey; what it does not hold is not there."""
    typed = Typed()
    text = form.get("score", "")
    if text.isascii() and text.isdigit() and len(text) < 3 and int(text) in scores:
        typed.score = int(text)
    typed.comment = _tidy(form.get("comment", ""))
    for item in questions.get("items", ()):
        if item["kind"] == "multiple":
            known = {option["key"] for option in item.get("options", ())}
            typed.answers[item["key"]] = [one for one in form.getlist(item["key"]) if one in known]
        else:
            typed.answers[item["key"]] = _tidy(form.get(item["key"], ""))
    return typed


def check(typed: Typed, items: Sequence[Mapping[str, Any]], *, score: bool = False, comment: bool = False) -> None:
    """Note what is wrong with these questions, and with the score and the comment where they are asked for."""
    if score and typed.score is None:
        typed.errors["score"] = _("Choose one of the answers.")
    if comment and len(typed.comment) > LONGEST:
        typed.errors["comment"] = _("This is too long; %(number)s characters fit.", number=LONGEST)
    for item in items:
        problem = _problem(item, typed.answers.get(item["key"], ""))
        if problem:
            typed.errors[item["key"]] = problem


def _problem(item: Mapping[str, Any], value: Any) -> str:
    if not value:
        return _("Please answer this question.") if item.get("required") else ""
    if item["kind"] == "text" and len(value) > LONGEST:
        return _("This is too long; %(number)s characters fit.", number=LONGEST)
    if item["kind"] == "date" and not _is_day(value):
        return _("Write a day such as %(example)s.", example="2026-03-31")
    if item["kind"] == "single" and value not in {option["key"] for option in item.get("options", ())}:
        return _("Choose one of the answers.")
    if item["kind"] == "scale" and value not in {str(number) for number in scale(item)}:
        return _("Choose one of the answers.")
    return ""


def scale(item: Mapping[str, Any]) -> range:
    """The numbers of a scale."""
    return range(1, int(item.get("most") or 5) + 1)


def shown(item: Mapping[str, Any], value: Any, say: Any) -> str:
    """An answer as it is read; ``say`` picks the text of an option in the reader's language."""
    names = {option["key"]: say(option.get("text")) for option in item.get("options", ())}
    if item["kind"] == "multiple":
        return ", ".join(names.get(key, key) for key in value or ())
    if item["kind"] == "single":
        return names.get(value, str(value or ""))
    if item["kind"] == "scale" and value:
        return _("%(score)s of %(most)s", score=value, most=scale(item)[-1])
    return str(value or "")


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "").strip()


def _is_day(text: str) -> bool:
    try:
        return 1900 <= date.fromisoformat(text).year < 2200
    except ValueError:
        return False
