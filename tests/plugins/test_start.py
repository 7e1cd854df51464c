"""A plugin that never finishes loading, or that ends its process, is left out by the next start, and let in again."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpdesk.plugins import start

ENDS = "from helpdesk.api import hookimpl\nimport os\n{}"


@pytest.fixture
def marks(tmp_path: Path) -> start.Marks:
    (tmp_path / "running").mkdir()
    return start.Marks(tmp_path / "running", tmp_path / "slow.json")


def die_doing(folder: Path, hook: str = "loading", stamp: str = "1") -> None:
    """Another process ends in the middle of something."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom helpdesk.plugins.start import Marks\n"
        f"marks = Marks(Path({str(folder / 'running')!r}), Path({str(folder / 'slow.json')!r}))\n"
        f"with marks.doing('probe', {stamp!r}, {hook!r}):\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9


def test_two_deaths_in_a_row_leave_it_out(tmp_path: Path, marks: start.Marks) -> None:
    file = tmp_path / "slow.json"
    die_doing(tmp_path)
    marks.bury()
    assert start.left_out(file) == {}, "one is nobody's fault"
    die_doing(tmp_path)
    marks.bury()
    assert start.left_out(file) == {"probe": ("1", "It ended the process 2 times in loading and was left out")}
    assert list((tmp_path / "running").iterdir()) == []
    assert start.let_in(file, "probe") and not start.let_in(file, "probe")
    assert start.left_out(file) == {}


def test_another_version_begins_anew(tmp_path: Path, marks: start.Marks) -> None:
    for stamp in ("1", "2"):
        die_doing(tmp_path, stamp=stamp)
        marks.bury()
    assert start.left_out(tmp_path / "slow.json") == {}


def test_what_went_well_in_between_clears_the_count(tmp_path: Path, marks: start.Marks) -> None:
    for _death in range(3):
        die_doing(tmp_path, "ticket_opened")
        marks.bury()
        assert start.left_out(tmp_path / "slow.json") == {}
        with marks.doing("probe", "1", "ticket_opened"):
            pass


def test_what_a_living_process_does_is_no_death(tmp_path: Path, marks: start.Marks) -> None:
    with marks.doing("probe", "1", "loading"):
        marks.bury()
        marks.bury()
        assert len(list((tmp_path / "running").iterdir())) == 1
    assert start.left_out(tmp_path / "slow.json") == {} and list((tmp_path / "running").iterdir()) == []


def test_a_process_that_is_ended_on_purpose_blames_nobody(tmp_path: Path, marks: start.Marks) -> None:
    with marks.doing("probe", "1", "ticket_opened"):
        marks.take_away()
        assert list((tmp_path / "running").iterdir()) == []


def test_term_takes_the_marks_away_before_anybody_kills(tmp_path: Path) -> None:
    """Two deploys while a long fact runs: it is nobody's fault."""
    (tmp_path / "running").mkdir()
    code = (
        "import os, signal, sys, time\nfrom pathlib import Path\nfrom helpdesk.plugins import start\n"
        f"marks = start.Marks(Path({str(tmp_path / 'running')!r}), Path({str(tmp_path / 'slow.json')!r}))\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('told', flush=True))\n"
        "start.heed_term(marks)\nstart.heed_term(marks)\n"
        "with marks.doing('probe', '1', 'ticket_opened'):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    with marks.doing('probe', '1', 'ticket_updated'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == -9 and done.stdout == "told\n", done.stderr
    assert list((tmp_path / "running").iterdir()) == []


def test_processes_that_count_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "slow.json"
    code = (
        "import sys\nfrom pathlib import Path\nfrom helpdesk.plugins import start\n"
        f"for n in range(40):\n    start.leave_out(Path({str(file)!r}), sys.argv[1] + str(n), '1')\n"
    )
    running = []
    with contextlib.ExitStack() as ended:
        for name in ("a", "b", "c"):
            running.append(ended.enter_context(subprocess.Popen([sys.executable, "-c", code, name])))
            ended.callback(running[-1].kill)
        assert [process.wait(300) for process in running] == [0, 0, 0]
    assert len(start.left_out(file)) == 120


@pytest.mark.parametrize("text", ["", "null", "[]", '{"probe": "1:"}', '{"probe": {"deaths": 0}', "\x00"])
def test_a_broken_file_leaves_nothing_out(tmp_path: Path, marks: start.Marks, text: str) -> None:
    (tmp_path / "slow.json").write_text(text)
    (tmp_path / "running" / "odd").write_text(text)
    marks.bury()
    assert start.left_out(tmp_path / "slow.json") == {}


# ---- with the command line, as an operator meets it


@pytest.fixture
def command(home: Path) -> Any:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("HELPDESK_")}
    environ["HELPDESK_HOME"] = str(home)

    def run(*words: str) -> Any:
        words = (sys.executable, "-m", "helpdesk.cli", *words)
        return subprocess.run(words, env=environ, cwd=home, capture_output=True, text=True, check=False)

    return run


def row(command: Any, name: str) -> Any:
    done = command("plugin", "list", "--json")
    assert done.returncode == 0, done.stderr
    return {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}[name]


@pytest.mark.slow
def test_one_that_ends_python_at_its_import_is_left_out_and_tried_again_when_asked(command: Any, home: Path) -> None:
    file = home / "plugins" / "ends.py"
    file.write_text(ENDS.format("os._exit(5)\n"))
    assert [command("plugin", "list").returncode for _turn in range(2)] == [5, 5]
    found = row(command, "ends")
    assert found["state"] == "failed" and "ended the process 2 times in loading" in found["error"]
    assert "'helpdesk plugin on ends' tries it again" in found["error"]
    # Mended, its file is another: nothing has to be said.
    file.write_text(ENDS.format(""))
    assert row(command, "ends")["state"] == "on"


@pytest.mark.slow
def test_what_was_left_out_is_a_line_before_what_a_command_prints(command: Any, home: Path) -> None:
    folder = home / "plugins"
    (folder / "stops.py").write_text("raise KeyboardInterrupt\n")
    (folder / "email.py").write_text("")
    (folder / "_aside.py").write_text("raise OSError\n")
    (folder / ".#edited.py").write_text("raise OSError\n")
    done = command("plugin", "list", "--json")
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if "stops" in line] == [
        "Plugin stops was left out: KeyboardInterrupt: "
    ]
    rows = {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert rows["stops"]["state"] == rows["email.py"]["state"] == "failed" and rows["email"]["state"] == "on"
    assert "Two plugins are named “email”" in rows["email.py"]["error"]
    assert not any("aside" in name or "edited" in name for name in rows)
    debug = command("--debug", "plugin", "list")
    assert "Traceback" in debug.stderr


@pytest.mark.slow
def test_one_that_ends_the_worker_is_left_out_and_the_others_hear_their_facts(command: Any, home: Path) -> None:
    good = "from helpdesk.api import hookimpl, tag\n@hookimpl\ndef ticket_opened(ticket): tag(ticket, ['told'], None)\n"
    (home / "plugins" / "a_bomb.py").write_text(ENDS.format("@hookimpl\ndef ticket_opened():\n    os._exit(5)\n"))
    (home / "plugins" / "good.py").write_text(good)
    assert command("db", "upgrade").returncode == 0
    words = ("--from", "ada@customer.example", "--subject", "Rear brake rubs", "--text", "On every turn.")
    opened = command("ticket", "open", *words, "--json")
    assert opened.returncode == 0, opened.stderr
    for _death in range(2):
        assert command("job", "run-due").returncode == 5
        with contextlib.closing(sqlite3.connect(home / "helpdesk.sqlite3")) as database, database:
            # As if the lease of the worker that is gone had run out.
            database.execute("UPDATE job SET lease_until = '2020-01-01 00:00:00.000000' WHERE state = 'running'")
    assert command("job", "run-due").returncode == 0
    with contextlib.closing(sqlite3.connect(home / "helpdesk.sqlite3")) as database, database:
        # As if the pause were over that a job makes after the second worker that ended while it ran.
        database.execute("UPDATE job SET run_at = '2020-01-01 00:00:00.000000' WHERE state = 'waiting'")
    assert command("job", "run-due").returncode == 0
    assert "ended the process 2 times in ticket_opened" in row(command, "a_bomb")["error"]
    assert "told" in command("ticket", "show", str(json.loads(opened.stdout)["number"]), "--json").stdout
