"""Give a ticket to an agent, or to another team."""

from typing import Any

from flask_babel import gettext as _

from helpdesk.core import labels, routing
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, Ticket, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import check_version, lock, touch


def assign(ticket: Ticket, assignee: User | None, actor: User | None, version: int | None = None) -> Ticket:
    """Make ``assignee`` (None: nobody) responsible; record ``ticket_assigned``. Same person: nothing happens.

    With ``version``, raises :class:`Stale` when somebody else assigned it meanwhile. Joins or opens the
    transaction. Raises :class:`Invalid` for somebody who is no active member of staff, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    if assignee is not None and not (assignee.is_staff and assignee.active and not assignee.is_service):
        raise Invalid("assignee", _("%(name)s cannot take tickets.", name=assignee.display_name))
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, ("ticket_assigned",))
        target = assignee.id if assignee else None
        if target == ticket.assignee_id:
            return ticket
        data = _handed(ticket.assignee, assignee)
        touch(ticket)
        ticket.assignee = assignee
        ticket.assignee_id = target
        record("ticket_assigned", ticket, actor, data)
    return ticket


def move(ticket: Ticket, team: Team | None, actor: User | None, version: int | None = None) -> Ticket:
    """Put a ticket into ``team``'s queue (None: no team); record ``ticket_moved``. Same team: nothing happens.

    One that nobody has yet is given to somebody where the team does so by itself (``ticket_assigned``, by the desk).

    With ``version``, raises :class:`Stale` when somebody else moved it meanwhile. Joins or opens the
    transaction. Raises :class:`Invalid` for a team that was switched off, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    if team is not None and not team.active:
        raise Invalid("team", _("The team %(name)s is switched off.", name=labels.team_name(team)))
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, ("ticket_moved",))
        target = team.id if team else None
        if target == ticket.team_id:
            return ticket
        data = {
            "from": ticket.team_id,
            "from_name": ticket.team.name if ticket.team else None,
            "to": target,
            "to_name": team.name if team else None,
        }
        touch(ticket)
        ticket.team = team
        ticket.team_id = target
        given = _given(ticket)
        record("ticket_moved", ticket, actor, {**data, **(given.data() if given.agent is None else {})})
        take(ticket, given)
    return ticket


def give_to_team(ticket: Ticket, team: Team, actor: User | None) -> Ticket:
    """Take a ticket from whoever has it and give it to a team, which gives it out if it does so by itself.

    :func:`assign` to nobody and :func:`move` at once; in the same team it is given out anew. Joins or opens the
    transaction. Raises :class:`Invalid` for a team that was switched off, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        if ticket.team_id != team.id:
            assign(ticket, None, actor)
            # The next verb reads the ticket anew.
            db.session.flush()
            return move(ticket, team, actor)
        own = _handed(ticket.assignee, None)
        touch(ticket)
        ticket.assignee, ticket.assignee_id = None, None
        # Who had it has one less.
        db.session.flush()
        given = _given(ticket)
        record("ticket_assigned", ticket, actor, {**own, **(given.data() if given.agent is None else {})})
        take(ticket, given)
    return ticket


def take(ticket: Ticket, given: routing.Given) -> None:
    """Note who takes it by the team's way, if anybody does. Inside the open transaction, which has touched it."""
    if given.agent is None:
        return
    ticket.assignee = given.agent
    ticket.assignee_id = given.agent.id
    record("ticket_assigned", ticket, None, {**_handed(None, given.agent), "way": given.way})


def _handed(before: User | None, after: User | None) -> dict[str, Any]:
    """What ``ticket_assigned`` says: from whom to whom."""
    return {
        "from": before.id if before else None,
        "from_name": before.display_name if before else None,
        "to": after.id if after else None,
        "to_name": after.display_name if after else None,
    }


def _given(ticket: Ticket) -> routing.Given:
    if ticket.assignee_id is not None or ticket.team_id is None:
        return routing.Given(routing.HAND)
    return routing.give_out([ticket])[0]
