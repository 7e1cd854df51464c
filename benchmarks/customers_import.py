"""Files of customers and of orders taken in, on SQLite, as a worker does it: what is counted is on the disk."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from helpdesk_customers import duplicates, import_running, importing
from helpdesk_customers.import_models import Import
from helpdesk_customers.imports.kinds import kind_named
from helpdesk_customers.imports.rows import read_rows
from helpdesk_customers.models import Order, OrderLine
from sqlalchemy import func, select

from benchmarks.figures import Figure
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.core.transaction import transaction

PEOPLE, LINES = 100_000, 200_000
SLOWEST = 5_000
_DUPLICATES = 120.0


def measure() -> list[Figure]:
    """100,000 customers with a name, a number and an organization; 200,000 lines of 100,000 orders of theirs."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            people, orders = Path(folder) / "people.csv", Path(folder) / "orders.csv"
            _write(people, "Email,Name,Phone,Company", _people())
            _write(orders, "Order No,Email,Date,Currency,SKU,Product,Qty,Amount", _orders())
            figures = [_parse(orders)]
            figures += _take("customers-people", people, PEOPLE)
            assert db.session.scalar(select(func.count(User.id))) == PEOPLE
            figures += _take("customers-orders", orders, LINES)
            found = db.session.scalar(select(func.count(Order.id))), db.session.scalar(select(func.count(OrderLine.id)))
            assert found == (LINES // 2, LINES), found
            figures.append(_look())
            db.session.remove()
            db.engine.dispose()
    return figures


def _write(path: Path, header: str, rows: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        file.writelines(rows)


def _people() -> Iterator[str]:
    for number in range(PEOPLE):
        yield f"person.{number}@firm{number % 5_000}.example,Person {number},+49 30 {number:07},Firm {number % 5_000}\n"


def _orders() -> Iterator[str]:
    for line in range(LINES):
        number = line // 2
        person = number * 7 % PEOPLE
        email = f"person.{person}@firm{person % 5_000}.example"
        day = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}"
        yield f"A-{number},{email},{day},EUR,SKU-{line * 13 % 10_000},Product {line % 10_000},1,{line % 900 + 1}.90\n"


def _parse(path: Path) -> Figure:
    begun = time.perf_counter()
    with path.open("rb") as file:
        count = sum(1 for _row in read_rows(file, "utf-8", ","))
    assert count == LINES + 1
    return Figure("rows of a file read, a second", round(count / (time.perf_counter() - begun)), "")


def _take(name: str, path: Path, rows: int) -> list[Figure]:
    kind = kind_named(name)
    assert kind is not None
    figures = []
    for what in ("taken in", "taken in once more, nothing new"):
        with path.open("rb") as stream:
            run = importing.begin(stream, path.name, kind, None)
        importing.start(run, None)
        number, begun = run.id, time.perf_counter()
        import_running.run_here(number)
        seconds = time.perf_counter() - begun
        db.session.expire_all()
        done = db.session.get_one(Import, number)
        assert (done.state, done.rows, done.failed) == ("done", rows, 0), (done.state, done.rows, done.failed)
        figures.append(
            Figure(f"{path.stem}: {rows:,} rows {what}, rows a second", round(rows / seconds), "", least=SLOWEST)
        )
    return figures


class _Here:
    """Steps without a worker."""

    def step(self, **_progress: object) -> AbstractContextManager[None]:
        return transaction()


def _look() -> Figure:
    begun = time.perf_counter()
    duplicates.look(_Here())  # type: ignore[arg-type]
    return Figure(f"duplicates among {PEOPLE:,} customers", round(time.perf_counter() - begun, 1), "s", _DUPLICATES)
