"""What the tests of faults have measured: kept in a file, shown by `make faults`, written into docs/reliability.md.

Run as a program it prints the table; with ``--write`` it puts it into the page.
"""

import json
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.form import FORM

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "test-results" / "faults.jsonl"
PAGE = ROOT / "docs" / "reliability.md"
# When the tests were begun: a test that keeps its figures may have travelled in time.
BEGUN = datetime.now(UTC).isoformat(timespec="seconds")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def keep(promise: str, case: str, **figures: Any) -> None:
    """Note what a test saw, in one line; the newest of a promise, case and form counts."""
    row = {
        "promise": promise,
        "case": case,
        "form": FORM,
        "at": BEGUN,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "figures": {name.replace("_", " "): _short(value) for name, value in figures.items()},
    }
    line = json.dumps(row, ensure_ascii=False)
    print(f"{promise} {case}: {_told(row['figures'])}")
    KEPT.parent.mkdir(exist_ok=True)
    # One write for the line: several processes of a test run may do it at once.
    with KEPT.open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())


def _short(value: Any) -> Any:
    return round(value, 1) if isinstance(value, float) else value


def _told(figures: dict[str, Any]) -> str:
    return ", ".join(f"{value} {name}" for name, value in figures.items())


def rows() -> list[dict[str, Any]]:
    """The newest of each promise and case, that of the longest form first."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    weight = {"short": 0, "medium": 1, "long": 2}
    for line in KEPT.read_text().splitlines() if KEPT.exists() else []:
        row = json.loads(line)
        key = (row["promise"], row["case"])
        if key not in newest or weight[row["form"]] >= weight[newest[key]["form"]]:
            newest[key] = row
    return [newest[key] for key in sorted(newest)]


def table(found: Iterable[dict[str, Any]]) -> str:
    """As Markdown."""
    head = ["| id | case | seen | form | day |", "|---|---|---|---|---|"]
    body = [
        f"| {row['promise']} | {row['case']} | {_told(row['figures'])} | {row['form']} | {row['at'][:10]} |"
        for row in found
    ]
    return "\n".join([*head, *body])


def write(found: list[dict[str, Any]]) -> None:
    """Put the table into the page, between its marks."""
    before, _mark, rest = PAGE.read_text().partition(BEGIN)
    machine = f"{found[-1]['processors']} processors, Python {found[-1]['python']}."
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{machine}\n\n{table(found)}\n{END}{after}")


if __name__ == "__main__":
    kept = rows()
    print(table(kept))
    if "--write" in sys.argv[1:] and kept:
        write(kept)
