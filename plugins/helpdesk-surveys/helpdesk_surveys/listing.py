"""Answers, invitations, what was not sent, and follow-ups: page by page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from helpdesk.api import User, allowed, db
from helpdesk_surveys import following
from helpdesk_surveys.figures import CSAT_GOOD, DETRACTORS, PROMOTERS, Wanted
from helpdesk_surveys.models import (
    FOLLOW_UP_STATES,
    STATES,
    FollowUp,
    Invitation,
    Response,
    ResponseTag,
    Suppression,
    Survey,
)
from helpdesk_surveys.permissions import MANAGE
from helpdesk_surveys.scopes import scope_of

SIZE = 50
_Row = TypeVar("_Row")
# Numbers of rows are below 2 ** 31.
_MOMENT = re.compile(r"([0-9]{1,18})-([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What a figure's parts are called in addresses.
PARTS = {"promoters": PROMOTERS, "passives": (7, 8), "detractors": DETRACTORS, "good": CSAT_GOOD, "bad": (1, 2)}


@dataclass(frozen=True)
class Page(Generic[_Row]):
    """Rows of one page; ``after`` is where the next one begins, "" where there is none.

    ``hidden``: there are too few answers to an anonymous survey to show any.
    """

    rows: Sequence[_Row]
    after: str = ""
    hidden: bool = False


def answers(
    user: User,
    wanted: Wanted,
    score: str | int | None = None,
    with_comment: bool = False,
    after: str = "",
    size: int = SIZE,
) -> Page[Response]:
    """The answers that a figure counts, the newest first, with their people, tickets and follow-ups.

    ``score``: one, or a name of :data:`PARTS`. At most five queries. A cursor that cannot be read begins at the start.
    """
    if _is_too_small(user, wanted):
        return Page([], hidden=True)
    query = _answers(user, wanted, score, with_comment)
    if (place := _moment(after)) is not None:
        at, number = place
        query = query.where(or_(Response.answered_at < at, and_(Response.answered_at == at, Response.id < number)))
    query = query.options(*_with_people()).order_by(Response.answered_at.desc(), Response.id.desc())
    rows = db.session.scalars(query.limit(size + 1)).unique().all()
    last = rows[size - 1] if len(rows) > size else None
    return Page(rows[:size], f"{(last.answered_at - _EPOCH) // _MICROSECOND}-{last.id}" if last is not None else "")


def every_answer(user: User, wanted: Wanted, score: str | int | None, with_comment: bool) -> Iterator[Response]:
    """All of them, for a file, five hundred at a time."""
    after = ""
    while True:
        page = answers(user, wanted, score, with_comment, after, 500)
        yield from page.rows
        if not page.after:
            return
        after = page.after


def response(user: User, response_id: int) -> Response | None:
    """One answer if ``user`` may see it; to an anonymous survey only among as many as its smallest group."""
    query = select(Response).where(Response.id == response_id)
    if (criterion := scope_of(user).of_answer()) is not None:
        query = query.where(criterion)
    found = db.session.scalar(query.options(*_with_people()))
    if found is None or not found.survey.anonymous:
        return found
    return None if _is_too_small(user, Wanted(found.survey_id, date.min, date.max)) else found


def of_ticket(user: User, ticket_id: int) -> Sequence[Invitation]:
    """What was asked about a ticket, the newest first; nothing of anonymous surveys. One query."""
    query = (
        select(Invitation).join(Survey, Survey.id == Invitation.survey_id).options(contains_eager(Invitation.survey))
    )
    query = query.where(Invitation.ticket_id == ticket_id, ~Survey.anonymous).order_by(Invitation.id.desc()).limit(10)
    if (criterion := scope_of(user).criterion(Invitation)) is not None:
        query = query.where(criterion)
    return db.session.scalars(query).all()


def answers_about(user: User, ticket_id: int) -> Sequence[Response]:
    """The answers about a ticket that ``user`` may see, the newest first, with follow-ups. Two queries."""
    query = select(Response).where(Response.ticket_id == ticket_id).order_by(Response.id.desc()).limit(10)
    if (criterion := scope_of(user).criterion(Response)) is not None:
        query = query.where(criterion)
    return db.session.scalars(query.options(joinedload(Response.survey), selectinload(Response.follow_ups))).all()


def of_person(user: User, person_id: int) -> Sequence[Invitation]:
    """When somebody was asked last, the newest first. One query."""
    if not allowed(user, MANAGE):
        return []
    query = select(Invitation).where(Invitation.user_id == person_id).options(joinedload(Invitation.survey))
    return db.session.scalars(query.order_by(Invitation.id.desc()).limit(10)).all()


def invitations(
    user: User, survey_id: int | None, state: str = "", after: str = "", size: int = SIZE
) -> Page[Invitation]:
    """Who is asked, the newest first; for those who look after surveys. One query."""
    query = select(Invitation).options(
        joinedload(Invitation.survey), joinedload(Invitation.person), joinedload(Invitation.ticket),
        joinedload(Invitation.agent), joinedload(Invitation.version),
    )  # fmt: skip
    if survey_id is not None:
        query = query.where(Invitation.survey_id == survey_id)
    if state in STATES:
        query = query.where(Invitation.state == state)
    return _by_number(user, query, Invitation, after, size)


def suppressions(user: User, survey_id: int | None, after: str = "", size: int = SIZE) -> Page[Suppression]:
    """Who was not asked, and why; for those who look after surveys. One query."""
    query = select(Suppression).options(
        joinedload(Suppression.survey), joinedload(Suppression.person), joinedload(Suppression.ticket)
    )
    if survey_id is not None:
        query = query.where(Suppression.survey_id == survey_id)
    return _by_number(user, query, Suppression, after, size)


def follow_ups(user: User, state: str = "", after: str = "", size: int = SIZE) -> Page[FollowUp]:
    """What followed answers in the scope of ``user``, the newest first, with answer, person and tickets. One query."""
    query = select(FollowUp).join(Response, Response.id == FollowUp.response_id)
    if state in FOLLOW_UP_STATES:
        query = query.where(FollowUp.state == state)
    if (criterion := scope_of(user).of_follow_ups()) is not None:
        query = query.where(criterion)
    if (last := _number(after)) is not None:
        query = query.where(FollowUp.id < last)
    query = query.options(
        contains_eager(FollowUp.response).options(
            joinedload(Response.survey), joinedload(Response.person), joinedload(Response.ticket),
            joinedload(Response.agent),
        ),
        joinedload(FollowUp.ticket), joinedload(FollowUp.marked_by),
    )  # fmt: skip
    rows = db.session.scalars(query.order_by(FollowUp.id.desc()).limit(size + 1)).all()
    return Page(rows[:size], str(rows[size - 1].id) if len(rows) > size else "")


def follow_up(user: User, follow_up_id: int) -> FollowUp | None:
    """One of them, if ``user`` may see it."""
    return following.find(user, follow_up_id)


def _answers(user: User, wanted: Wanted, score: str | int | None, with_comment: bool) -> Select[Any]:
    query = select(Response).where(
        Response.answered_at >= datetime.combine(wanted.first, time(), UTC),
        Response.answered_at <= datetime.combine(wanted.last, time.max, UTC),
    )
    if wanted.survey_id is not None:
        query = query.where(Response.survey_id == wanted.survey_id)
    else:
        # Their minimum is counted for one survey.
        query = query.where(Response.survey_id.not_in(select(Survey.id).where(Survey.anonymous)))
    for column, value in ((Response.agent_id, wanted.agent), (Response.team_id, wanted.team)):
        if value is not None:
            query = query.where(column == value if value else column.is_(None))
    for words, text in ((Response.channel, wanted.channel), (Response.language, wanted.language)):
        if text:
            query = query.where(words == text)
    if wanted.tag:
        query = query.where(Response.tags.any(ResponseTag.tag == wanted.tag))
    if score is not None and score != "":
        query = query.where(Response.score.in_(_scores(score)))
    if with_comment:
        query = query.where(Response.comment != "")
    criterion = scope_of(user).criterion(Response)
    return query if criterion is None else query.where(criterion)


def _scores(score: str | int) -> Sequence[int]:
    if isinstance(score, str) and score in PARTS:
        return PARTS[score]
    text = str(score)
    return (int(text),) if text.isascii() and text.isdigit() and len(text) < 4 else (-1,)


def _is_too_small(user: User, wanted: Wanted) -> bool:
    """Whether fewer than the minimum of an anonymous survey answered among these.

    Narrowed to a group they are never listed: answers that stand in the lists of two groups would be of both.
    """
    survey = db.session.get(Survey, wanted.survey_id) if wanted.survey_id is not None else None
    if survey is None or not survey.anonymous:
        return False
    return bool(wanted.filters) or 0 < _number_of(_answers(user, wanted, None, False)) < survey.min_group


def _number_of(query: Select[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(query.with_only_columns(Response.id).subquery())) or 0


def _with_people() -> Sequence[Any]:
    return (
        joinedload(Response.survey),
        joinedload(Response.version),
        joinedload(Response.person),
        joinedload(Response.ticket),
        joinedload(Response.agent),
        joinedload(Response.team),
        selectinload(Response.follow_ups),
    )


def _by_number(user: User, query: Select[Any], table: Any, after: str, size: int) -> Page[Any]:
    if not allowed(user, MANAGE):
        return Page([])
    if (last := _number(after)) is not None:
        query = query.where(table.id < last)
    rows = db.session.scalars(query.order_by(table.id.desc()).limit(size + 1)).all()
    return Page(rows[:size], str(rows[size - 1].id) if len(rows) > size else "")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and _NUMBER.fullmatch(text) else None


def _moment(text: str) -> tuple[datetime, int] | None:
    match = _MOMENT.fullmatch(text) if text.isascii() else None
    if match is None:
        return None
    try:
        return _EPOCH + int(match[1]) * _MICROSECOND, int(match[2])
    except OverflowError:
        return None
