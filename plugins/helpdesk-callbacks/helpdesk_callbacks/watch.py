"""Who makes which call and who hears of it, of many calls at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.api import Attendance, DeskSettings, Team, User, attendance_between, db, settings, tell
from helpdesk_callbacks import words
from helpdesk_callbacks.calls import lazily
from helpdesk_callbacks.models import Call

# Says a moment as the clock of whoever reads it shows it.
Clock = Callable[[datetime], str]


@dataclass
class Watch:
    """The people around some calls at one moment; it asks the database nothing more."""

    at: datetime
    attendance: Attendance
    members: Mapping[int, Sequence[User]]
    chiefs: Sequence[User]

    def can_call(self, call: Call) -> bool:
        """Whether the agent of a call is there."""
        return call.agent is not None and self._is_there(call.agent, call.team_id)

    def makers(self, call: Call) -> Sequence[User]:
        """Who is to make it: the agent; of a team whoever is there, else all of it; else the ticket's assignee, and
        supervisors where it has none.
        """
        if call.agent is not None:
            return [call.agent]
        if call.team_id is not None:
            team = self.members.get(call.team_id, ())
            return [user for user in team if self._is_there(user, call.team_id)] or team or self.chiefs
        assignee = call.ticket.assignee
        return [assignee] if assignee is not None and assignee.active else self.chiefs

    def supervisors(self, call: Call) -> Sequence[User]:
        """Those of the call's team, else all; administrators where there are none."""
        mine = {user.id for user in self.members.get(call.team_id or 0, ())}
        return [user for user in self.chiefs if user.id in mine] or self.chiefs

    def tell(self, call: Call, people: Collection[User], say: Callable[[Clock], str]) -> None:
        """Tell them one sentence about a call, each in their own language and zone."""
        desk = settings(DeskSettings).time_zone
        zones: dict[str, list[User]] = {}
        for user in {user.id: user for user in people}.values():
            zones.setdefault(user.time_zone or desk, []).append(user)
        for zone, some in zones.items():
            tell(some, _said(say, zone), call.ticket)

    def _is_there(self, user: User, team_id: int | None) -> bool:
        return user.active and self.attendance.is_there(user.id, self.at, team_id)


def watch_over(calls: Sequence[Call], at: datetime, until: datetime | None = None) -> Watch:
    """The people around these calls from ``at`` (to ``until``). Five queries, whatever the numbers."""
    teams = select(Team).where(Team.id.in_({call.team_id for call in calls if call.team_id}))
    found = db.session.scalars(teams.options(selectinload(Team.members))).all()
    members = {team.id: [user for user in team.members if user.active and not user.is_service] for team in found}
    people = {user.id for some in members.values() for user in some}
    people |= {call.agent_id for call in calls if call.agent_id is not None}
    return Watch(at, attendance_between(people, at, until or at + timedelta(minutes=1)), members, _chiefs())


def _chiefs() -> Sequence[User]:
    query = select(User).where(User.role.in_(("supervisor", "admin")), User.active, ~User.is_service)
    found = db.session.scalars(query.order_by(User.id)).all()
    return [user for user in found if user.role == "supervisor"] or found


def _said(say: Callable[[Clock], str], zone: str) -> object:
    return lazily(lambda: say(lambda moment: words.clock(moment, zone)))
