"""Answers, what follows them, who was asked and who was not."""

from typing import Any

from flask import Response as File
from flask import abort, flash, redirect, request, stream_with_context, url_for
from flask_babel import get_locale

from helpdesk.api import Invalid, Refused, find_ticket, now, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_surveys import asking, choosing, exporting, following, listing, wording, words
from helpdesk_surveys import invitations as inviting
from helpdesk_surveys.blueprint import pages, show
from helpdesk_surveys.models import FOLLOW_UP_STATES, LINK, STATES, FollowUp, Response
from helpdesk_surveys.permissions import MANAGE, USE
from helpdesk_surveys.scopes import scope_of
from helpdesk_surveys.survey_pages import survey_of

EVERY = "all"


# ---- answers


@pages.get("/answers")
@permission_required(USE)
def answers() -> Any:
    """The answers behind a figure, the newest first."""
    all_surveys = choosing.all_surveys()
    survey = choosing.survey_in(request.args, all_surveys)
    if survey is None:
        return show("none.html")
    wanted, problem = choosing.read(request.args, survey.id, now().date())
    score, comments = _score(), request.args.get("comments") == "1"
    found = listing.answers(reader(), wanted, score, comments, request.args.get("after", ""))
    more = {"score": score, "comments": 1 if comments else None}
    return show(
        "answers.html",
        422 if problem else 200,
        survey=survey,
        surveys=all_surveys,
        wanted=wanted,
        score=score,
        part=words.part(score) if isinstance(score, str) else "",
        comments=comments,
        found=found,
        problem=problem,
        chips=choosing.chips(wanted, "surveys.answers", **more),
        scores=wording.scores(survey.kind, survey.look),
        link=lambda **changes: url_for("surveys.answers", **choosing.query(wanted, **{**more, **changes})),
        figures_url=url_for("surveys.index", **choosing.query(wanted)),
        csv_url=url_for("surveys.answers_file", **choosing.query(wanted, **more)),
    )


@pages.get("/answers.csv")
@permission_required(USE)
def answers_file() -> Any:
    """The same answers as a file for spreadsheets."""
    survey = choosing.survey_in(request.args, choosing.all_surveys())
    if survey is None:
        return redirect(url_for("surveys.answers"), 303)
    wanted, problem = choosing.read(request.args, survey.id, now().date())
    if problem:
        return redirect(url_for("surveys.answers"), 303)
    score, comments = _score(), request.args.get("comments") == "1"
    # While the file goes out the reader is detached: what they may see is read before.
    scope_of(reader())
    lines = stream_with_context(exporting.answers_csv(reader(), wanted, score, comments))
    answer = File(lines, mimetype="text/csv")
    name = f"answers_{wanted.first.isoformat()}_{wanted.last.isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _score() -> int | str | None:
    """One score, or a part of the scale such as the detractors."""
    text = request.args.get("score", "")
    return text if text in listing.PARTS else number_in(text)


@pages.get("/answers/<int:response_id>")
@permission_required(USE)
def response(response_id: int) -> Any:
    """One answer: what was asked then, what was said, and what followed."""
    return _response(_answer(response_id))


def _response(row: Response, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> Any:
    questions, locale = row.version.questions, str(get_locale())

    def say(texts: Any) -> str:
        return wording.said(texts, locale)

    items = [
        (say(item["text"]), asking.shown(item, (row.answers or {}).get(item["key"]), say))
        for item in questions.get("items", ())
    ]
    return show(
        "response.html",
        422 if errors else 200,
        response=row,
        survey=row.survey,
        question=wording.question(questions, row.survey.kind, locale),
        reason=wording.reason(questions, row.survey.kind, locale),
        items=[(label, text) for label, text in items if text],
        states=words.follow_up_states(),
        typed=typed or {},
        errors=errors or {},
    )


def _answer(response_id: int) -> Response:
    found = listing.response(reader(), response_id) if response_id < 2**31 else None
    if found is None:
        abort(404)
    return found


# ---- follow-ups


@pages.get("/follow-ups")
@permission_required(USE)
def follow_ups() -> Any:
    """What low scores led to, and how far each is; what is to do first."""
    state = request.args.get("state", FOLLOW_UP_STATES[0])
    state = state if state in (*FOLLOW_UP_STATES, EVERY) else FOLLOW_UP_STATES[0]
    found = listing.follow_ups(reader(), "" if state == EVERY else state, request.args.get("after", ""))
    return show(
        "follow_ups.html",
        found=found,
        state=state,
        states=[*words.follow_up_states(), (EVERY, _("All"))],
    )


@pages.post("/follow-ups/<int:task_id>")
@permission_required(USE)
def mark_follow_up(task_id: int) -> Any:
    """Say that the customer was contacted, or that it is resolved."""
    row = _follow_up(task_id)
    typed = request.form.to_dict()
    note = typed.get("note", "").replace("\r\n", "\n").replace("\0", "").strip()
    try:
        following.mark(row, typed.get("state", ""), reader(), note)
    except (Invalid, Refused) as problem:
        name = problem.field if isinstance(problem, Invalid) else "form"
        return _response(_answer(row.response_id), {**typed, "of": str(row.id)}, {name: str(problem)})
    flash(_("Noted."))
    return redirect(url_for("surveys.response", response_id=row.response_id), 303)


def _follow_up(task_id: int) -> FollowUp:
    found = listing.follow_up(reader(), task_id) if task_id < 2**31 else None
    if found is None:
        abort(404)
    return found


# ---- who was asked, who was not


@pages.get("/surveys/<int:survey_id>/asked")
@permission_required(MANAGE)
def asked(survey_id: int) -> Any:
    """Who was asked and who will be, the newest first."""
    row, state = survey_of(survey_id), request.args.get("state", "")
    state = state if state in STATES else ""
    found = listing.invitations(reader(), row.id, state, request.args.get("after", ""))
    return show("asked.html", survey=row, found=found, state=state, states=[("", _("All")), *words.invitation_states()])


@pages.get("/surveys/<int:survey_id>/left-out")
@permission_required(MANAGE)
def left_out(survey_id: int) -> Any:
    """Who was not asked, and why."""
    row = survey_of(survey_id)
    found = listing.suppressions(reader(), row.id, request.args.get("after", ""))
    return show("left_out.html", survey=row, found=found)


# ---- by hand


@pages.get("/tickets/<int:number>/ask")
@permission_required(MANAGE)
def ask_form(number: int) -> Any:
    """Choose the survey that the customer of a ticket is asked."""
    return _asking(_ticket(number))


@pages.post("/tickets/<int:number>/ask")
@permission_required(MANAGE)
def ask_by_hand(number: int) -> Any:
    """Ask the customer of a ticket; who is asked too often, or about one's own work, is not."""
    ticket = _ticket(number)
    chosen = number_in(request.form.get("survey"))
    survey = next((one for one in _by_hand() if one.id == chosen), None)
    if survey is None:
        return _asking(ticket, {"survey": _("Choose one of the list.")})
    try:
        inviting.invite(survey, ticket.requester, ticket, reader())
    except (Invalid, Refused) as problem:
        return _asking(ticket, {"form": str(problem)}, chosen)
    flash(_("The customer is asked, at the next hour that suits them."))
    return redirect(url_for("desk.ticket", number=ticket.id), 303)


def _asking(ticket: Any, errors: dict[str, str] | None = None, chosen: int | None = None) -> Any:
    offered = _by_hand()
    return show("ask.html", 422 if errors else 200, ticket=ticket, surveys=offered, chosen=chosen, errors=errors or {})


def _by_hand() -> list[Any]:
    return [one for one in choosing.all_surveys() if one.active and one.occasion != LINK]


def _ticket(number: int) -> Any:
    found = find_ticket(reader(), number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found
