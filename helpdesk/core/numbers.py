"""The seven numbers: new, open, overdue, first response, solve time, solved, reopened - by day, team and agent.

Everything is counted in the database and comes back in sums. A day begins and ends by the reader's calendar, like the
days of filters, so that each number can be opened down to its tickets. Merged tickets count where they went.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import CTE, Select, and_, case, column, func, literal, null, select, union_all, values
from sqlalchemy import Integer as Int

from helpdesk.core.clock import now
from helpdesk.core.day_ranges import DayRange
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, User
from helpdesk.core.models.columns import UtcDateTime
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.permissions import ticket_criterion

# So many days are shown one by one.
MOST_DAYS = 366
_ONE = timedelta(days=1)
_ALL, _DAY, _TEAM = "all", "day", "team"


@dataclass(frozen=True)
class Spell:
    """Working minutes of some tickets: how many were measured, the middle one, the average. None: none was."""

    measured: int = 0
    median: float | None = None
    average: float | None = None


@dataclass
class Figures:
    """The numbers of a span of days, of one day, or of one team.

    ``unsolved`` and ``overdue`` are of now; for a day, of the tickets that came on it or were due on it.
    ``responded``: the tickets that got their first response; ``reopened``: how many of the new ones were at least once.
    """

    new: int = 0
    unsolved: int = 0
    overdue: int = 0
    responded: int = 0
    solved: int = 0
    reopened: int = 0
    response: Spell = field(default_factory=Spell)
    solve: Spell = field(default_factory=Spell)


@dataclass(frozen=True)
class Numbers:
    """Everything that the page shows. Agents: number (None: nobody), name, how many of theirs were solved."""

    total: Figures
    days: Mapping[date, Figures]
    teams: Mapping[int | None, Figures]
    agents: Sequence[tuple[int | None, str, int]]


def numbers(user: User, first: date, last: date, zone: str, team_id: int | None = None) -> Numbers:
    """The numbers of the days from ``first`` to ``last`` in a time zone, of what ``user`` may see. Six queries.

    With ``team_id``, of the tickets that are that team's now.
    """
    asked = _Asked(_days(first, last, zone), _scope(user, team_id))
    total = Figures()
    days = {first + number * _ONE: Figures() for number in range((last - first).days + 1)}
    teams: dict[int | None, Figures] = defaultdict(Figures)

    def each(number: int, team: int | None) -> tuple[Figures, ...]:
        return total, days[first + number * _ONE], teams[team]

    for number, team, new, unsolved, reopened in db.session.execute(_opened(asked)):
        for figures in each(number, team):
            figures.new += new
            figures.reopened += reopened
        days[first + number * _ONE].unsolved += unsolved
    for number, late in db.session.execute(_due(asked)):
        days[first + number * _ONE].overdue += late
    for team, unsolved, late in db.session.execute(_standing(asked)):
        for figures in (total, teams[team]):
            figures.unsolved += unsolved
            figures.overdue += late
    for name, counted in (("response", "responded"), ("solve", "solved")):
        for kind, key, count, spell in _spells(asked, name):
            figures = total if kind == _ALL else days[first + key * _ONE] if kind == _DAY else teams[key]
            setattr(figures, counted, count)
            setattr(figures, name, spell)
    agents = [(agent, name or email or "", solved) for agent, name, email, solved in db.session.execute(_solved(asked))]
    agents.sort(key=lambda row: (-row[2], row[1].casefold()))
    return Numbers(total, days, teams, agents)


@dataclass(frozen=True)
class _Asked:
    days: CTE
    # What the reader may see, of the team that was chosen; merged tickets are in it.
    scope: Sequence[Any]


_NOT_MERGED = Ticket.merged_into_id.is_(None)
_MOMENT = {"response": Ticket.first_response_at, "solve": Ticket.solved_at}
_MINUTES = {"response": Ticket.response_minutes, "solve": Ticket.solve_minutes}


def _days(first: date, last: date, zone: str) -> CTE:
    """A table of the days with the moments at which they begin and end: each is looked up in an index."""
    rows = []
    for number in range((last - first).days + 1):
        day = first + number * _ONE
        begin, end = DayRange(day, day).moments(zone)
        rows.append((number, begin, end))
    named = (column("number", Int), column("begins", UtcDateTime), column("ends", UtcDateTime))
    return values(*named, name="days").data(rows).cte("days")


def _scope(user: User, team_id: int | None) -> list[Any]:
    found: list[Any] = []
    if (visible := ticket_criterion(user)) is not None:
        found.append(visible)
    if team_id is not None:
        # Not by the index of the team: that holds all of its tickets, the one of the moments only those of the days.
        found.append(Ticket.team_id + 0 == team_id)
    return found


def _within(asked: _Asked, moment: Any, *columns: Any) -> Select[Any]:
    days = asked.days.c
    on = and_(moment >= days.begins, moment < days.ends)
    return select(*columns).select_from(asked.days).join(Ticket, on).where(_NOT_MERGED, *asked.scope)


def _count(criterion: Any) -> Any:
    return func.sum(case((criterion, 1), else_=0))


def _opened(asked: _Asked) -> Select[Any]:
    number = asked.days.c.number
    sums = (func.count(), _count(Ticket.category.in_(UNSOLVED)), _count(Ticket.reopened > 0))
    return _within(asked, Ticket.created_at, number, Ticket.team_id, *sums).group_by(number, Ticket.team_id)


def _due(asked: _Asked) -> Select[Any]:
    number = asked.days.c.number
    late = _within(asked, Ticket.due_at, number, func.count())
    return late.where(Ticket.due_at <= now(), Ticket.category.in_(UNSOLVED)).group_by(number)


def _standing(asked: _Asked) -> Select[Any]:
    """By team. Indexes have all of it: the open ones are counted with those that were merged, which are few and taken
    off, rather than each looked up.
    """
    open_ones = select(Ticket.team_id.label("team")).where(Ticket.category.in_(UNSOLVED), *asked.scope)
    counted = open_ones.add_columns(func.count().cast(Int).label("unsolved"), literal(0).label("late"))
    merged = open_ones.add_columns(literal(-1), literal(0)).where(Ticket.merged_into_id.is_not(None))
    late = open_ones.add_columns(literal(0), literal(1)).where(Ticket.due_at <= now(), _NOT_MERGED)
    parts = union_all(counted.group_by(Ticket.team_id), merged, late).subquery().c
    unsolved = func.sum(parts.unsolved)
    return select(parts.team, unsolved, func.sum(parts.late)).group_by(parts.team).having(unsolved > 0)


def _solved(asked: _Asked) -> Select[Any]:
    query = _within(asked, Ticket.solved_at, Ticket.assignee_id, User.name, User.email, func.count())
    query = query.join(User, User.id == Ticket.assignee_id, isouter=True)
    return query.group_by(Ticket.assignee_id, User.name, User.email)


def _spells(asked: _Asked, name: str) -> list[tuple[str, Any, int, Spell]]:
    """How many, their median and average: of all, by day and by team, in one query. Each ticket has its place in three
    orders, those that were not measured behind the others.
    """
    minutes = _MINUTES[name]
    number = asked.days.c.number
    parts: Mapping[str, list[Any]] = {_ALL: [], _DAY: [number], _TEAM: [Ticket.team_id]}
    places = []
    for kind, part in parts.items():
        window: dict[str, Any] = {"partition_by": part} if part else {}
        places.append(func.row_number().over(order_by=[minutes.is_(None), minutes], **window).label(f"place_{kind}"))
        places.append(func.count(minutes).over(**window).label(f"of_{kind}"))
    columns = (number.label("day"), Ticket.team_id.label("team"), minutes.label("minutes"), *places)
    measured = _within(asked, _MOMENT[name], *columns).cte("measured")
    queries = []
    for kind in parts:
        key = null() if kind == _ALL else measured.c[kind]
        place, of = measured.c[f"place_{kind}"] * 2, measured.c[f"of_{kind}"]
        middle = case((and_(place >= of, place <= of + 2), measured.c.minutes), else_=null())
        sums = (func.count(), func.count(measured.c.minutes), func.avg(middle), func.avg(measured.c.minutes))
        query = select(literal(kind), key.cast(Int), *sums)
        queries.append(query.group_by(key) if kind != _ALL else query)
    rows = db.session.execute(union_all(*queries))
    return [(kind, key, count, _spell(*measures)) for kind, key, count, *measures in rows]


def _spell(measured: int, median: Any, average: Any) -> Spell:
    return Spell(measured, float(median), float(average)) if measured else Spell()
