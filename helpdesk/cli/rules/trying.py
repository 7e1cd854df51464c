"""Runs a plugin's own tests and hears which hooks the desk called in them."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpdesk.cli.rules.finding import Seen, Tried
from helpdesk.cli.rules.project import Project

# The file to which helpdesk.testing adds a line for each hook that was called.
CALLS = "HELPDESK_TEST_CALLS"
_PATIENCE = 1800.0
# What pytest's exit status means besides "passed" and "some failed".
_NO_TESTS = 5


def seen(project: Project) -> Seen:
    """What the plugin is when it is loaded, looked at in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seen.json"
        done = _run([sys.executable, "-m", "helpdesk.cli.rules.live", str(project.folder), str(out)], folder)
        if not out.exists():
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason is known"]
            return Seen(error=f"It cannot be looked at: {lines[-1]}")
        return Seen(**json.loads(out.read_text("utf-8")))


def tried(project: Project) -> Tried:
    """How its tests went."""
    if importlib.util.find_spec("pytest") is None:
        return Tried(problem="pytest is not installed; add it to this environment, or check with --without-tests.")
    if not project.tests.is_dir():
        return Tried()
    with tempfile.TemporaryDirectory() as folder:
        report, calls = Path(folder) / "report.xml", Path(folder) / "calls.jsonl"
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(project.tests)]
        done = _run([sys.executable, *words], str(project.folder), **{CALLS: str(calls)})
        if done.returncode == _NO_TESTS:
            return Tried()
        if not report.exists():
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason is known"]
            return Tried(problem=f"Its tests cannot be run: {lines[-1]}")
        cases = list(Xml.parse(report).getroot().iter("testcase"))  # nosec B314 # pytest has just written it
        failed = [found for case in cases for found in _failure(case, project)]
        return Tried("", len(cases) - len(failed), failed, _called(calls, project.name))


def _run(words: list[str], folder: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A process that knows nothing of the home of this desk."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith("HELPDESK_") or "TEST" in name}
    return subprocess.run(
        words, cwd=folder, env={**ours, **environ}, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )


def _failure(case: Xml.Element, project: Project) -> Iterator[dict[str, Any]]:
    for kind in ("failure", "error"):
        if (found := case.find(kind)) is not None:
            reason = found.get("message") or "no reason is given"
            if reason == "collection failure":
                # The last line of what pytest says is the error itself.
                reason = ((found.text or "").strip().splitlines() or [reason])[-1].removeprefix("E").strip()
            reason = " ".join(reason.split())[:200]
            yield {"name": case.get("name") or "?", "file": _file(case, project), "line": None, "reason": reason}
            return


def _file(case: Xml.Element, project: Project) -> str | None:
    """The file of a test case: its class name is a dotted path, maybe with classes behind."""
    parts = (case.get("classname") or "").split(".")
    for end in range(len(parts), 0, -1):
        found = sorted(project.tests.rglob(f"{parts[end - 1]}.py"))
        if found:
            return str(found[0])
    return None


def _called(file: Path, name: str) -> dict[str, int]:
    calls: dict[str, int] = {}
    for line in file.read_text("utf-8").splitlines() if file.exists() else ():
        plugin, hook, count = json.loads(line)
        if plugin == name:
            calls[hook] = calls.get(hook, 0) + count
    return calls
