"""``from: to: status: tag: team: assignee: priority: before: after: has: is:`` in SQL."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, exists, false, func, not_, or_, select

from helpdesk.core import day_ranges, i18n, lateness, statuses
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Follower, Message, Status, Tag, Team, TeamMember, Ticket, User
from helpdesk.core.models.ticket import CATEGORIES, PRIORITIES, UNSOLVED
from helpdesk.core.search.matching import people_criterion
from helpdesk.core.search.query import Condition, Query

_Criterion = ColumnElement[bool]
_ME, _NONE = "me", ("none", "nobody")


class Meaningless(Exception):
    """A part of a search has a value that no ticket can have; the text is a sentence."""


def criterion(condition: Condition, user: User) -> _Criterion:
    """A condition in SQL, as ``user`` reads it. One that makes no sense holds for no ticket."""
    try:
        found = _BY_FIELD[condition.field](condition.value, user)
    except Meaningless:
        return false()
    return not_(func.coalesce(found, false())) if condition.without else found


def problems(query: Query, user: User) -> list[str]:
    """What of a search makes no sense, a sentence each. No query."""
    found = []
    for condition in query.conditions:
        try:
            _BY_FIELD[condition.field](condition.value, user)
        except Meaningless as problem:
            found.append(str(problem))
    return found


# ---- one field each


def _people(column: Any, text: str, user: User) -> _Criterion:
    if text.lower() == _ME:
        return column == user.id
    people = people_criterion(text)
    if people is None:
        raise Meaningless(_("“%(text)s” is no name or address.", text=text))
    return column.in_(select(User.id).where(people))


def _from(text: str, user: User) -> _Criterion:
    return _people(Ticket.requester_id, text, user)


def _to(text: str, user: User) -> _Criterion:
    """Who gets it beside who asks: our address that it was sent to, or people who follow."""
    follows = exists().where(Follower.ticket_id == Ticket.id, _people(Follower.user_id, text, user))
    return or_(Ticket.account.ilike(_containing(text), escape="\\"), follows)


def _status(text: str, user: User) -> _Criterion:
    wanted = text.casefold()
    categories = [one for one in CATEGORIES if wanted in (one, statuses.category_label(one).casefold())]
    # There are few, and SQLite makes small letters of English ones alone.
    found = [
        one.id
        for one in db.session.scalars(select(Status))
        if one.category in categories or wanted in (one.key, one.name.casefold(), statuses.label(one).casefold())
    ]
    return Ticket.status_id.in_(found)


def _tag(text: str, user: User) -> _Criterion:
    return Ticket.tags.any(Tag.name == " ".join(text.lower().removeprefix("#").split()))


def _team(text: str, user: User) -> _Criterion:
    wanted = text.lower()
    if wanted in _NONE:
        return Ticket.team_id.is_(None)
    if wanted in ("mine", _ME):
        return Ticket.team_id.in_(select(TeamMember.team_id).where(TeamMember.user_id == user.id))
    return Ticket.team_id.in_(select(Team.id).where(Team.name.ilike(_containing(text), escape="\\")))


def _assignee(text: str, user: User) -> _Criterion:
    if text.lower() in _NONE:
        return Ticket.assignee_id.is_(None)
    return _people(Ticket.assignee_id, text, user)


def _priority(text: str, user: User) -> _Criterion:
    wanted = text.casefold()
    found = [one for one in PRIORITIES if wanted in (one, statuses.priority_label(one).casefold())]
    if not found:
        raise Meaningless(_("There is no priority “%(name)s”.", name=text))
    return Ticket.priority.in_(found)


def _moments(text: str, user: User) -> tuple[datetime | None, datetime | None]:
    zone = user.time_zone or i18n.default_zone()
    try:
        return day_ranges.parse(text.lower(), day_ranges.today_in(zone)).moments(zone)
    except day_ranges.InvalidRange:
        raise Meaningless(_("“%(text)s” is no day; write 2026-11-01, today or 30d.", text=text)) from None


def _before(text: str, user: User) -> _Criterion:
    begin, end = _moments(text, user)
    # Of something that has no beginning: its end.
    moment = begin or end
    return Ticket.created_at < moment if moment is not None else false()


def _after(text: str, user: User) -> _Criterion:
    begin, end = _moments(text, user)
    moment = begin or end
    return Ticket.created_at >= moment if moment is not None else false()


def _has(text: str, user: User) -> _Criterion:
    if text.lower() not in ("attachment", "attachments", "file", "files"):
        raise Meaningless(_("Tickets can be asked for attachments only: has:attachment"))
    return exists().where(Message.ticket_id == Ticket.id, Attachment.message_id == Message.id)


def _is(text: str, user: User) -> _Criterion:
    state = _STATES.get(text.lower())
    if state is None:
        raise Meaningless(_("There is no state “%(name)s”; choose %(names)s.", name=text, names=", ".join(_STATES)))
    return state(user)


_STATES: Mapping[str, Callable[[User], _Criterion]] = {
    "open": lambda user: Ticket.category.in_(UNSOLVED),
    "unassigned": lambda user: Ticket.assignee_id.is_(None),
    "mine": lambda user: Ticket.assignee_id == user.id,
    "new": lambda user: Ticket.category == "new",
    "pending": lambda user: Ticket.category == "pending",
    "solved": lambda user: Ticket.category == "solved",
    "closed": lambda user: Ticket.category == "closed",
    "overdue": lambda user: lateness.late_criterion(lateness.OVERDUE),
    "promised": lambda user: lateness.late_criterion(lateness.PROMISED),
    "snoozed": lambda user: lateness.snoozed_criterion(True),
}
_BY_FIELD: Mapping[str, Callable[[str, User], _Criterion]] = {
    "from": _from,
    "to": _to,
    "status": _status,
    "tag": _tag,
    "team": _team,
    "assignee": _assignee,
    "priority": _priority,
    "before": _before,
    "after": _after,
    "has": _has,
    "is": _is,
}


def _containing(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
