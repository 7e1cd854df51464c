"""What rules make of an answer: a follow-up ticket, a promised call, a word to supervisors, a tag."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    Invalid,
    MessageDraft,
    NoHours,
    Refused,
    Team,
    Ticket,
    TicketDraft,
    UnknownHook,
    User,
    ask,
    db,
    hours_of,
    now,
    open_ticket,
    reply,
    schedule,
    settings,
    speaking,
    tag,
    tell,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_surveys import wording
from helpdesk_surveys.models import CALL, OPEN, RESOLVED, TAG, TELL, TICKET, FollowUp, Response, Survey
from helpdesk_surveys.settings import SurveySettings

ACT = "surveys.act"
_QUARTER = timedelta(minutes=15)
# So many times are proposed for a call; then a ticket is opened instead.
_TRIES = 8
# The order in which they are done: others need the ticket.
_ORDER = (TICKET, CALL, TELL, TAG)
log = logging.getLogger(__name__)


def ask_to_act(survey: Survey, response: Response) -> None:
    """Have a worker look at an answer in some minutes, when its comment is written too. Inside the transaction."""
    if survey.anonymous or response.score is None or response.invitation_id is None:
        return
    if not matching(survey, response.score) and response.changes == 0:
        return
    at = now() + timedelta(minutes=settings(SurveySettings).act_minutes)
    schedule(ACT, at=at, key=f"{ACT}:{response.id}", response_id=response.id)


def matching(survey: Survey, score: int) -> list[Mapping[str, Any]]:
    """The rules that look at such a score, in the order in which they are done."""
    found = [rule for rule in survey.rules or () if rule["least"] <= score <= rule["most"]]
    return sorted(found, key=lambda rule: _ORDER.index(rule["do"]))


def act(response_id: int) -> None:
    """Do what the rules say of an answer, each thing once however often it is changed; pass on a new comment (a job).

    An answer that was made better meanwhile leaves what has followed as it is: somebody may be at it already.
    """
    with transaction():
        query = select(Response).where(Response.id == response_id).with_for_update(of=Response)
        response = db.session.scalar(
            query.options(
                joinedload(Response.survey), joinedload(Response.ticket), joinedload(Response.person),
                joinedload(Response.version),
            ).execution_options(populate_existing=True)
        )  # fmt: skip
        if response is None or response.score is None or response.user_id is None:
            return
        _pass_on(response)
        for rule in matching(response.survey, response.score):
            if _of(response, rule["do"], rule["tag"]) is None:
                _do(response, rule)
        db.session.flush()


def _do(response: Response, rule: Mapping[str, Any]) -> None:
    follow_up = FollowUp(
        response_id=response.id, action=rule["do"], tag=rule["tag"], told=response.comment,
        team_id=rule["team_id"] or response.team_id, state=OPEN,
    )  # fmt: skip
    if rule["do"] == TAG:
        # There is nothing to see to.
        follow_up.state = RESOLVED
        asked = response.ticket
        if asked is not None:
            _try(lambda: tag(asked, [rule["tag"]], None))
    elif rule["do"] == TICKET:
        _open(response, follow_up)
    elif rule["do"] == CALL:
        _call(response, follow_up)
    else:
        _tell(response, follow_up)
    db.session.add(follow_up)
    db.session.flush()


def _open(response: Response, follow_up: FollowUp) -> Ticket | None:
    """The ticket of this answer: one, whichever rule was first."""
    there = _ticket_of(response)
    if there is not None:
        follow_up.ticket_id = there.id
        return there
    person = response.person
    if person is None:
        return None
    with speaking(None):
        subject, text = _subject(response), _text(response)
    draft = TicketDraft(
        subject=subject, requester_id=person.id, text=text, team_id=follow_up.team_id, priority="high", tags=["survey"],
        locale=response.language or None,
    )  # fmt: skip
    ticket: Ticket | None = _try(lambda: open_ticket(draft, None))
    follow_up.ticket_id = ticket.id if ticket is not None else None
    return ticket


def _call(response: Response, follow_up: FollowUp) -> None:
    """A promised call by the plugin of these, when it is on; without it, a number or a free time: a ticket."""
    ticket, person = response.ticket or _open(response, follow_up), response.person
    if ticket is None or person is None:
        return
    with speaking(None):
        reason = _subject(response)
    for start in _times(follow_up.team_id) if person.phone else ():
        try:
            number = ask(
                "callbacks_schedule", ticket_id=ticket.id, start=start.isoformat(), phone="", reason=reason,
                agent_id=None, team_id=follow_up.team_id,
            )  # fmt: skip
        except UnknownHook:
            break
        if number is not None:
            follow_up.call_id, follow_up.ticket_id = int(number), ticket.id
            return
    _open(response, follow_up)


def _times(team_id: int | None) -> Sequence[datetime]:
    """The next quarter hours from an hour on at which the team works."""
    hours, moment = hours_of(team_id), now() + timedelta(hours=1)
    found: list[datetime] = []
    while len(found) < _TRIES:
        whole = moment.astimezone(UTC).replace(minute=moment.minute // 15 * 15, second=0, microsecond=0) + _QUARTER
        try:
            opens = hours.next_open(whole)
        except NoHours:
            return found
        found.append(opens)
        moment = opens + _QUARTER
    return found


def _tell(response: Response, follow_up: FollowUp) -> None:
    """Supervisors of the team, else all, else administrators, about the ticket that was asked about, or a new one."""
    ticket = response.ticket or _open(response, follow_up)
    if ticket is None:
        return
    follow_up.ticket_id = follow_up.ticket_id or ticket.id
    name = response.person.display_name if response.person is not None else ""
    survey, score = response.survey, response.score
    said = _Said(
        lambda: _(
            "%(name)s answered “%(survey)s” with %(score)s.",
            name=name,
            survey=survey.name,
            score=wording.short_score(survey.kind, survey.look, score),
        )  # fmt: skip
    )
    tell(_chiefs(follow_up.team_id), said, ticket)


def _chiefs(team_id: int | None) -> Sequence[User]:
    query = select(User).where(User.role.in_(("supervisor", "admin")), User.active, ~User.is_service).order_by(User.id)
    people = db.session.scalars(query).all()
    chiefs = [user for user in people if user.role == "supervisor"] or people
    if team_id is None:
        return chiefs
    mine = set(db.session.scalars(select(User.id).where(User.teams.any(Team.id == team_id))))
    return [user for user in chiefs if user.id in mine] or chiefs


def _pass_on(response: Response) -> None:
    """A comment that came after the follow-up was made goes into its ticket as the customer's own words, once."""
    done = {response.ticket_id}
    for follow_up in _all(response):
        if follow_up.told == response.comment:
            continue
        follow_up.told = response.comment
        ticket, person = follow_up.ticket, response.person
        if ticket is None or person is None or not response.comment or ticket.id in done:
            continue
        done.add(ticket.id)
        _try(partial(reply, ticket, MessageDraft(response.comment), person))


def _all(response: Response) -> Sequence[FollowUp]:
    query = select(FollowUp).where(FollowUp.response_id == response.id).options(joinedload(FollowUp.ticket))
    return db.session.scalars(query.order_by(FollowUp.id)).all()


def _of(response: Response, action: str, name: str) -> FollowUp | None:
    return next((one for one in _all(response) if (one.action, one.tag) == (action, name)), None)


def _ticket_of(response: Response) -> Ticket | None:
    """The follow-up ticket that was opened for this answer already."""
    own = response.ticket_id
    return next((one.ticket for one in _all(response) if one.ticket is not None and one.ticket_id != own), None)


def _subject(response: Response) -> str:
    score = wording.short_score(response.survey.kind, response.survey.look, response.score)
    about = response.ticket.subject if response.ticket is not None else response.survey.name
    return _("Survey answered with %(score)s: %(about)s", score=score, about=about)[:200]


def _text(response: Response) -> str:
    survey = response.survey
    lines = [
        wording.question(response.version.questions, survey.kind, response.language),
        wording.short_score(survey.kind, survey.look, response.score),
        response.comment,
        _("It was about ticket #%(number)s.", number=response.ticket_id) if response.ticket_id is not None else "",
    ]
    return "\n\n".join(line for line in lines if line)


def _try(do: Callable[[], Any]) -> Any:
    """What a plugin refuses, or a ticket that was closed or merged meanwhile, stops no other follow-up."""
    try:
        return do()
    except (Invalid, Refused) as error:
        log.warning("A follow-up of a survey was not made: %s", error)
        return None


class _Said:
    """A text that is made when it is read, in the language that is spoken then."""

    def __init__(self, say: Callable[[], str]) -> None:
        self._say = say

    def __str__(self) -> str:
        return self._say()
