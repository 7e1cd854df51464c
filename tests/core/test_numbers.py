"""The seven numbers against the tickets one by one, on the days of a zone whose clock is put back in between."""

from datetime import UTC, date, datetime, timedelta
from statistics import mean, median
from typing import Any

import pytest
from sqlalchemy import update

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket
from helpdesk.core.numbers import numbers
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.db
ZONE = "Europe/Berlin"


def test_the_numbers_are_those_of_the_tickets(
    make_ticket: Any, make_team: Any, make_user: Any, travel: Any, count_queries: Any
) -> None:
    travel(datetime(2026, 10, 27, 12, tzinfo=UTC))
    boss, mia = make_user("supervisor"), make_user("agent", name="Mia")
    team = make_team()
    # Midnight in Berlin is 22:00 UTC until the 25th, and 23:00 from then on.
    moments = [datetime(2026, 10, 24, 21, 59), datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 22, 30),
               datetime(2026, 10, 25, 23), datetime(2026, 10, 26, 9)]  # fmt: skip
    tickets = [make_ticket() for _moment in moments]
    with transaction():
        for place, (ticket, moment) in enumerate(zip(tickets, moments, strict=True)):
            at = moment.replace(tzinfo=UTC)
            fields: dict[str, Any] = {"created_at": at, "team_id": team.id if place % 2 else None}
            # The last one is from before the desk measured: it is counted, and in no median.
            fields["first_response_at"] = at
            if place < 4:
                fields["response_minutes"] = 10 * place * place
            if place in (1, 3):
                fields |= {"category": "solved", "solved_at": at, "solve_minutes": 60, "assignee_id": mia.id}
            if place == 2:
                fields |= {"reopened": 2, "due_at": now() - timedelta(days=1)}
            db.session.execute(update(Ticket).where(Ticket.id == ticket.id).values(**fields))
        merged = make_ticket()
        late = {"created_at": moments[1].replace(tzinfo=UTC), "merged_into_id": tickets[0].id}
        db.session.execute(update(Ticket).where(Ticket.id == merged.id).values(**late))
    with count_queries() as queries:
        found = numbers(boss, date(2026, 10, 24), date(2026, 10, 26), ZONE)
    assert len(queries) <= 7, queries
    assert [figures.new for figures in found.days.values()] == [1, 2, 2]
    assert [figures.unsolved for figures in found.days.values()] == [1, 1, 1]
    assert [figures.overdue for figures in found.days.values()] == [0, 0, 1]
    assert [figures.responded for figures in found.days.values()] == [1, 2, 2]
    assert [figures.response.median for figures in found.days.values()] == [0, 25, 90]
    assert [figures.solved for figures in found.days.values()] == [0, 1, 1]
    total = found.total
    assert (total.new, total.unsolved, total.overdue, total.solved, total.reopened) == (5, 3, 1, 2, 1)
    assert (total.responded, total.response.measured) == (5, 4)
    assert total.response.median == median([0, 10, 40, 90]) and total.response.average == mean([0, 10, 40, 90])
    assert {key: figures.new for key, figures in found.teams.items()} == {None: 3, team.id: 2}
    assert found.teams[team.id].response.median == 50 and found.teams[team.id].solve.average == 60
    assert found.agents == [(mia.id, "Mia", 2)]
    of_team = numbers(boss, date(2026, 10, 24), date(2026, 10, 26), ZONE, team.id)
    assert (of_team.total.new, of_team.total.unsolved, of_team.total.solved) == (2, 0, 2)
    empty = numbers(boss, date(2020, 1, 1), date(2020, 1, 2), ZONE)
    assert (empty.total.new, empty.total.response.median, empty.agents) == (0, None, [])
