"""The row of an incoming item: what became of it, and why. The reason is a code (events.reasons) or a sentence."""

from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core.clock import now
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.events.reasons import with_problems
from helpdesk.core.extensions import db
from helpdesk.core.models import Intake
from helpdesk.core.models.intake import IGNORED, RECEIVED


@dataclass(frozen=True)
class Outcome:
    """What became of an item: ``ticket``, ``message``, ``ignored``, ``quarantined`` or ``waiting``, and why."""

    intake_id: int
    outcome: str
    reason: str
    ticket_id: int | None = None
    message_id: int | None = None
    machine: bool = False


def read_anew(intake_ids: Collection[int], lock: bool = False) -> list[Intake]:
    """Items as they are now, with one query; locked in an order in which nobody waits in a circle.

    Whoever holds the answer reads none of them again.
    """
    query = select(Intake).where(Intake.id.in_(intake_ids)).order_by(Intake.id)
    if lock:
        query = query.with_for_update(of=Intake)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def still_open(item: Intake) -> bool:
    """Inside the transaction, which has locked it: whether no other worker has acted on it meanwhile."""
    return item.state == RECEIVED


def finish(
    item: Intake, state: str, outcome: str, reason: str, draft: IntakeDraft | None = None, ticket_id: int | None = None
) -> None:
    """Write what became of an item, inside the open transaction."""
    item.state, item.outcome, item.done_at = state, outcome, now()
    item.reason = with_problems(reason, draft.problems) if draft is not None else reason
    item.ticket_id = ticket_id
    item.attempts += 1
    if draft is None:
        return
    item.sender, item.subject = draft.sender_address.strip().lower()[:320], draft.subject[:300]
    item.machine, item.verified = draft.machine, draft.verified
    item.account = item.account or draft.account[:255]


def settle(
    item: Intake, state: str, reason: str, draft: IntakeDraft | None = None, ticket_id: int | None = None
) -> Outcome:
    """Put an item where no ticket comes of it, inside the transaction that has locked it."""
    if still_open(item):
        finish(item, state, "ignored" if state == IGNORED else "quarantined", reason, draft, ticket_id)
    return outcome_of(item, item.id)


def outcome_of(item: Intake | None, intake_id: int) -> Outcome:
    """What became of an item earlier."""
    if item is None:
        return Outcome(intake_id, "ignored", _("There is no such item."))
    return Outcome(item.id, item.outcome or "waiting", item.reason, item.ticket_id, None, item.machine)
