"""Figures: what was completed, with which scores, what is overdue, which questions are failed most."""

from typing import Any

from flask import request

from helpdesk.api import gettext as _
from helpdesk.api import number_in, permission_required, reader
from helpdesk_training import figures as counting
from helpdesk_training import grading, looking
from helpdesk_training.blueprint import pages, show
from helpdesk_training.permissions import ASSIGN


@pages.get("/figures")
@permission_required(ASSIGN)
def figures() -> Any:
    """Per course and in all, of the people whom the reader looks after; ?team= narrows to one team."""
    teams = looking.teams_of(reader())
    team = number_in(request.args.get("team"))
    team = team if team in dict(teams) else None
    rows = counting.overview(reader(), team)
    assigned, done = sum(row.assigned for row in rows), sum(row.done for row in rows)
    return show(
        "figures.html",
        rows=rows,
        assigned=assigned,
        done=done,
        overdue=sum(row.overdue for row in rows),
        waiting=grading.count(reader()),
        share=done / assigned if assigned else None,
        failed=counting.most_failed(reader()),
        team=team,
        teams=[("", _("All my people")), *teams],
    )
