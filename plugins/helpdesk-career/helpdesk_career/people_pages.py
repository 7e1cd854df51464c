"""Where somebody stands and what is missing, their records, and the people of a team."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import Team, User, allowed, db, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_career import (
    competences,
    goals,
    ladder,
    progress,
    proposals,
    recognition,
    records,
    reviews,
    scopes,
)
from helpdesk_career.blueprint import chosen, day_in, pages, person_of, row_of, show, trial
from helpdesk_career.models import Competence, Goal, Level, Recognition, Step, Template
from helpdesk_career.permissions import LEAD, USE

_SIZE = 100


@pages.get("/")
@permission_required(USE)
def index() -> Any:
    """One's own way."""
    return page_of(reader())


@pages.get("/people/<int:user_id>")
@permission_required(USE)
def person(user_id: int) -> Any:
    """The way of somebody of one's teams."""
    return page_of(person_of(user_id))


@pages.get("/team")
@permission_required(LEAD)
def team() -> Any:
    """How everybody stands before the next level; with ``show=ready`` who has all that is asked for."""
    actor = reader()
    team_id, ready = number_in(request.args.get("team")), request.args.get("show") == "ready"
    name, _dot, number = request.args.get("after", "").rpartition(".")
    last = number_in(number)
    if ready:
        rows = progress.ready(actor, team_id)
    else:
        rows = progress.of_all(actor, team_id, (name, last) if last is not None else None, _SIZE + 1)
    more = not ready and len(rows) > _SIZE
    rows = rows[:_SIZE] if more else rows
    scope = scopes.scope_of(actor)
    query = db.select(Team).where(Team.active).order_by(Team.name)
    teams = db.session.scalars(query if scope.everything else query.where(Team.id.in_(scope.team_ids))).all()
    return show(
        "team.html",
        rows=rows,
        teams=[("", _("All teams")), *((one.id, one.name) for one in teams)],
        team=team_id or "",
        ready=ready,
        after=f"{rows[-1].user.name}.{rows[-1].user.id}" if more else "",
        has_ladder=bool(ladder.tracks()),
    )


def page_of(user: User, form: str = "", errors: dict[str, str] | None = None) -> Any:
    """The page of somebody, with one of its forms as it was sent when something is wrong with it."""
    actor = reader()
    may_lead = scopes.may_lead(actor, user)
    every = ladder.tracks(retired=True)
    targets = progress.targets(user, every)
    standing = progress.of(user, _target(targets), every=every)
    steps = records.history(user)
    corrected = {step.corrects_id for step in steps}
    given = recognition.of(user)
    return show(
        "person.html",
        422 if errors else 200,
        user=user,
        mine=actor.id == user.id,
        may_lead=may_lead,
        is_here=scopes.is_here(user),
        standing=standing,
        targets=targets,
        levels=ladder.levels(every) if may_lead else [],
        steps=steps,
        corrected=corrected,
        proposals=proposals.of_person(user),
        goals=goals.of(user),
        reviews=reviews.of(user, actor),
        templates=reviews.templates() if may_lead else [],
        competences=competences.listed() if may_lead else [],
        assessments=competences.current(user),
        recognitions=given,
        kept=recognition.in_force(given),
        form=form,
        errors=errors or {},
        typed=request.form if errors else {},
        may_change_ladder=allowed(actor, "career.manage"),
    )


def _target(targets: Sequence[Level]) -> Level | None:
    """The level that the address asks for, of those that somebody may go to."""
    wanted = number_in(request.args.get("target"))
    return next((one for one in targets if one.id == wanted), None)


def sent(user: User, form: str, work: Callable[[], Any], said: str) -> Any:
    """Do what a form of the page asks for: back to the page, or the page again with what was typed."""
    errors = trial(work)
    if errors:
        return page_of(db.session.get_one(User, user.id), form, errors)
    flash(said)
    where = "career.index" if reader().id == user.id else "career.person"
    values = {} if where == "career.index" else {"user_id": user.id}
    return redirect(url_for(where, **values, _anchor=form.partition("-")[0]), 303)  # type: ignore[arg-type]


# ---- the level


@pages.post("/people/<int:user_id>/level")
@permission_required(LEAD)
def place(user_id: int) -> Any:
    """Give somebody their first level, or another one."""
    user = person_of(user_id)

    def work() -> None:
        level = chosen(Level, "level")
        records.place(user, level, request.form.get("why", ""), reader(), day_in("held_from"))

    return sent(user, "level", work, _("Written into the history."))


@pages.post("/people/<int:user_id>/end")
@permission_required(LEAD)
def end(user_id: int) -> Any:
    """Take somebody off the ladder."""
    user = person_of(user_id)
    work = lambda: records.end(user, request.form.get("why", ""), reader(), day_in("held_from"))  # noqa: E731
    return sent(user, "end", work, _("Written into the history."))


@pages.post("/people/<int:user_id>/propose")
@permission_required(LEAD)
def propose(user_id: int) -> Any:
    """Propose somebody for a level."""
    user = person_of(user_id)

    def work() -> None:
        level = chosen(Level, "level")
        proposals.propose(user, level, request.form.get("why", ""), reader())

    return sent(user, "propose", work, _("Proposed. Somebody else decides now."))


@pages.post("/history/<int:step_id>")
@permission_required(LEAD)
def correct_step(step_id: int) -> Any:
    """Correct an entry of the history by another one."""
    step: Step = row_of(Step, step_id)
    user = person_of(step.user_id)

    def work() -> None:
        level = chosen(Level, "level") if request.form.get("level") else None
        records.correct(step, level, request.form.get("why", ""), reader(), day_in("held_from"))

    return sent(user, f"history-{step_id}", work, _("The correction stands in the history."))


# ---- goals, competences, recognition, reviews


@pages.post("/people/<int:user_id>/goals")
@permission_required(USE)
def add_goal(user_id: int) -> Any:
    """Set a goal for oneself, or for somebody of one's teams."""
    user = person_of(user_id)
    work = lambda: goals.add(user, request.form.get("text", ""), day_in("due_on"), reader())  # noqa: E731
    return sent(user, "goals", work, _("The goal was added."))


@pages.post("/goals/<int:goal_id>")
@permission_required(USE)
def tell_goal(goal_id: int) -> Any:
    """Say how a goal stands."""
    goal: Goal = row_of(Goal, goal_id)
    user = person_of(goal.user_id)
    state, note = request.form.get("state", ""), request.form.get("note", "")
    return sent(user, f"goals-{goal_id}", lambda: goals.tell(goal, state, note, reader()), _("Saved."))


@pages.post("/people/<int:user_id>/competences")
@permission_required(LEAD)
def assess(user_id: int) -> Any:
    """Say how well somebody has a competence."""
    user = person_of(user_id)

    def work() -> None:
        competence = chosen(Competence, "competence")
        grade = number_in(request.form.get("grade"))
        competences.assess(user, competence, -1 if grade is None else grade, request.form.get("why", ""), reader())

    return sent(user, "competences", work, _("The assessment was added."))


@pages.post("/people/<int:user_id>/recognition")
@permission_required(LEAD)
def recognize(user_id: int) -> Any:
    """Thank somebody, or note an incentive."""
    user, form = person_of(user_id), request.form
    number = number_in(form.get("ticket", "").strip().removeprefix("#"))

    def work() -> None:
        ticket = number if form.get("ticket", "").strip() == "" else number or 0
        recognition.give(user, form.get("kind", ""), form.get("text", ""), form.get("worth", ""), reader(), ticket)

    return sent(user, "recognition", work, _("Written down."))


@pages.post("/recognition/<int:recognition_id>")
@permission_required(LEAD)
def correct_recognition(recognition_id: int) -> Any:
    """Correct an entry, or take it back."""
    one: Recognition = row_of(Recognition, recognition_id)
    user = person_of(one.user_id)
    text, worth = request.form.get("text", ""), request.form.get("worth", "")
    work = lambda: recognition.correct(one, text, worth, reader())  # noqa: E731
    return sent(user, f"recognition-{recognition_id}", work, _("The correction stands beside it."))


@pages.post("/people/<int:user_id>/reviews")
@permission_required(LEAD)
def begin_review(user_id: int) -> Any:
    """Begin a review by a template."""
    user = person_of(user_id)
    made: list[int] = []

    def work() -> None:
        template = chosen(Template, "template")
        made.append(reviews.begin(user, template, reader()).id)

    errors = trial(work)
    if errors:
        return page_of(user, "reviews", errors)
    return redirect(url_for("career.review", review_id=made[0]), 303)
