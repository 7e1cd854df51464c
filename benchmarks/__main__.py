"""`make bench` (or `python -m benchmarks`): measure, print the table, end with 1 when a budget is not kept.

``--only start`` or ``--only pages`` measures a part; ``--write`` puts the table into benchmarks/README.md.
"""

import argparse
import os
import platform
import sqlite3
import sys
from datetime import date
from pathlib import Path

from benchmarks import pages, start
from benchmarks.figures import Figure, table

PARTS = {"start": start.measure, "pages": pages.measure}
README = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


def main() -> int:
    """Measure and print; answers the exit status."""
    options = _options()
    figures: list[Figure] = []
    for name, measure in PARTS.items():
        if options.only in (None, name):
            print(f"Measuring: {name} ...", file=sys.stderr, flush=True)
            figures += measure()
    about = (
        f"{date.today()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{about}\n\n{table(figures)}")
    if options.write:
        _write(f"{about}.\n\n{table(figures)}")
    return 1 if any(figure.is_over for figure in figures) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and size.")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    return parser.parse_args()


def _write(text: str) -> None:
    before, _begin, rest = README.read_text("utf-8").partition(_BEGIN)
    _old, _end, after = rest.partition(_END)
    README.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
