"""Jobs, schedules, workers and backups as an owner sees them: they move by themselves, and stand without a script."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.testing.served import ServedDesk
from tests.browser.owner import PATIENCE, sign_in
from tests.browser.settling import look_with_axe

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Each step of its job waits for a file beside it.
PLUGIN = """import time
from datetime import timedelta
from pathlib import Path
from helpdesk.api import Job, Schedule, hookimpl

HERE = Path(__file__).parent

def run(work):
    for number in (1, 2, 3):
        while not (HERE / f"step{number}").exists():
            time.sleep(0.05)
        with work.step(done=number, total=3):
            pass
    with work.last_step():
        pass

@hookimpl
def register_jobs():
    return [Job("orders.fetch", run)]

@hookimpl
def register_schedules():
    return [Schedule("orders.weekly", "orders.fetch", daily_at="03:00", weekdays=(WEEKDAY,))]
"""
PAGES = ("jobs", "jobs?state=failed", "jobs/1", "schedules", "schedules/orders.weekly", "events", "facts", "mail/out",
         "workers", "backups", "held")  # fmt: skip


def test_an_owner_follows_stops_and_repeats_work(
    serve_desk: Callable[..., ServedDesk], browser: Browser, watch: Callable[[Page, str], list[str]]
) -> None:
    # By itself it is not due before the test is over.
    later = (datetime.now(UTC).weekday() + 3) % 7
    desk = serve_desk({"orders": PLUGIN.replace("WEEKDAY", str(later))})
    page = sign_in(browser, desk, locale="en-GB")
    problems = watch(page, desk.url)
    steps = desk.home / "plugins"

    page.goto(f"{desk.url}/admin/schedules")
    page.get_by_role("button", name="Run now: orders.weekly").click()
    state = page.locator("#job [role=status]")
    (steps / "step1").touch()
    expect(state).to_contain_text("1 of 3", timeout=PATIENCE)
    address = page.url

    # The list looks again by itself, and takes the keyboard's place from nobody.
    page.goto(f"{desk.url}/admin/jobs")
    link = page.get_by_role("link", name="orders.fetch")
    link.focus()
    link.evaluate("link => link.dataset.before = ''")
    expect(page.locator("[data-before]")).to_have_count(0, timeout=PATIENCE)
    expect(link).to_be_focused()
    page.goto(address)

    # Without a script it stands there after each load.
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state()).new_page()
    plain.goto(address)
    expect(plain.locator("progress")).to_have_attribute("value", "1")
    (steps / "step2").touch()
    expect(state).to_contain_text("2 of 3", timeout=PATIENCE)
    plain.get_by_role("button", name="Cancel").click()
    expect(plain.locator("#job")).to_contain_text("Is being cancelled")
    (steps / "step3").touch()
    expect(state).to_contain_text("Cancelled", timeout=PATIENCE)
    page.get_by_role("button", name="Run again").click()
    expect(state).to_contain_text("Done", timeout=PATIENCE)

    page.goto(f"{desk.url}/admin/backups")
    page.get_by_role("button", name="Back up now").click()
    expect(page.locator("#backups")).to_contain_text(".tar", timeout=PATIENCE)
    expect(page.locator("#backups")).not_to_contain_text("Being done", timeout=PATIENCE)
    page.goto(f"{desk.url}/admin/workers")
    expect(page.locator("#workers")).to_contain_text("At work", timeout=PATIENCE)
    expect(page.locator(".alertline")).to_have_count(0)
    assert problems == []
    check_with_axe(page, desk)


def check_with_axe(page: Page, desk: ServedDesk) -> None:
    for path in PAGES:
        page.goto(f"{desk.url}/admin/{path}")
        assert look_with_axe(page)["violations"] == [], path
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
