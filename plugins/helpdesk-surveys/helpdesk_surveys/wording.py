"""What surveys ask in the usual words, and what scores are called; owners' own words come first."""

from collections.abc import Mapping, Sequence
from typing import Any

from helpdesk.api import DeskSettings, fallbacks, pgettext, settings
from helpdesk.api import gettext as _

# What an owner may word: the subject and the first line of the mail, the question, the reason, the thanks.
TEXTS = ("question", "reason", "thanks", "subject", "intro")


def said(texts: Mapping[str, str] | None, locale: str) -> str:
    """A text that was written in several languages, in the best one for a reader of ``locale``; "" for none."""
    found = {code: text for code, text in (texts or {}).items() if text}
    best = next((code for code in fallbacks(locale) if code in found), None)
    return found[best] if best is not None else next(iter(found.values()), "")


def own_words(questions: Mapping[str, Any], name: str, locale: str) -> str:
    """What the owner wrote for one of :data:`TEXTS`; "" where the usual words stand.

    A text in another language is not shown where the usual words are there in the reader's own.
    """
    found = {code: text for code, text in (questions.get("texts", {}).get(name) or {}).items() if text}
    own = next((code for code in fallbacks(locale) if code in found), None)
    return found[own] if own is not None else ""


def question(questions: Mapping[str, Any], kind: str, locale: str) -> str:
    """What the survey asks. The usual words are in the language that is spoken now."""
    return own_words(questions, "question", locale) or usual(kind)["question"]


def reason(questions: Mapping[str, Any], kind: str, locale: str) -> str:
    """The label of the comment."""
    return own_words(questions, "reason", locale) or usual(kind)["reason"]


def thanks(questions: Mapping[str, Any], kind: str, locale: str) -> str:
    """What stands on the page when an answer was kept."""
    return own_words(questions, "thanks", locale) or usual(kind)["thanks"]


def subject(questions: Mapping[str, Any], kind: str, locale: str) -> str:
    """The subject of the mail."""
    return own_words(questions, "subject", locale) or usual(kind)["subject"]


def intro(questions: Mapping[str, Any], kind: str, locale: str) -> str:
    """The first lines of the mail, below the greeting."""
    return own_words(questions, "intro", locale) or usual(kind)["intro"]


def usual(kind: str) -> dict[str, str]:
    """The words that stand where the owner wrote none, in the language that is spoken now."""
    desk = settings(DeskSettings).name
    asked = {
        "csat": _("How satisfied are you with our help?"),
        "nps": _("How likely are you to recommend %(desk)s to a friend or colleague?", desk=desk),
        "ces": _("How easy was it to get your question solved?"),
        "form": _("Tell us what you think"),
    }
    why = {
        "csat": _("What went well, and what could be better?"),
        "nps": _("What is the main reason for your answer?"),
        "ces": _("What made it easy or hard?"),
        "form": _("Anything else?"),
    }
    return {
        "question": asked[kind],
        "reason": why[kind],
        "thanks": _("Your answer helps us to get better."),
        "subject": asked[kind],
        "intro": _("Your answer takes less than a minute, and a person reads it."),
    }


def scores(kind: str, look: str = "") -> Sequence[int]:
    """What can be chosen, the worst first; nothing for a questionnaire. Thumbs are the two ends of one to five."""
    if kind == "csat":
        return (1, 5) if look == "thumbs" else range(1, 6)
    return {"nps": range(11), "ces": range(1, 8)}.get(kind, range(0))


def score_name(kind: str, look: str, score: int) -> str:
    """A score in words, as a screen reader says it."""
    if kind == "csat":
        return _csat(look)[score]
    low, high = ends(kind)
    most = scores(kind)[-1]
    if score in (scores(kind)[0], most):
        name = low if score != most else high
        # Translators: a score at the end of its scale: "10 of 10: extremely likely"
        return _("%(score)s of %(most)s: %(name)s", score=score, most=most, name=name)
    return _("%(score)s of %(most)s", score=score, most=most)


def _csat(look: str) -> dict[int, str]:
    if look == "thumbs":
        return {1: pgettext("score", "Not good"), 5: pgettext("score", "Good")}
    return {
        1: pgettext("score", "Very dissatisfied"),
        2: pgettext("score", "Dissatisfied"),
        3: pgettext("score", "Neither satisfied nor dissatisfied"),
        4: pgettext("score", "Satisfied"),
        5: pgettext("score", "Very satisfied"),
    }


def ends(kind: str) -> tuple[str, str]:
    """What the lowest and the highest score say."""
    return {
        "csat": (pgettext("score", "Very dissatisfied"), pgettext("score", "Very satisfied")),
        "nps": (pgettext("score", "Not at all likely"), pgettext("score", "Extremely likely")),
        "ces": (pgettext("score", "Very hard"), pgettext("score", "Very easy")),
    }.get(kind, ("", ""))


def short_score(kind: str, look: str, score: int | None) -> str:
    """A score as it stands in a list: 4 of 5."""
    if score is None:
        return ""
    if kind == "csat" and look == "thumbs":
        return score_name(kind, look, score) if score in (1, 5) else str(score)
    return _("%(score)s of %(most)s", score=score, most=scores(kind)[-1])


def tone(kind: str, score: int | None) -> str:
    """The colour of a score; a word always stands beside it."""
    if score is None:
        return "grey"
    low, high = {"csat": (2, 4), "nps": (6, 9), "ces": (3, 5)}[kind]
    return "red" if score <= low else "green" if score >= high else "amber"
