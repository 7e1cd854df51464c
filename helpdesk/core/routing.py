"""Who of a team takes a ticket by itself: in turn, or whoever has the least to do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from helpdesk.core import working_time
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, TeamMember, Ticket, User
from helpdesk.core.models.team import HAND, LEAST_BUSY, ROUND_ROBIN
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.models.user import STAFF
from helpdesk.plugins import manager

# Why nobody was found.
NOBODY, AWAY, FULL, LIMITED = "nobody", "away", "full", "limited"
_NEVER = datetime.min.replace(tzinfo=UTC)

__all__ = [
    "AWAY", "FULL", "HAND", "LEAST_BUSY", "LIMITED", "NOBODY", "ROUND_ROBIN", "Given", "able_to_take", "free_to_take",
    "give_out", "teams_with_room",
]  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What a team's way of assignment came to for one ticket: an agent, or why there is none."""

    way: str
    agent: User | None = None
    why: str = ""

    def data(self) -> dict[str, str | int]:
        """What the event of the change keeps."""
        if self.way == HAND:
            return {}
        if self.agent is None:
            return {"unassigned": self.why}
        return {"way": self.way, "agent": self.agent.id, "agent_name": self.agent.display_name}


@dataclass
class _Member:
    """Somebody of a team who could take a ticket."""

    row: TeamMember
    user: User

    @property
    def given_at(self) -> datetime:
        return self.row.given_at or _NEVER


def give_out(tickets: Sequence[Ticket]) -> list[Given]:
    """For each ticket, who of its team takes it by the team's way; notes whose turn it was. Assigns nothing itself.

    Inside the open transaction, which holds the tickets. The members of the teams are locked then (after tickets, in
    the order of teams and people), so that two tickets at once do not go to the same person: a transaction that
    changes several tickets must not ask for one after another, but for all of them here. A number of queries that
    grows with the teams only, and one where every team assigns by hand.
    """
    teams = _automatic(Team.id.in_({ticket.team_id for ticket in tickets if ticket.team_id is not None}))
    if not teams:
        return [Given(HAND) for _ticket in tickets]
    members = _members(teams, lock=True)
    people = {one.user.id: one.user for found in members.values() for one in found}
    here, busy = _here(members), _busy(people)
    left = able_to_take(tickets, list(people.values()))
    given = []
    for ticket in tickets:
        team_id = ticket.team_id or 0
        way = teams.get(team_id, HAND)
        if way == HAND or ticket.category not in UNSOLVED:
            given.append(Given(HAND))
            continue
        found = _choose(way, ticket, members[team_id], here[team_id], busy, left.get(ticket.id))
        if found.agent is not None:
            busy[found.agent.id] = busy.get(found.agent.id, 0) + 1
        given.append(found)
    return given


def teams_with_room() -> list[int]:
    """The teams that give tickets out by themselves and in which somebody is there now who has room. Locks nothing."""
    members = _members(_automatic(), lock=False)
    here, busy = _here(members), _busy({one.user.id for found in members.values() for one in found})
    return [
        team_id
        for team_id, found in members.items()
        if any(one.user.id in here[team_id] and _has_room(one.user, busy.get(one.user.id, 0)) for one in found)
    ]


def able_to_take(tickets: Sequence[Ticket], people: Sequence[User]) -> Mapping[int, Collection[int]]:
    """Whom of ``people`` plugins let take a ticket by itself: numbers, by the ids of the tickets that are limited."""
    ids = [ticket.id for ticket in tickets]
    return manager.current().chosen("limit_assignees", ids, tickets=tickets, people=people)


def free_to_take(ticket: Ticket, people: Sequence[User]) -> dict[int, int]:
    """Who of ``people`` can be given a ticket by itself now: by number, with how many tickets each has to do.

    They are there, have room, and no plugin keeps the ticket from them (``limit_assignees``). Whether they may answer
    it is the caller's matter. Three queries, and what plugins ask.
    """
    if not people:
        return {}
    left = able_to_take([ticket], people).get(ticket.id)
    there = working_time.available_users(people, now(), ticket.team_id)
    able = [user for user in people if user.id in there and (left is None or user.id in left)]
    busy = _busy([user.id for user in able])
    return {user.id: busy.get(user.id, 0) for user in able if _has_room(user, busy.get(user.id, 0))}


def _choose(
    way: str,
    ticket: Ticket,
    members: Sequence[_Member],
    here: Collection[int],
    busy: Mapping[int, int],
    left: Collection[int] | None,
) -> Given:
    # Nobody handles what they asked for themselves.
    able = [member for member in members if member.user.id != ticket.requester_id]
    if able and left is not None:
        able = [member for member in able if member.user.id in left]
        if not able:
            return Given(way, why=LIMITED)
    present = [member for member in able if member.user.id in here]
    free = [member for member in present if _has_room(member.user, busy.get(member.user.id, 0))]
    if not free:
        return Given(way, why=FULL if present else (AWAY if able else NOBODY))
    if way == LEAST_BUSY:
        chosen = min(free, key=lambda one: (busy.get(one.user.id, 0), one.given_at, one.user.id))
    else:
        chosen = min(free, key=lambda one: (one.given_at, one.user.id))
    latest = max(member.given_at for member in members)
    chosen.row.given_at = max(now(), latest + timedelta(microseconds=1))
    return Given(way, chosen.user)


def _has_room(user: User, busy: int) -> bool:
    return user.capacity is None or busy < user.capacity


def _automatic(*which: ColumnElement[bool]) -> dict[int, str]:
    """The teams that give tickets out by themselves (those meant, else all), each with its way."""
    rows = db.session.execute(select(Team.id, Team.assignment).where(Team.active, Team.assignment != HAND, *which))
    return {number: way for number, way in rows}


def _members(team_ids: Collection[int], *, lock: bool) -> dict[int, list[_Member]]:
    """The people of each team who can take tickets; with ``lock`` the rows of their turns are locked."""
    found: dict[int, list[_Member]] = {number: [] for number in team_ids}
    if not found:
        return found
    query = (
        select(TeamMember, User)
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.team_id.in_(team_ids), User.active, ~User.is_service, User.role.in_(STAFF))
        .order_by(TeamMember.team_id, TeamMember.user_id)
    )
    if lock:
        # A key that is shared: whoever only refers to a member does not wait.
        query = query.with_for_update(of=TeamMember, key_share=True).execution_options(populate_existing=True)
    for row, user in db.session.execute(query):
        found[row.team_id].append(_Member(row, user))
    return found


def _here(members: Mapping[int, Sequence[_Member]]) -> dict[int, set[int]]:
    """Who of each team is there now."""
    moment = now()
    return {
        team_id: working_time.available_users([member.user for member in found], moment, team_id)
        for team_id, found in members.items()
    }


def _busy(numbers: Collection[int]) -> dict[int, int]:
    """How much each of them has to do, of whatever team it is."""
    query = (
        select(Ticket.assignee_id, func.count())
        .where(Ticket.assignee_id.in_(list(numbers)), Ticket.category.in_(UNSOLVED))
        .group_by(Ticket.assignee_id)
    )
    return {number: count for number, count in db.session.execute(query) if number is not None}
