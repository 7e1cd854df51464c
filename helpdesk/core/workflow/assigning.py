"""Give a ticket to an agent, or to another team."""

from flask_babel import gettext as _

from helpdesk.core import labels
from helpdesk.core.events.record import record
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
        data = {
            "from": ticket.assignee_id,
            "from_name": ticket.assignee.display_name if ticket.assignee else None,
            "to": target,
            "to_name": assignee.display_name if assignee else None,
        }
        touch(ticket)
        ticket.assignee = assignee
        ticket.assignee_id = target
        record("ticket_assigned", ticket, actor, data)
    return ticket


def move(ticket: Ticket, team: Team | None, actor: User | None, version: int | None = None) -> Ticket:
    """Put a ticket into ``team``'s queue (None: no team); record ``ticket_moved``. Same team: nothing happens.

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
        record("ticket_moved", ticket, actor, data)
    return ticket
