"""A supervisor's hours, roster and seven numbers, opened down to tickets; looked at by axe in all appearances."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from helpdesk.core import day_ranges, hours_editing, roster
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.hours_editing import HoursDraft
from helpdesk.core.models import Ticket
from helpdesk.core.transaction import transaction
from tests.browser.settling import look_over

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OFFICE = ("09:00-12:30, 13:30-17:00",) * 5 + ("", "")


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


def test_the_seven_numbers_are_opened_down_to_tickets(
    open_as: Callable[..., Page],
    address: str,
    make_user: Any,
    make_team: Any,
    make_ticket: Any,
    sign_in: Any,
    watch: Any,
    picture: Any,
) -> None:
    hours_editing.make_hours(HoursDraft("Office", OFFICE, "Europe/Berlin", "DE", "BY"), None)
    mia, jo = make_user("agent", name="Mia Adair"), make_user("agent", name="Jo Ashby")
    team = make_team("Workshop", members=[mia, jo])
    make_team("Sales")
    today = day_ranges.today_in("Europe/Berlin")
    monday = today - timedelta(days=today.weekday())
    for user, begins, ends in ((mia, "09:00", "12:00"), (jo, "14:00", "17:00")):
        roster.add_shift(roster.ShiftDraft(user, begins, ends, monday, weekday=1, team=team), None)
    with transaction():
        for place in range(12):
            ticket = make_ticket(f"Wheel {place}")
            at = now() - timedelta(hours=17 * place)
            fields: dict[str, Any] = {
                "created_at": at,
                "team_id": team.id,
                "first_response_at": at,
                "response_minutes": 7,
            }
            if place % 3:
                fields |= {"category": "solved", "solved_at": at, "solve_minutes": 600, "assignee_id": mia.id}
            else:
                fields |= {"due_at": now() - timedelta(hours=1)}
            db.session.execute(update(Ticket).where(Ticket.id == ticket.id).values(**fields))
    page = open_as(sign_in(make_user("supervisor", name="Sue Boss")), address, bypass_csp=True)
    problems = watch(page, address)
    page.goto(f"{address}/desk/dashboard")
    page.get_by_role("link", name="Numbers").first.click()
    expect(page.locator(".number")).to_have_count(7)
    assert look_over(page, "numbers", picture) == []
    for label in ("New", "Open", "Overdue", "First response", "Solve time", "Solved", "Reopened"):
        card = page.locator(".number").filter(has=page.locator(".lab", has_text=re.compile(f"^{label}$")))
        figure = card.locator(".fig").inner_text()
        card.click()
        page.wait_for_url("**/desk/views/all?**")
        if figure.isdigit():
            expect(page.locator("#list [data-ticket]")).to_have_count(int(figure))
        page.go_back()
    page.locator(".number", has_text="Overdue").click()
    page.locator("#list [data-ticket] a").first.click()
    expect(page.locator("#ticket h1, #ticket h2").first).to_contain_text("Wheel")

    page.goto(f"{address}/desk/roster?team={team.id}")
    expect(page.locator(".holes")).to_contain_text("12:00-12:30")
    assert look_over(page, "roster", picture) == []
    page.locator("a.shift", has_text="14:00").click()
    page.get_by_label("From").fill("12:00")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toasts")).to_contain_text("The shift was changed.")
    expect(page.locator("a.shift", has_text="12:00–17:00")).to_be_visible()

    boss = open_as(sign_in(make_user("admin", name="Ada Admin")), address, bypass_csp=True)
    problems = watch(boss, address) and problems
    boss.goto(f"{address}/admin/hours")
    assert look_over(boss, "hours-list", picture) == []
    boss.get_by_role("link", name="Office").click()
    expect(boss.locator(".daytable tbody tr")).to_have_count(14)
    assert look_over(boss, "hours", picture) == []
    assert problems == []
