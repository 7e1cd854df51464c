"""What levels may ask for from the desk's own records: time, tickets, reopenings, assessments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import case, func, or_, select

from helpdesk.api import Ticket, db, hookimpl, now
from helpdesk.api import lazy_gettext as _l
from helpdesk_career.models import Assessment, Competence, Person

TIME, SOLVED, REOPENED, ASSESSED = "career.time", "career.solved", "career.reopened", "career.assessment"
_DONE, _UNSOLVED = ("solved", "closed"), ("new", "open", "pending", "on_hold")
Measured = Mapping[int, tuple[float | None, int]]


@hookimpl(optionalhook=True)
def career_criteria() -> list[dict[str, Any]]:
    """Time in the level, tickets solved, the share of them that was opened again, a competence as assessed."""
    return [
        {
            "key": TIME, "label": _l("Time in the level"), "unit": "days", "better": "more", "counts": False,
            "choices": None, "measure": measure_time, "link": None,
        },
        {
            "key": SOLVED, "label": _l("Tickets solved"), "unit": "number", "better": "more", "counts": False,
            "choices": None, "measure": measure_solved, "link": link_solved,
        },
        {
            "key": REOPENED, "label": _l("Solved tickets that were opened again"), "unit": "percent", "better": "less",
            "counts": True, "choices": None, "measure": measure_reopened, "link": link_reopened,
        },
        {
            "key": ASSESSED, "label": _l("Competence as assessed"), "unit": "score", "better": "more", "counts": True,
            "choices": competence_choices, "measure": measure_assessed, "link": link_assessed,
        },
    ]  # fmt: skip


def measure_time(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    """Whole days since the level began."""
    rows = db.session.execute(select(Person.user_id, Person.since).where(Person.user_id.in_(user_ids)))
    return {number: (days_since(began), 1) for number, began in rows if began is not None}


def days_since(began: datetime) -> float:
    """How many whole days somebody has had a level."""
    return float(max((now() - began).days, 0))


def measure_solved(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    """Tickets that are solved and theirs. One query."""
    found = _solved(user_ids, since)
    return {number: (float(solved), solved) for number, (solved, _again, _open) in found.items()}


def measure_reopened(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    """How many of a hundred were opened again: of those that are solved, and those that are open once more."""
    found: dict[int, tuple[float | None, int]] = {}
    for number, (solved, again, open_again) in _solved(user_ids, since).items():
        total = solved + open_again
        found[number] = (100 * (again + open_again) / total if total else None, total)
    return found


def _solved(user_ids: Sequence[int], since: datetime | None) -> dict[int, tuple[int, int, int]]:
    """For each: solved, of them opened again before, open again now. Read from the tickets as they are: nothing drifts
    when one is moved, merged or given to somebody else."""
    done = Ticket.category.in_(_DONE)
    reopened = Ticket.reopened > 0
    query = (
        select(
            Ticket.assignee_id,
            func.sum(case((done, 1), else_=0)),
            func.sum(case((done & reopened, 1), else_=0)),
            func.sum(case((done, 0), else_=1)),
        )
        .where(Ticket.assignee_id.in_(user_ids), Ticket.merged_into_id.is_(None))
        .group_by(Ticket.assignee_id)
    )
    solved: Any = Ticket.solved_at.is_not(None)
    again: Any = Ticket.category.in_(_UNSOLVED) & reopened
    if since is not None:
        solved, again = Ticket.solved_at >= since, again & (Ticket.updated_at >= since)
    rows = db.session.execute(query.where(or_(done & solved, again)))
    return {number: (int(one or 0), int(two or 0), int(three or 0)) for number, one, two, three in rows if number}


def measure_assessed(user_ids: Sequence[int], since: datetime | None, choice: str) -> Measured:
    """The newest grade in a competence, and how often it was assessed."""
    if not choice.isascii() or not choice.isdigit() or len(choice) > 9:
        return {}
    mine = (Assessment.user_id.in_(user_ids), Assessment.competence_id == int(choice))
    query = select(Assessment.user_id, func.max(Assessment.id), func.count()).where(*mine)
    if since is not None:
        query = query.where(Assessment.at >= since)
    newest = query.group_by(Assessment.user_id).subquery()
    rows = db.session.execute(
        select(Assessment.user_id, Assessment.grade, newest.c[2]).join(newest, newest.c[1] == Assessment.id)
    )
    return {number: (float(grade) if grade else None, int(count)) for number, grade, count in rows}


def competence_choices() -> list[tuple[str, str]]:
    """Competences that are in use."""
    query = select(Competence.id, Competence.name).where(Competence.retired_at.is_(None)).order_by(Competence.norm)
    return [(str(number), name) for number, name in db.session.execute(query)]


def link_solved(user_id: int, choice: str, days: int) -> str | None:
    """Their solved tickets."""
    return url_for("desk.view_list", key="all", f=1, assignee=user_id, category=list(_DONE), **_span("solved", days))


def link_reopened(user_id: int, choice: str, days: int) -> str | None:
    """Their tickets that were opened again."""
    return url_for("desk.view_list", key="all", f=1, assignee=user_id, reopened="yes", **_span("updated", days))


def link_assessed(user_id: int, choice: str, days: int) -> str | None:
    """Where their assessments stand."""
    return url_for("career.person", user_id=user_id, _anchor="competences")


def _span(name: str, days: int) -> dict[str, Any]:
    return {name: f"{min(days, 3_660)}d"} if days else {}
