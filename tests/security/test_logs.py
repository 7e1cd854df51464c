"""The log of a desk: nobody writes lines of his own into it, and each line says when."""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from helpdesk.core import logs
from helpdesk.testing.served import wait_for

FORGED = "seen\n2026-01-01T00:00:00.000Z ERROR core: forged\r\x1b[2J\x85\u2028\u202eend"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LINE = re.compile(TIME + r" (WARNING|ERROR) shop: [^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u202e]*")


@pytest.fixture
def written() -> io.StringIO:
    """What was logged."""
    return io.StringIO()


@pytest.fixture
def log(written: io.StringIO) -> Iterator[logging.Logger]:
    """A logger that writes as those of a running desk do."""
    root = logging.getLogger()
    before = set(root.handlers)
    logs.begin()
    (added,) = set(root.handlers) - before
    added.setStream(written)
    yield logging.getLogger("shop")
    root.removeHandler(added)


def test_what_strangers_write_stays_on_one_line(log: logging.Logger, written: io.StringIO) -> None:
    log.warning("A subject: %s", FORGED)
    line = written.getvalue()
    assert line.endswith("\n") and LINE.fullmatch(line[:-1])
    assert r"seen\x0a2026-01-01" in line and r"\x1b[2J" in line and r"\u202eend" in line


def test_what_strangers_write_into_an_error_looks_like_no_line(log: logging.Logger, written: io.StringIO) -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        log.exception("It failed.")
    first, *others = written.getvalue().splitlines()
    assert LINE.fullmatch(first) and first.endswith("It failed.")
    assert others[0].startswith("    Traceback") and "forged" in "".join(others)
    assert all(line.startswith("    ") for line in others)


def test_words_in_any_script_stay_as_they_are(log: logging.Logger, written: io.StringIO) -> None:
    log.error("Größe\t帮助 עברית")
    assert written.getvalue().endswith("Größe\t帮助 עברית\n")


def test_a_command_shows_no_control_characters_either() -> None:
    logs.begin_brief()
    assert logging.lastResort is not None
    line = logging.lastResort.format(logging.makeLogRecord({"msg": "A subject: %s", "args": (FORGED,)}))
    assert line.startswith(r"A subject: seen\x0a2026") and line.isprintable()


def test_who_tries_what_they_may_not_is_in_the_log(as_agent: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert as_agent.get("/admin/people/1").status_code == 403
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert line == (
        f"GET /admin/people/<int:user_id> (user_id 1) was refused: user {as_agent.user.id} lacks admin.use."
    )


def test_a_form_with_a_foreign_token_is_in_the_log(
    app: Flask, as_agent: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    for browser in (client, as_agent):
        assert browser.post("/desk/views", data={"csrf_token": "of another site"}).status_code == 400
    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert lines == [f"POST /desk/views was refused: the form of user {as_agent.user.id} has no token that fits."]


def test_an_error_writes_no_secret_of_an_address_into_the_log(
    app: Flask, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_values: Any) -> None:
        raise RuntimeError("on purpose")

    app.config["SHOW_ERROR_PAGES"] = True
    app.view_functions["portal.ticket"] = broken
    assert client.get("/t/a-secret-of-a-link?also=secret").status_code == 500
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "GET /t/<token> failed." and "secret" not in caplog.text


@pytest.mark.slow
def test_a_desk_that_runs_writes_its_log_so(serve_desk: Any) -> None:
    desk = serve_desk({"broken": "raise ValueError('one\\nforged')\n"})
    for process in ("web", "worker"):
        line = re.compile(rf"^{process} +\| {TIME} WARNING helpdesk\.plugins.*broken.*one.*forged", re.MULTILINE)
        wait_for(lambda line=line: line.search(desk.said()))
    assert not re.search(r"\| forged", desk.said())
