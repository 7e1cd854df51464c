"""The page of the seven numbers: who sees it, what its figures open, its file, what it says of a wrong span."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.db
PAGE = "/desk/numbers"


@pytest.fixture
def boss(make_ticket: Any, make_team: Any, make_user: Any, travel: Any, sign_in: Any) -> Any:
    """A supervisor in Shanghai, where it is tomorrow already, and tickets of a few days."""
    travel(datetime(2026, 11, 26, 20, tzinfo=UTC))
    mia, team = make_user("agent", name="Mia <b>", email="mia@desk.example"), make_team("Workshop")
    for place in range(6):
        ticket = make_ticket()
        at = now() - timedelta(hours=9 * place)
        fields: dict[str, Any] = {"created_at": at, "team_id": team.id if place % 2 else None, "reopened": place % 2}
        if place < 4:
            fields |= {"first_response_at": at, "response_minutes": 70 * place, "due_at": at}
        if place < 3:
            fields |= {"category": "solved", "solved_at": at, "solve_minutes": 90, "assignee_id": mia.id}
        with transaction():
            db.session.execute(update(Ticket).where(Ticket.id == ticket.id).values(**fields))
    return sign_in(make_user("supervisor", time_zone="Asia/Shanghai"))


def test_each_figure_opens_exactly_its_tickets(boss: Any, count_queries: Any) -> None:
    boss.get(PAGE)
    with count_queries() as queries:
        page = boss.get(f"{PAGE}?days=7d").text
    assert len(queries) <= 8, queries
    assert "Asia/Shanghai" in page and "round the clock" in page and "Mia &lt;b&gt;" in page
    cards = re.findall(
        r'<a class="number" href="([^"]+)"><span class="lab">([^<]+)</span><span class="fig">([^<]+)', page
    )
    assert [label for _url, label, _figure in cards] == [
        "New", "Open", "Overdue", "First response", "Solve time", "Solved", "Reopened",
    ]  # fmt: skip
    figures = {label: figure for _url, label, figure in cards}
    assert figures == {
        "New": "6", "Open": "3", "Overdue": "1", "First response": "1 hr 45 min", "Solve time": "1 hr 30 min",
        "Solved": "3", "Reopened": "3",
    }  # fmt: skip
    opened = {label: _tickets(boss, url) for url, label, _figure in cards}
    assert {label: opened[label] for label in ("First response", "Solve time")} == {
        "First response": 4,
        "Solve time": 3,
    }
    others = {label: int(figure) for label, figure in figures.items() if figure.isdigit()}
    assert {label: opened[label] for label in others} == others
    # And so does each cell of the tables, by day, team and agent.
    cells = re.findall(r'<td class="r"><a href="([^"]+)">(\d+)</a>', page)
    assert len(cells) > 30 and sum(int(figure) for _url, figure in cells) > 20
    for url, figure in dict(cells).items():
        assert _tickets(boss, url) == int(figure), url


def test_a_team_its_file_and_a_span_that_is_none(boss: Any, as_agent: Any) -> None:
    assert as_agent.get(PAGE).status_code == 403 and PAGE not in as_agent.get("/desk/dashboard").text
    number = re.search(r'<option value="(\d+)">Workshop', boss.get(PAGE).text)[1]
    rows = list(
        csv.reader(io.StringIO(boss.get(f"{PAGE}?from=2026-11-25&to=2026-11-27&team={number}&format=csv").text))
    )
    assert [row[:3] for row in rows[1:]] == [
        ["2026-11-25", "1", "1"],
        ["2026-11-26", "2", "1"],
        ["2026-11-27", "0", "0"],
    ]
    for query in ("from=soon", "from=2026-11-27&to=2026-11-01", "days=never", "from=2020-01-01&to=2026-11-01"):
        page = boss.get(f"{PAGE}?{query}")
        assert page.status_code == 422 and 'id="f-from-error"' in page.text, query
    assert 'value="soon"' in boss.get(f"{PAGE}?from=soon").text


def _tickets(browser: Any, url: str) -> int:
    page = browser.get(html.unescape(url))
    assert page.status_code == 200
    return len(set(re.findall(r'href="/desk/tickets/(\d+)', page.text)))
