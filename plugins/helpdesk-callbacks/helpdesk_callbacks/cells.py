"""The time that calls take: quarters of an hour of an agent, of a team, of the desk. The key of the table decides."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from helpdesk.api import db, settings
from helpdesk_callbacks.models import Call, Cell, TeamCapacity
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.zones import QUARTER

_AGENTS, DESK = "a", "d"
# So often a place is looked for anew that somebody else has taken meanwhile.
_TURNS = 5


class Full(Exception):
    """Nobody can take a call at that time any more."""


def of_agent(agent_id: int) -> str:
    """Whose time it is: an agent's."""
    return f"{_AGENTS}{agent_id}"


def of_team(team_id: int | None) -> str:
    """Whose time it is: a team's; without one the desk's."""
    return DESK if team_id is None else f"t{team_id}"


def owners(agent_id: int | None, team_id: int | None) -> list[str]:
    """Whose time a call takes: the agent's, and a place of the team's; nobody's in particular is the desk's."""
    found = [] if agent_id is None else [of_agent(agent_id)]
    return found if found and team_id is None else [*found, of_team(team_id)]


def quarters(start: datetime, end: datetime) -> list[datetime]:
    """The beginnings of the quarters of an hour from ``start`` to ``end``."""
    count = -(-(end - start) // QUARTER)
    return [start + number * QUARTER for number in range(count)]


def capacity(team_id: int | None) -> int:
    """How many calls a team takes in one slot. One query."""
    own = db.session.scalar(select(TeamCapacity.most).where(TeamCapacity.team_id == team_id)) if team_id else None
    return own if own is not None else settings(CallbackSettings).team_capacity


def take(call: Call) -> None:
    """Give a call the time of its window, instead of what it had. Inside the transaction; the call has its number.

    Raises :class:`Full` when its agent has another call then, or its team as many as it takes.
    """
    for turn in range(1, _TURNS + 1):
        try:
            with db.session.begin_nested():
                free(call.id)
                rows = _rows(call)
                db.session.execute(insert(Cell), rows)
            return
        except IntegrityError:
            # Somebody else was quicker (PostgreSQL): there may be another place.
            if turn == _TURNS:
                raise Full from None


def free(*call_ids: int) -> None:
    """Give back the time of calls. Inside the transaction."""
    if call_ids:
        db.session.execute(delete(Cell).where(Cell.call_id.in_(call_ids)))


def free_agents(*call_ids: int) -> None:
    """Give back the agents' time of calls; that of their teams stays taken. Inside the transaction."""
    if call_ids:
        db.session.execute(delete(Cell).where(Cell.call_id.in_(call_ids), Cell.owner.startswith(_AGENTS)))


def _rows(call: Call) -> list[dict[str, object]]:
    times = quarters(call.starts_at, call.ends_at)
    wanted = owners(call.agent_id, call.team_id)
    taken = taken_between(wanted, call.starts_at, call.ends_at)
    rows: list[dict[str, object]] = []
    for owner in wanted:
        places = 1 if owner.startswith(_AGENTS) else capacity(call.team_id)
        place = _free_place(taken.get(owner, {}), times, places)
        rows += [{"owner": owner, "at": at, "place": place, "call_id": call.id} for at in times]
    return rows


def _free_place(taken: Mapping[datetime, Collection[int]], times: Sequence[datetime], places: int) -> int:
    for place in range(places):
        if not any(place in taken.get(at, ()) for at in times):
            return place
    raise Full


def taken_between(
    names: Iterable[str], start: datetime, end: datetime, but: int | None = None
) -> Mapping[str, Mapping[datetime, set[int]]]:
    """The places that are taken from ``start`` to ``end``, by owner and quarter; those of call ``but`` are free.

    One query.
    """
    query = select(Cell.owner, Cell.at, Cell.place).where(
        Cell.owner.in_(list(names)), Cell.at >= start - timedelta(minutes=14), Cell.at < end
    )
    if but is not None:
        query = query.where(Cell.call_id != but)
    found: dict[str, dict[datetime, set[int]]] = {}
    for owner, at, place in db.session.execute(query):
        found.setdefault(owner, {}).setdefault(at, set()).add(place)
    return found
