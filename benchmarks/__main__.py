"""`make bench`: speed and size of the desk on this machine, against its budgets.

Each measure runs in homes of its own below a temporary folder; nothing of yours is touched.
"""

import argparse

from benchmarks import pages, start
from benchmarks.figures import Figure, table


def main() -> None:
    """Measure, print a table, and end with 1 when a budget is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tickets", type=int, nargs="*", default=[1_000, 100_000], help="sizes of the desk for pages")
    options = parser.parse_args()
    figures: list[Figure] = start.measure()
    for size in options.tickets:
        figures += pages.measure(size)
    print(table(figures))
    raise SystemExit(any(not figure.kept for figure in figures))


if __name__ == "__main__":
    main()
