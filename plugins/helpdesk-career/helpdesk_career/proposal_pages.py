"""Promotion proposals: what is to be decided, and each with its evidence."""

from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import gettext as _
from helpdesk.api import permission_required, reader
from helpdesk_career import progress, proposals, scopes
from helpdesk_career.blueprint import pages, show, trial
from helpdesk_career.models import OPEN, Proposal
from helpdesk_career.permissions import LEAD, USE


@pages.get("/proposals")
@permission_required(LEAD)
def proposal_list() -> Any:
    """What is to be decided in one's teams."""
    return show("proposals.html", proposals=proposals.waiting(reader()))


@pages.get("/proposals/<int:proposal_id>")
@permission_required(USE)
def proposal(proposal_id: int) -> Any:
    """One proposal with its evidence."""
    return _page(_proposal(proposal_id))


@pages.post("/proposals/<int:proposal_id>")
@permission_required(LEAD)
def decide_proposal(proposal_id: int) -> Any:
    """Approve, refuse or withdraw it, as the button says."""
    row, actor, do = _proposal(proposal_id), reader(), request.form.get("do", "")
    answer = request.form.get("answer", "")

    def work() -> None:
        if do == "withdraw":
            proposals.withdraw(row, actor)
        elif do in ("approve", "refuse"):
            proposals.decide(row, do == "approve", answer, actor)

    errors = trial(work)
    if errors:
        return _page(_proposal(proposal_id), errors)
    said = {"approve": _("Approved. The level is theirs now."), "refuse": _("Refused."), "withdraw": _("Withdrawn.")}
    if do in said:
        flash(said[do])
    return redirect(url_for("career.proposal", proposal_id=proposal_id), 303)


def _proposal(proposal_id: int) -> Proposal:
    found = proposals.find(reader(), proposal_id) if proposal_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _page(row: Proposal, errors: dict[str, str] | None = None) -> Any:
    actor = reader()
    return show(
        "proposal.html",
        422 if errors else 200,
        proposal=row,
        lines=progress.evidence_lines(row.evidence),
        is_open=row.state == OPEN,
        may_decide=scopes.may_decide(actor, row.user),
        may_withdraw=row.by_id == actor.id or scopes.may_decide(actor, row.user),
        errors=errors or {},
        typed=request.form if errors else {},
    )
