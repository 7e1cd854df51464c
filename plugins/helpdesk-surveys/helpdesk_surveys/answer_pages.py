"""What customers open by the link of a mail, without an account and without a script: choose, say why, change it.

Opening a link records nothing, whatever it says was chosen: programs that look into mails open every link. Only the
button of the page does.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import redirect, request, url_for
from flask_babel import force_locale, get_locale
from flask_login import current_user

from helpdesk.api import Invalid, Refused, known_locale, public_page
from helpdesk_surveys import answering, asking, wording
from helpdesk_surveys.asking import Typed
from helpdesk_surveys.blueprint import pages, show
from helpdesk_surveys.clocks import closing_day


@pages.get("/a/<token>")
@public_page
def ask(token: str) -> Any:
    """The question, with the choice that the mail's link says; or thanks, where there is an answer."""
    asked = answering.open_link(token)
    if asked is None:
        return gone()
    with _language(asked):
        if asked.state != "open":
            return _closed(asked)
        if asked.response is not None and "score" not in request.args and "change" not in request.args:
            return _thanks(asked, url_for("surveys.ask", token=token, change=1))
        return _form(asked, _begun(asked), 0)


@pages.post("/a/<token>")
@public_page
def answer(token: str) -> Any:
    """Keep an answer, or show the next page of a questionnaire. The same answer twice is one."""
    asked = answering.open_link(token)
    if asked is None:
        return gone()
    with _language(asked):
        if asked.state != "open":
            return _closed(asked)
        return _kept(asked, url_for("surveys.ask", token=token))


@pages.get("/l/<token>")
@public_page
def ask_public(token: str) -> Any:
    """The question of a survey that whoever has its link may answer."""
    asked = answering.open_public(token, locale=str(get_locale()))
    if asked is None:
        return gone()
    with _language(asked):
        if asked.state != "open":
            return _closed(asked)
        if request.args.get("done"):
            return _thanks(asked, "")
        return _form(asked, _begun(asked), 0)


@pages.post("/l/<token>")
@public_page
def answer_public(token: str) -> Any:
    """Keep an answer of somebody who is not known."""
    asked = answering.open_public(token, request.form.get("nonce", ""), str(get_locale()))
    if asked is None:
        return gone()
    with _language(asked):
        if asked.state != "open":
            return _closed(asked)
        return _kept(asked, url_for("surveys.ask_public", token=token, done=1))


def _kept(asked: Any, then: str) -> Any:
    """One page of the form, or the whole answer where it was the last."""
    questions, survey = asked.version.questions, asked.survey
    scores = wording.scores(survey.kind, survey.look)
    typed = asking.read(request.form, questions, scores)
    all_steps = asking.steps(questions)
    here = min(_step(request.form.get("step")), len(all_steps) - 1)
    if "back" in request.form:
        return _form(asked, typed, max(0, here - 1))
    asking.check(
        typed, all_steps[here], score=bool(scores) and here == 0, comment=_has_comment(here, all_steps, scores)
    )
    if typed.errors:
        return _form(asked, typed, here, 422)
    if here + 1 < len(all_steps):
        return _form(asked, typed, here + 1)
    # Pages that were left out by an altered form are looked at as well.
    for number, items in enumerate(all_steps):
        asking.check(typed, items, score=bool(scores) and number == 0)
        if _has_comment(number, all_steps, scores):
            asking.check(typed, (), comment=True)
        if typed.errors:
            return _form(asked, typed, number, 422)
    try:
        answering.answer(asked, typed.score, typed.comment, typed.answers, address=request.remote_addr or "")
    except Invalid as problem:
        typed.errors = {problem.field: str(problem)}
        return _form(asked, typed, _page_of(problem.field, all_steps), 422)
    except Refused as problem:
        typed.errors = {"form": str(problem)}
        return _form(asked, typed, here, 429)
    return redirect(then, 303)


def _has_comment(here: int, all_steps: Sequence[Any], scores: Sequence[int]) -> bool:
    """The comment stands below the score; in a questionnaire it comes last."""
    return here == (0 if scores else len(all_steps) - 1)


def _begun(asked: Any) -> Typed:
    """The answer so far, with the choice of the link on top."""
    survey, response = asked.survey, asked.response
    typed = asking.read(request.args, {"items": ()}, wording.scores(survey.kind, survey.look))
    typed.comment = ""
    # Whoever got an anonymous mail passed on, or finds it in the outbox, must not read what was answered.
    if response is not None and not survey.anonymous:
        typed.score = response.score if typed.score is None else typed.score
        typed.comment = response.comment
        # As a form sends them: the numbers of scales are kept as numbers.
        typed.answers = {
            key: value if isinstance(value, list) else str(value) for key, value in (response.answers or {}).items()
        }
    return typed


def _form(asked: Any, typed: Typed, here: int, code: int = 200) -> Any:
    return form_page(asked.survey, asked.version.questions, typed, here, code, asked=asked)


def form_page(
    survey: Any, questions: Mapping[str, Any], typed: Typed, here: int, code: int = 200, **values: Any
) -> Any:
    """The page of a survey, as customers and the preview see it. In the language that is spoken now."""
    locale = str(get_locale())
    all_steps = asking.steps(questions)
    later = [item for number, items in enumerate(all_steps) if number != here for item in items]
    return show(
        "answer.html",
        code,
        survey=survey,
        locale=locale,
        question=wording.question(questions, survey.kind, locale),
        reason=wording.reason(questions, survey.kind, locale),
        scores=wording.scores(survey.kind, survey.look),
        items=all_steps[here],
        later=later,
        scale=asking.scale,
        say=lambda texts: wording.said(texts, locale),
        typed=typed,
        here=here,
        steps=len(all_steps),
        **values,
    )


def _thanks(asked: Any, change: str) -> Any:
    survey, questions, response = asked.survey, asked.version.questions, asked.response
    locale = str(get_locale())
    name = ""
    if response is not None and response.score is not None and not survey.anonymous:
        name = wording.score_name(survey.kind, survey.look, response.score)
    return show(
        "thanks.html",
        survey=survey,
        asked=asked,
        question=wording.question(questions, survey.kind, locale),
        thanks=wording.thanks(questions, survey.kind, locale),
        score_name=name,
        change=change,
        last_day=closing_day(asked.invitation) if asked.invitation is not None else None,
    )


def _closed(asked: Any) -> Any:
    return show("closed.html", 410, asked=asked, survey=asked.survey)


def gone() -> Any:
    """The page of a link that was altered, cut off or is none of ours."""
    return show("gone.html", 404)


def _language(asked: Any) -> AbstractContextManager[Any]:
    """The person's language, unless this browser, or the account of who has signed in, chose another."""
    chosen = any(name in request.cookies for name in ("locale", "__Host-locale"))
    chosen = chosen or bool(current_user.is_authenticated and current_user.locale)
    known = known_locale(asked.locale)
    return force_locale(known) if known and not chosen else nullcontext()


def _step(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 3 else 0


def _page_of(name: str, all_steps: list[list[dict[str, Any]]]) -> int:
    return next((n for n, items in enumerate(all_steps) if any(item["key"] == name for item in items)), 0)
