"""How promised calls were kept: figures of a span of days, by agent, team and reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from helpdesk.api import Team, User, db
from helpdesk_callbacks.listing import ALL, COUNTED, NOBODY, Wanted, counted, criteria, one_if, visible_calls
from helpdesk_callbacks.models import Call, Reason

# A year and a day.
MOST_DAYS = 366


@dataclass
class Figures:
    """What was counted; each is the length of the list of the same name (``listing.COUNTED``)."""

    promised: int = 0
    kept: int = 0
    late: int = 0
    undecided: int = 0
    try1: int = 0
    try2: int = 0
    try3: int = 0
    never: int = 0

    def add(self, other: Sequence[int]) -> None:
        """Add figures in the order of ``COUNTED``."""
        for name, number in zip(COUNTED, other, strict=True):
            setattr(self, name, getattr(self, name) + int(number or 0))

    @property
    def share(self) -> float | None:
        """Kept, of those that can be judged."""
        judged = self.kept + self.late
        return self.kept / judged if judged else None


@dataclass(frozen=True)
class Line:
    """Figures of an agent, a team or a reason; ``key`` is its number, ``NOBODY`` for those without."""

    key: int
    name: str
    figures: Figures


@dataclass(frozen=True)
class Numbers:
    """All of them."""

    total: Figures
    agents: Sequence[Line]
    teams: Sequence[Line]
    reasons: Sequence[Line]


def numbers(user: User, first: date, last: date, zone: str, nobody: Callable[[str], str]) -> Numbers:
    """The figures of the calls that were promised for these days. Four queries, whatever their number.

    ``nobody``: what stands for those without an agent, a team or a reason.
    """
    wanted = Wanted(who=ALL, show="promised", first=first, last=last)
    keys = (Call.agent_id, Call.team_id, Call.reason_id)
    sums = [func.sum(one_if(counted(name))) for name in COUNTED]
    query = visible_calls(user).where(*criteria(user, wanted, zone)).with_only_columns(*keys, *sums).group_by(*keys)
    total = Figures()
    by: tuple[dict[int, Figures], ...] = ({}, {}, {})
    for row in db.session.execute(query):
        figures = row[3:]
        total.add(figures)
        for place, found in enumerate(by):
            found.setdefault(row[place] or NOBODY, Figures()).add(figures)
    return Numbers(
        total,
        _lines(by[0], _names(User.id, User.name, by[0]), nobody("agent")),
        _lines(by[1], _names(Team.id, Team.name, by[1]), nobody("team")),
        _lines(by[2], _names(Reason.id, Reason.name, by[2]), nobody("reason")),
    )


def _names(key: Any, name: Any, found: dict[int, Figures]) -> dict[int, str]:
    ids = [number for number in found if number != NOBODY]
    return {row[0]: row[1] for row in db.session.execute(select(key, name).where(key.in_(ids)))} if ids else {}


def _lines(found: dict[int, Figures], names: dict[int, str], nobody: str) -> list[Line]:
    lines = [Line(key, names.get(key) or (nobody if key == NOBODY else f"#{key}"), it) for key, it in found.items()]
    return sorted(lines, key=lambda line: (line.key == NOBODY, line.name.casefold(), line.key))
