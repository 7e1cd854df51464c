"""A desk full of plugins that do everything wrong: it goes on, says which and why, and loses nothing of the others."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from helpdesk.plugins import hookspecs
from helpdesk.testing.served import ServedDesk, wait_for
from tests.browser.owner import enter, new_page, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOW = {"viewport": {"width": 1280, "height": 900}}
# Seconds, for a machine that is busy with other tests.
PATIENCE = 180
HEAD = "from helpdesk.api import *\nimport ctypes, os, sys, time\n"

GOOD = """
from helpdesk.api import hookimpl, tag

@hookimpl
def before_ticket_opened(draft):
    draft.tags.append("seen-by-good")

@hookimpl
def ticket_opened(ticket):
    tag(ticket, ["told-to-good"], None)
"""


def hooks(body: str, *kinds: str) -> str:
    """A plugin that does the same in every hook of these kinds."""
    return HEAD + "".join(
        f"@hookimpl\ndef {name}():\n    {body.format(name=name)}\n"
        for name, kind in hookspecs.KINDS.items()
        if kind in kinds
    )


# Each loads and then fails wherever it is asked. Guards are apart: an error of theirs denies.
FAIL = {
    "raises": hooks("raise RuntimeError('no luck in {name}')", "before", "fact", "answer", "slot", "all"),
    "wrong_types": hooks("return 'not what was asked for'", "before", "fact", "answer", "slot", "all"),
    "wrong_items": hooks("return [5, None]", "before", "fact", "answer", "slot", "all"),
    "exits": hooks("raise SystemExit(3)", "before", "fact", "answer", "slot", "all"),
    "spoils": HEAD + "@hookimpl\ndef before_ticket_opened(draft):\n    draft.tags = 7\n    draft.subject = None\n",
    "poisons": hooks("db.session.execute(db.text('SELECT * FROM nowhere'))", "before", "fact", "answer", "slot", "all"),
}

# Nobody may edit teams while it fails, and everything else as before.
GUARD = {"guards": HEAD + "@hookimpl\ndef veto(user, permission):\n    if permission == 'team.edit':\n        1 / 0\n"}

# Each is left out when it is loaded, for a reason that the owner reads.
LEFT_OUT = {
    "dies": ("import sys\nsys.exit(3)\n", "SystemExit"),
    "misspells": (HEAD + "@hookimpl\ndef ticket_open(ticket): pass\n", "perhaps “ticket_opened” is meant"),
    "wants_request": (HEAD + "@hookimpl\ndef nav_items(request): pass\n", "it gives user"),
    "waits": (HEAD + "@hookimpl\nasync def ticket_opened(ticket): pass\n", "is async"),
    "wraps": (HEAD + "@hookimpl(wrapper=True)\ndef ticket_opened(ticket):\n    return (yield)\n", "hook wrapper"),
    "strings": (HEAD + "@hookimpl\ndef register_jobs():\n    return 'jobs'\n", "must return a list"),
    "pages": (HEAD + "@hookimpl\ndef register_blueprints():\n    return ['pages']\n", "must return Blueprint"),
    "takes": (
        HEAD + "@hookimpl\ndef register_jobs():\n    return [Job('email.send', print)]\n",
        "begin it with “takes.”",
    ),
    "raises_early": (HEAD + "@hookimpl\ndef register_settings():\n    1 / 0\n", "ZeroDivisionError"),
    "misses": ("import a_library_that_is_not_there\n", "No module named"),
    "nonsense": ("def (:\n", "SyntaxError"),
}

# Distributions: the requirements that they state, further files, and what the owner reads (None: they work).
BROKEN_STEP = "revision = 'b1'\ndown_revision = None\ndef upgrade():\n    raise RuntimeError('no table today')\n"
INSTALLED: dict[str, tuple[list[str], dict[str, str], str | None]] = {
    "orphan": (["helpdesk-nowhere"], {}, "needs the plugin helpdesk-nowhere, which is not installed"),
    "unequipped": (["a-library-that-is-not-there>=2"], {"__init__.py": "import nowhere_library"}, "It needs a-library"),
    "from_tomorrow": (["helpdesk>=99"], {}, "made for helpdesk>=99"),
    "halfway": ([], {"migrations/versions/1.py": BROKEN_STEP}, "no table today"),
    "mute": ([], {"translations/de/LC_MESSAGES/messages.po": 'msgid "a\nmsgstr broken\n\x00'}, None),
}


def test_the_desk_goes_on(
    serve_desk: Callable[..., ServedDesk], browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, (needs, files, _words) in INSTALLED.items():
        install(tmp_path / "site", name, needs, files)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    desk = serve_desk({"good": GOOD, **GUARD, **FAIL, **{name: source for name, (source, _words) in LEFT_OUT.items()}})
    page = sign_in(browser, desk, **WINDOW)

    # Every page of the desk stands, with a ticket that the good plugin has seen before and after it was opened.
    number = open_ticket(page, desk, "Rear brake rubs")
    expect(page.locator("body")).to_contain_text("seen-by-good")
    expect(page.locator("body")).to_contain_text("Rear brake rubs")
    for address in (
        "/desk",
        "/desk/views/all",
        f"/desk/tickets/{number}/side",
        "/desk/people",
        "/admin/",
        "/admin/plugins",
        "/",
        "/desk/me",
    ):
        answer = page.goto(desk.url + address)
        assert answer is not None and answer.status == 200, address
    answer = page.goto(f"{desk.url}/admin/teams")
    assert answer is not None and answer.status == 403, "a guard that fails denies what it guards"
    wait_for(lambda: "told-to-good" in desk.run("ticket", "show", str(number), "--json"), PATIENCE)

    # The owner reads which plugin was left out and why, and what failed where.
    rows = listed(desk)
    reasons = {name: words for name, (_source, words) in LEFT_OUT.items()}
    reasons |= {name: words for name, (_needs, _files, words) in INSTALLED.items() if words is not None}
    assert {name: row["error"] for name, row in rows.items() if row["state"] == "failed"}.keys() == reasons.keys()
    page.goto(f"{desk.url}/admin/plugins")
    for name, words in reasons.items():
        assert words in rows[name]["error"], name
        wait_for_line(desk, f"Plugin {name} was left out", words)
        expect(page.locator(f"#plugin-{name}")).to_contain_text(words)
    for name in (*FAIL, *GUARD, "good", "mute"):
        assert rows[name]["state"] == "on", rows[name]
    for name in FAIL:
        wait_for_line(desk, f"Plugin {name} failed in before_ticket_opened")
        if name != "spoils":
            wait_for_line(desk, f"Plugin {name} failed in nav_items")


# Stuck in ways that no signal ends: a loop, a template that never ends, a sleep in C inside a transaction.
LOOPS = HEAD + "@hookimpl\ndef before_ticket_opened(draft):\n    while 'turn forever' in draft.subject:\n        pass\n"
DRAGS = """
class Slow:
    def __str__(self):
        time.sleep(600)

@hookimpl
def portal_blocks():
    return [Panel('Box', 'drags/box.html', {'slow': Slow()})]
"""
SLEEPS = HEAD + "@hookimpl\ndef ticket_opened(ticket):\n    ctypes.CDLL(None).sleep(600)\n"


@pytest.mark.faults
def test_what_hangs_on_pages_is_named_paused_and_outlived(
    serve_desk: Callable[..., ServedDesk], browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"__init__.py": HEAD + DRAGS, "templates/drags/box.html": "<p>{{ slow }}</p>"}
    install(tmp_path / "site", "drags", [], files)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    desk = serve_desk({"good": GOOD, "loops": LOOPS})
    page = sign_in(browser, desk, **WINDOW)
    stuck = enter(new_page(browser), desk)
    fill_ticket(stuck, desk, "turn forever")
    stuck.evaluate("document.querySelector('.form-foot').closest('form').requestSubmit()")
    visitor = new_page(browser)
    visitor.evaluate(f"void (location.href = {json.dumps(desk.url + '/')})")

    for words in ("loops has been in before_ticket_opened for", "drags has been in portal_blocks for"):
        wait_for_line(desk, f"Plugin {words}")
    # Meanwhile others work.
    assert page.goto(f"{desk.url}/desk").status == 200  # type: ignore[union-attr]
    wait_for(lambda: paused(desk) == {"loops", "drags"}, PATIENCE)
    assert "before_ticket_opened" in listed(desk)["loops"]["error"]
    page.goto(f"{desk.url}/admin/plugins")
    expect(page.locator("#plugin-loops")).to_contain_text("before_ticket_opened")
    # Their breakers are open: what would have hung goes through at once.
    assert open_ticket(page, desk, "do not turn forever")
    expect(page.locator("body")).to_contain_text("seen-by-good")
    # The stuck process is replaced, and pages are served by the next.
    wait_for_line(desk, "this process is replaced")
    wait_for(lambda: opens(page, f"{desk.url}/desk"), PATIENCE)
    wait_for(lambda: opens(visitor, f"{desk.url}/"), PATIENCE)

    # Switched on again by its owner once it is mended.
    desk.run("plugin", "on", "loops")
    assert paused(desk) == {"drags"}


@pytest.mark.faults
def test_what_hangs_in_the_worker_holds_nobody_up_for_long(
    serve_desk: Callable[..., ServedDesk], browser: Browser
) -> None:
    """Its fact hangs inside a transaction: nobody can write until that worker is replaced, but everybody can read."""
    desk = serve_desk({"good": GOOD, "a_sleeper": SLEEPS})
    page = sign_in(browser, desk, **WINDOW)
    number = open_ticket(page, desk, "Rear brake rubs")
    wait_for_line(desk, "Plugin a_sleeper has been in ticket_opened for 2 s")
    assert page.goto(f"{desk.url}/desk/tickets/{number}").status == 200  # type: ignore[union-attr]
    # It would sleep for ten minutes.
    wait_for(lambda: paused(desk) == {"a_sleeper"}, PATIENCE)
    assert "ticket_opened" in listed(desk)["a_sleeper"]["error"]
    assert open_ticket(page, desk, "Front brake rubs")
    # What the worker was at is taken up again when its lease has run out, and reaches the good plugin as well.
    with contextlib.closing(sqlite3.connect(desk.home / "helpdesk.sqlite3", timeout=PATIENCE)) as database, database:
        database.execute("UPDATE job SET lease_until = '2020-01-01 00:00:00.000000' WHERE state = 'running'")
    wait_for(lambda: "told-to-good" in desk.run("ticket", "show", str(number), "--json"), PATIENCE)


@pytest.mark.faults
def test_what_holds_up_the_start_is_left_out(serve_desk: Callable[..., ServedDesk], browser: Browser) -> None:
    """The command starts itself anew without it: the owner waits, and need not do anything."""
    hangs = HEAD + "@hookimpl\ndef register_jobs():\n    ctypes.CDLL(None).sleep(600)\n"
    desk = serve_desk({"good": GOOD, "hangs": hangs})
    assert "The plugin hangs held up the start" in desk.said()
    page = sign_in(browser, desk, **WINDOW)
    assert open_ticket(page, desk, "Rear brake rubs")
    expect(page.locator("body")).to_contain_text("seen-by-good")
    row = listed(desk)["hangs"]
    assert row["state"] == "failed" and "'helpdesk plugin on hangs' tries it again" in row["error"]


# ---- what the tests share


def install(site: Path, name: str, needs: list[str], files: dict[str, str]) -> None:
    """A distribution, as pip would have left it in ``site``."""
    package, info = site / f"helpdesk_{name}", site / f"helpdesk_{name}-1.0.dist-info"
    for place, text in {"__init__.py": HEAD, **files}.items():
        (package / place).parent.mkdir(parents=True, exist_ok=True)
        (package / place).write_text(text)
    info.mkdir()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: helpdesk-{name}",
        "Version: 1.0",
        *(f"Requires-Dist: {need}" for need in needs),
    ]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "entry_points.txt").write_text(f"[helpdesk.plugins]\n{name} = helpdesk_{name}\n")


def wait_for_line(desk: ServedDesk, *words: str) -> None:
    """Wait until the desk has printed one of these: what its processes say comes to it through a pipe."""
    wait_for(lambda: any(one in desk.said() for one in words), PATIENCE)


def opens(page: Page, url: str) -> bool:
    """Whether a page is answered; what was asked of a process that is being replaced fails."""
    try:
        answer = page.goto(url)
    except Error:
        return False
    return answer is not None and answer.status == 200


def listed(desk: ServedDesk) -> dict[str, Any]:
    return {row["name"]: row for row in map(json.loads, desk.run("plugin", "list", "--json").splitlines())}


def paused(desk: ServedDesk) -> set[str]:
    return {name for name, row in listed(desk).items() if row["state"] == "paused"}


def fill_ticket(page: Page, desk: ServedDesk, subject: str) -> None:
    page.goto(f"{desk.url}/desk/tickets/new")
    page.locator("[name=who]").fill("ada@customer.example")
    page.locator("[name=subject]").fill(subject)
    page.locator("[name=written_by][value=customer]").check()
    page.locator("textarea[name=text]").fill("It rubs on every turn.")


def open_ticket(page: Page, desk: ServedDesk, subject: str) -> int:
    fill_ticket(page, desk, subject)
    page.locator(".form-foot .btn-primary").click()
    page.wait_for_url(re.compile(r"/desk/tickets/\d+$"))
    return int(page.url.rsplit("/", 1)[1])
