"""Whose answers somebody sees: agents their own, supervisors their teams', administrators all."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import false, or_

from helpdesk.api import User, allowed
from helpdesk_surveys.models import FollowUp, Response
from helpdesk_surveys.permissions import USE


@dataclass(frozen=True)
class Scope:
    """``everything``, or what one agent did and what some teams did; nothing where all three are empty."""

    everything: bool = False
    agent_id: int | None = None
    team_ids: tuple[int, ...] = ()

    def criterion(self, table: Any) -> Any:
        """That a row of a table with ``agent_id`` and ``team_id`` belongs to it; None where all of them do."""
        if self.everything:
            return None
        own = [table.agent_id == self.agent_id] if self.agent_id is not None else []
        teams = [table.team_id.in_(self.team_ids)] if self.team_ids else []
        return or_(*own, *teams) if own or teams else false()

    def of_follow_ups(self) -> Any:
        """That a follow-up, joined to its answer, belongs to it: by the answer, or as the team that a rule named."""
        criterion = self.criterion(Response)
        return criterion if criterion is None else or_(criterion, FollowUp.team_id.in_(self.team_ids))

    def of_answer(self) -> Any:
        """That a single answer may be opened: it belongs to it, or one of its follow-ups does."""
        criterion = self.criterion(Response)
        if criterion is None or not self.team_ids:
            return criterion
        return or_(criterion, Response.follow_ups.any(FollowUp.team_id.in_(self.team_ids)))


def scope_of(user: User) -> Scope:
    """The scope of somebody. Supervisors without a team look after all of them, as elsewhere on the desk."""
    if not allowed(user, USE):
        return Scope()
    if user.role == "admin":
        return Scope(everything=True)
    if user.role == "supervisor":
        teams = tuple(sorted(team.id for team in user.teams))
        return Scope(agent_id=user.id, team_ids=teams) if teams else Scope(everything=True)
    return Scope(agent_id=user.id)
