"""The words of a survey: checked when they are saved, and answers checked against them.

``{"texts": {"question": {"en": "..."}, ...}, "items": [...]}``; an item is ``{"key", "kind", "required", "page",
"text": {locale: words}, "options": [{"key", "text"}], "most"}``. ``wording.py`` says what stands where a text is empty.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from helpdesk.api import Invalid, tidy_language
from helpdesk.api import gettext as _
from helpdesk_surveys.models import CSAT, DATE, FORM, MULTIPLE, QUESTIONS, SCALE, SCALES, SINGLE, THUMB_SCORES, THUMBS

TEXTS = ("question", "reason", "thanks", "subject", "intro")
LONGEST, LONGEST_ANSWER, MOST_ITEMS, MOST_OPTIONS, MOST_PAGES = 2_000, 10_000, 100, 50, 20
_KEY = re.compile(r"[a-z0-9_]{1,20}")


def storable(text: str) -> str:
    """Text as databases take it and browsers send it: without NUL and halves of characters, lines end alike."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\r\n", "\n").strip()


def scores(kind: str, look: str = "") -> Sequence[int]:
    """What may be chosen, the lowest first; nothing for a questionnaire."""
    if kind == FORM:
        return ()
    if kind == CSAT and look == THUMBS:
        return THUMB_SCORES
    low, high = SCALES[kind]
    return range(low, high + 1)


def clean_texts(texts: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The words as they are kept. Raises :class:`Invalid` naming ``question``, ``q1.text``, ``q1.options`` ..."""
    said = {name: _words(texts.get("texts", {}).get(name, {}), name) for name in TEXTS}
    items = [_item(item, f"q{number}") for number, item in enumerate(texts.get("items", ()), 1)]
    keys = [item["key"] for item in items]
    if len(set(keys)) < len(keys):
        raise Invalid("items", _("Two questions have the same name. Give each one of its own."))
    if len(items) > MOST_ITEMS:
        raise Invalid("items", _("These are too many questions; %(number)s fit.", number=MOST_ITEMS))
    if kind == FORM and not items:
        raise Invalid("items", _("A questionnaire needs a question at least."))
    return {"texts": said, "items": items}


def clean_answers(
    questions: Mapping[str, Any], answers: Mapping[str, Any], before: Mapping[str, Any], page: int | None, final: bool
) -> dict[str, Any]:
    """What was answered, checked against the questions it belongs to, over what was answered before.

    ``page``: only what stands on that page is looked at; ``final``: nothing that is required may be missing anywhere.
    What is not asked is dropped. Raises :class:`Invalid` naming the key of the question.
    """
    kept = dict(before)
    for item in questions.get("items", ()):
        key = item["key"]
        if key in answers and page in (None, item["page"]):
            value = _answer(item, answers[key])
            if value in ("", []):
                kept.pop(key, None)
            else:
                kept[key] = value
        if item["required"] and key not in kept and (final or page == item["page"]):
            raise Invalid(key, _("Please answer this question."))
    asked = {item["key"] for item in questions.get("items", ())}
    return {key: value for key, value in kept.items() if key in asked}


def clean_score(kind: str, look: str, score: int | None) -> int | None:
    """A score that the survey offers. Raises :class:`Invalid` (score)."""
    if kind == FORM:
        return None
    if score not in scores(kind, look):
        raise Invalid("score", _("Choose one of the answers."))
    return score


def _item(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    kind, key = str(item.get("kind", "")), str(item.get("key") or name)
    if kind not in QUESTIONS:
        raise Invalid(f"{name}.kind", _("Choose what kind of question this is."))
    if _KEY.fullmatch(key) is None:
        raise Invalid(f"{name}.key", _("Name the question with small letters, digits and underscores."))
    words = _words(item.get("text", {}), f"{name}.text")
    if not words:
        raise Invalid(f"{name}.text", _("Write the question in one language at least."))
    page = item.get("page", 1)
    if not isinstance(page, int) or not 1 <= page <= MOST_PAGES:
        raise Invalid(f"{name}.page", _("Choose a page from 1 to %(number)s.", number=MOST_PAGES))
    most = item.get("most", 5)
    if not isinstance(most, int) or not 2 <= most <= 11:
        raise Invalid(f"{name}.most", _("A scale goes up to a number from 2 to 11."))
    return {
        "key": key,
        "kind": kind,
        "required": bool(item.get("required")),
        "page": page,
        "text": words,
        "options": _options(item.get("options", ()), name) if kind in (SINGLE, MULTIPLE) else [],
        "most": most,
    }


def _options(options: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, option in enumerate(options, 1):
        words = _words(option.get("text", {}), f"{name}.options")
        if words:
            found.append({"key": str(option.get("key") or f"o{number}"), "text": words})
    keys = [option["key"] for option in found]
    if len(found) < 2 or len(found) > MOST_OPTIONS or len(set(keys)) < len(keys):
        raise Invalid(f"{name}.options", _("Write two answers at least to choose from."))
    if not all(_KEY.fullmatch(key) for key in keys):
        raise Invalid(f"{name}.options", _("Name the answers with small letters, digits and underscores."))
    return found


def _words(texts: Any, name: str) -> dict[str, str]:
    found = {}
    for code, text in dict(texts or {}).items():
        locale, words = tidy_language(str(code)), storable(str(text))
        if locale is None:
            raise Invalid(name, _("There is no language “%(code)s”.", code=str(code)[:20]))
        if len(words) > LONGEST:
            raise Invalid(name, _("This is too long; %(number)s characters fit.", number=LONGEST))
        if words:
            found[locale] = words
    return found


def _answer(item: Mapping[str, Any], value: Any) -> Any:
    if item["kind"] == MULTIPLE:
        chosen = [str(one) for one in ([value] if isinstance(value, str) else value or ()) if one]
        if not set(chosen) <= {option["key"] for option in item["options"]}:
            raise Invalid(item["key"], _("Choose one of the answers."))
        return [option["key"] for option in item["options"] if option["key"] in chosen]
    if isinstance(value, list):
        value = value[0] if value else ""
    text = storable(str(value if value is not None else ""))
    if len(text) > LONGEST_ANSWER:
        raise Invalid(item["key"], _("This is too long; %(number)s characters fit.", number=LONGEST_ANSWER))
    if not text:
        return ""
    if item["kind"] == SINGLE and text not in {option["key"] for option in item["options"]}:
        raise Invalid(item["key"], _("Choose one of the answers."))
    if item["kind"] == SCALE and not (text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= item["most"]):
        raise Invalid(item["key"], _("Choose a number from 1 to %(most)s.", most=item["most"]))
    if item["kind"] == SCALE:
        return int(text[:3])
    if item["kind"] == DATE:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise Invalid(item["key"], _("Write a date that there is.")) from None
    return text
