"""`make bench` (or `python -m benchmarks`): measure, print the table, end with 1 when a budget is not kept.

``--only start`` (or another part) measures a part; ``--write`` puts its table into
benchmarks/README.md, where each part has one of its own.
"""

import argparse
import os
import platform
import sqlite3
import sys
from datetime import date
from pathlib import Path

from benchmarks import (
    callbacks,
    career,
    customers,
    customers_import,
    jobs,
    mail,
    multilingual,
    pages,
    plugins,
    search,
    start,
    surveys,
    training,
    upsell,
)
from benchmarks.figures import Figure, table

PARTS = {
    "start": start.measure,
    "pages": pages.measure,
    "plugins": plugins.measure,
    "jobs": jobs.measure,
    "mail": mail.measure,
    "search": search.measure,
    "callbacks": callbacks.measure,
    "multilingual": multilingual.measure,
    "surveys": surveys.measure,
    "career": career.measure,
    "training": training.measure,
    "customers": customers.measure,
    "upsell": upsell.measure,
    "customers_import": customers_import.measure,
}
README = Path(__file__).with_name("README.md")


def main() -> int:
    """Measure and print; answers the exit status."""
    options = _options()
    over = False
    for name, measure in PARTS.items():
        if options.only not in (None, name):
            continue
        print(f"Measuring: {name} ...", file=sys.stderr, flush=True)
        figures: list[Figure] = measure()
        text = f"{_about()}\n\n{table(figures)}"
        print(f"{text}\n")
        if options.write:
            _write(name, text)
        over = over or any(figure.is_over for figure in figures)
    return 1 if over else 0


def _about() -> str:
    return (
        f"{date.today()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and size.")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    return parser.parse_args()


def _write(part: str, text: str) -> None:
    before, begin, rest = README.read_text("utf-8").partition(f"<!-- {part} -->")
    _old, end, after = rest.partition(f"<!-- end of {part} -->")
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
