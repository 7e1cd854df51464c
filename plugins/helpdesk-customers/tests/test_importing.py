"""Files taken in: what becomes of rows, bad ones too, and that each is taken once, whoever is killed."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import consents, import_running, importing, records
from helpdesk_customers.fields import save_field
from helpdesk_customers.import_models import CANCELLED, DONE, STOPPED, FailedRow, Import, ImportKey
from helpdesk_customers.imports.kinds import BadRow, Batch, ImportColumn, ImportKind, Item, kind_named
from helpdesk_customers.models import Order, OrderLine, Record, Worth
from helpdesk_customers.settings import CustomerSettings
from sqlalchemy import func, select

from helpdesk.api import Invalid, NotAllowed, Organization, User, db, merge_people, transaction

PEOPLE = "Email;Name;Company;Phone;Tags;Birthday\n"
ORDERS = "Order No,Email,Date,Currency,SKU,Product,Qty,Amount,Status\n"


@pytest.fixture
def take(app: Flask, boss: User, run_jobs: Any) -> Callable[..., Import]:
    """Take a file in, as it is found to be; the row as it is in the end."""

    def make(text: str | bytes, kind: str = "customers-people", **how: Any) -> Import:
        data = text.encode() if isinstance(text, str) else text
        found = kind_named(kind)
        assert found is not None
        run = importing.begin(io.BytesIO(data), "file.csv", found, boss)
        if how:
            usual = {"encoding": run.encoding, "delimiter": run.delimiter, "mapping": run.mapping, "overwrite": False}
            importing.describe(run, boss, **{**usual, **how})
        importing.start(run, boss)
        run_jobs()
        db.session.expire_all()
        return run

    return make


def errors(run: Import) -> dict[int, str]:
    return {row.row: row.reason for row in importing.failed_rows(run, 1_000)}


def number_of(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# ---- customers


@pytest.mark.db
def test_customers_are_made_and_filled_in(take: Any, anna: User, firm: Organization) -> None:
    rows = (
        "anna@customer.example;Anna Other;Berg Cycles;+49 176 12345;vip, bike;1990-05-31\n"
        "LI@post.example ; 李娜 ; Berg cycles ;;vip;\n"
        ";Nobody;;;;\n"
        "no address;Nobody;;;;\n"
        "new@post.example;New;Nova GmbH;;;31.12.2999\n"
        "li@post.example;Li Na;;;;\n"
    )
    run = take(PEOPLE + rows)
    assert (run.state, run.rows, run.failed, run.counts) == (DONE, 6, 3, {"changed": 1, "created": 1, "same": 1})
    assert {4, 5, 6} == set(errors(run)) and "empty" in errors(run)[4] and "no e-mail" in errors(run)[5]
    assert (anna.name, anna.phone) == ("Anna Berg", "+49 176 12345"), "what is there stays, what is empty is filled"
    li = db.session.scalar(select(User).where(User.email == "li@post.example"))
    assert li is not None and (li.name, li.organization_id) == ("李娜", firm.id)
    record = records.record_of(anna)
    assert record is not None and record.birthday == 531 and [tag.tag for tag in record.tags] == ["bike", "vip"]
    again = take(PEOPLE + rows)
    assert again.counts == {"same": 3}
    changed = take(PEOPLE + rows, overwrite=True)
    db.session.refresh(anna)
    assert anna.name == "Anna Other" and changed.counts["changed"] >= 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_files_of_any_encoding(take: Any, encoding: str) -> None:
    text = "电子邮件,姓名,公司,备注\n" + "".join(
        f"p{n}@post.example,王伟{n},自行车公司,喜欢自行车\n" for n in range(20)
    )
    run = take(text.encode(encoding))
    assert (run.failed, run.counts) == (0, {"created": 20})
    names = set(db.session.scalars(select(User.name).where(User.email.like("p%@post.example"))))
    assert names == {f"王伟{n}" for n in range(20)}
    assert db.session.scalar(select(Organization.name)) == "自行车公司"


def test_fields_and_consents(take: Any, boss: User) -> None:
    save_field(None, {"subject": "person", "kind": "number", "label": "Shoe size", "key": "shoe"}, boss)
    run = take("email,Shoe size,opt-in\na@post.example,42,yes\nb@post.example,large,no\nc@post.example,43,maybe\n")
    assert errors(run).keys() == {3, 4}
    ann = db.session.scalar(select(User).where(User.email == "a@post.example"))
    assert ann is not None and consents.has_consent(ann.id) is True
    record = records.record_of(ann)
    assert record is not None and [value.number for value in record.values] == [42_000_000]
    take("email,Shoe size,opt-in\na@post.example,42,yes\n")
    assert len(consents.history(ann)) == 1, "the same file says the same once"


def test_a_file_gives_no_consent_that_was_withdrawn_unless_it_is_to_overwrite(take: Any, anna: User) -> None:
    consents.note_consent(anna, "offers", True, None, way="form", words="Yes, please.")
    consents.note_consent(anna, "offers", False, None, way="form")
    old = "email,opt-in\nanna@customer.example,yes\n"
    take(old)
    assert consents.has_consent(anna.id) is False and len(consents.history(anna)) == 2
    take(old, overwrite=True)
    assert consents.has_consent(anna.id) is True
    take(old.replace("yes", "no"))
    assert consents.has_consent(anna.id) is False, "a no always counts"


def test_staff_and_merged_people(take: Any, anna: User, boss: User, agent: User, make_user: Any) -> None:
    old = make_user(name="Anna Old", email="old@customer.example")
    merge_people(anna, old, boss)
    run = take(f"email,phone\nold@customer.example,0176 999\n{agent.email},0176 1\n")
    db.session.expire_all()
    assert (anna.phone, old.phone) == ("0176 999", None), "the survivor is filled in"
    assert "works here" in errors(run)[3] and agent.phone is None


@pytest.mark.sqlite
def test_who_was_erased_is_nobody_that_a_file_could_mean(take: Any, make_user: Any, program: Any) -> None:
    gone = make_user(name="Gone", email="gone@customer.example")
    program("user", "erase", "gone@customer.example", "--yes")
    assert take("email,phone\ngone@customer.example,0176 2\n").counts == {"created": 1}
    assert (gone.email, gone.phone) == (None, None)


@pytest.mark.sqlite
def test_a_person_is_erased_from_rows_that_failed(take: Any, make_user: Any, program: Any) -> None:
    make_user(name="Eve", email="eve@post.example")
    run = take("email,phone\neve@post.example,none\nother@post.example,none\n")
    assert run.failed == 2
    program("user", "erase", "eve@post.example", "--yes")
    assert [row.cells[0] for row in importing.failed_rows(run)] == ["other@post.example"]


# ---- orders


@pytest.mark.db
def test_orders_with_their_lines(take: Any, anna: User, firm: Organization) -> None:
    rows = (
        'A-1,anna@customer.example,2026-03-01,EUR,bell-1,Bell,2,"1.234,50",paid\n'
        "A-1,anna@customer.example,2026-03-01,EUR,lock-9,Lock,1,49.90,paid\n"
        "A-2,new@post.example,2026/3/2,jpy,ｂｅｌｌ－１,,,1200,已退款\n"
    )
    run = take(ORDERS + rows, "customers-orders")
    assert (run.state, run.failed, run.counts) == (DONE, 0, {"created": 3})
    first = db.session.scalar(select(Order).where(Order.number == "A-1"))
    assert first is not None and (first.amount, first.currency, first.user_id) == (128_440, "EUR", anna.id)
    assert (first.organization_id, first.state) == (firm.id, "paid")
    assert [(line.sku, line.quantity, line.amount) for line in first.lines] == [
        ("BELL-1", 2, 123_450),
        ("LOCK-9", 1, 4_990),
    ]
    second = db.session.scalar(select(Order).where(Order.number == "A-2"))
    assert second is not None and (second.amount, second.state, second.lines[0].sku) == (1_200, "returned", "BELL-1")
    worth = db.session.scalar(select(Worth).join(Record).where(Record.user_id == anna.id))
    assert worth is not None and worth.revenue == 128_440
    assert take(ORDERS + rows, "customers-orders").counts == {"same": 3}, "the same file changes nothing"
    assert (number_of(Order), number_of(OrderLine)) == (2, 3)
    changed = take(ORDERS + rows.replace("49.90", "59.90"), "customers-orders")
    assert changed.counts == {"changed": 2, "same": 1} and number_of(OrderLine) == 3


@pytest.mark.db
def test_bad_orders_leave_the_good_ones(take: Any, anna: User) -> None:
    a = "anna@customer.example,2026-03-01"
    rows = [
        f"A-1,{a},EUR,x,,1,-5.00,paid",
        f"A-1,{a},EUR,y,,1,5.00,paid",
        f"A-2,{a},EUR,x,,1,5.00,paid",
        f"A-2,{a},USD,y,,1,5.00,paid",
        f"A-3,{a},EUR,x,,1,5.00,paid",
        f"A-4,{a},XXX9,x,,1,5.00,paid",
        f"A-5,{a},EUR,,,1,5.00,paid",
        f"A-6,{a},EUR,x,,0,5.00,paid",
        f"A-7,{a},EUR,x,,1,5.0012,paid",
        f"A-8,{a},EUR,x,,1,5.00,lost",
        "A-9,,2026-03-01,EUR,x,,1,5.00,paid",
        f"A-10,{a.replace('03-01', '02-30')},EUR,x,,1,5.00,paid",
        f"A-11,{a},EUR,=1+1,,1,5.00,paid",
        f"A-12,{a},EUR,x,,1,5.00,paid",
        f"A-12,{a},EUR,y,,1,5.00,placed",
    ]
    run = take(ORDERS + "\n".join(rows) + "\n", "customers-orders")
    found = errors(run)
    assert set(found) == {2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 15, 16}
    assert "below zero" in found[2] and "Another row" in found[3], "an order is taken whole or not at all"
    assert "EUR, USD" in found[4] and "different things" in found[15]
    assert set(db.session.scalars(select(Order.number))) == {"A-3", "A-11"}
    text = "".join(importing.error_file(run))
    table = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(table) == 14 and table[0][:2] == ["Order No", "Email"] and table[1][7] == "'-5.00"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in table for cell in row)


def test_an_order_may_be_longer_than_a_batch_and_must_stand_together(
    take: Any, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "BATCH", 3)
    line = "{},anna@customer.example,2026-03-01,EUR,s{},,1,1.00,paid\n"
    rows = "".join(line.format("A-1", number) for number in range(10))
    rows += line.format("A-2", 1) + "".join(line.format("A-3", number) for number in range(4)) + line.format("A-1", 99)
    run = take(ORDERS + rows, "customers-orders")
    assert {number: len(order) for number, order in _lines().items()} == {"A-1": 10, "A-2": 1, "A-3": 4}
    assert list(errors(run)) == [17] and "stand apart" in errors(run)[17]
    assert number_of(ImportKey) == 0, "what was noted goes with the file"


def _lines() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, sku in db.session.execute(select(Order.number, OrderLine.sku).join(OrderLine)):
        found.setdefault(number, []).append(sku)
    return found


# ---- a file


def test_a_file_that_is_none_is_refused(app: Flask, boss: User, agent: User, configure: Any) -> None:
    kind = kind_named("customers-people")
    assert kind is not None
    for data, sentence in ((b"", "empty"), (b"\n\n", "no rows"), (b'"' + b"x" * 200_000, "cannot be read")):
        with pytest.raises(Invalid, match=sentence):
            importing.begin(io.BytesIO(data), "x.csv", kind, boss)
    with pytest.raises(NotAllowed):
        importing.begin(io.BytesIO(b"email\n"), "x.csv", kind, agent)
    configure(CustomerSettings, most_bytes=1_048_576)
    with pytest.raises(Invalid, match="too large; 1 MB"):
        importing.begin(_Endless(), "x.csv", kind, boss)
    assert list(importing.folder().iterdir()) == [], "nothing is left of them"
    assert number_of(Import) == 0


class _Endless(io.RawIOBase):
    """A file that has no end; it counts what was asked of it."""

    read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1 << 20, "it is read piece by piece"
        self.read_bytes += size
        assert self.read_bytes < 3 * 1_048_576, "it stops soon behind the limit"
        return b"a,b\n" * (size // 4)


def test_the_columns_are_described_before_it_starts(app: Flask, boss: User) -> None:
    kind = kind_named("customers-people")
    assert kind is not None
    run = importing.begin(
        io.BytesIO("Wer;Wo\nann@post.example;Köln\n".encode("cp1252")), "C:\\x\\leute.csv", kind, boss
    )
    assert (run.name, run.header, run.mapping, run.encoding) == ("leute.csv", ["Wer", "Wo"], {}, "cp1252")
    with pytest.raises(Invalid, match="E-mail"):
        importing.start(run, boss)
    usual = {"encoding": "cp1252", "delimiter": ";", "overwrite": False}
    for mapping, sentence in (
        ({"email": 7}, "of the list"),
        ({"email": 0, "name": 0}, "two things"),
        ({"x": 0}, "list"),
    ):
        with pytest.raises(Invalid, match=sentence):
            importing.describe(run, boss, **usual, mapping=mapping)
    importing.describe(run, boss, **usual, mapping={"email": 0, "note": 1})
    assert [(row.number, row.problem) for row in importing.preview(run)] == [(2, "")]
    importing.describe(run, boss, **{**usual, "encoding": "utf-8"}, mapping={"email": 0})
    assert "UTF-8" in importing.preview(run)[0].problem
    with transaction():  # what was described is still there when it starts in the same transaction
        importing.describe(run, boss, **usual, mapping={"email": 0, "note": 1})
        importing.start(run, boss)
    assert (run.state, run.mapping, run.encoding) == ("waiting", {"email": 0, "note": 1}, "cp1252")
    importing.cancel(run, boss)
    importing.discard(run, boss)
    assert list(importing.folder().iterdir()) == []


def test_it_is_stopped_and_goes_on(app: Flask, boss: User, run_jobs: Any) -> None:
    kind = kind_named("customers-people")
    assert kind is not None
    data = "email\n" + "".join(f"p{number}@post.example\n" for number in range(10))
    run = importing.begin(io.BytesIO(data.encode()), "x.csv", kind, boss)
    importing.start(run, boss)
    with pytest.raises(Invalid, match="runs already"):
        importing.start(run, boss)
    importing.cancel(run, boss)
    run_jobs()
    db.session.expire_all()
    assert (run.state, run.rows) == (CANCELLED, 0)
    importing.start(run, boss)
    run_jobs()
    db.session.expire_all()
    assert (run.state, run.counts, run.offset) == (DONE, {"created": 10}, run.size)
    assert run.place == "" and list(importing.folder().iterdir()) == [], "its bytes are gone"


@pytest.mark.db
def test_an_error_in_between_leaves_whole_batches(
    app: Flask, boss: User, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "BATCH", 4)
    kind = kind_named("customers-people")
    assert kind is not None
    data = "email\n" + "".join(f"p{number}@post.example\n" for number in range(30))
    run = importing.begin(io.BytesIO(data.encode()), "x.csv", kind, boss)
    with transaction():
        importing.ready(run, kind)
    store, calls = import_running._store, []

    def dies(*arguments: Any) -> None:
        calls.append(1)
        store(*arguments)
        if len(calls) % 3 == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(import_running, "_store", dies)
    for _turn in range(20):
        try:
            import_running.run_here(run.id)
        except KeyboardInterrupt:
            db.session.rollback()
            db.session.expire_all()
            assert number_of(User) == 1 + run.rows == 1 + sum(run.counts.values())
        if db.session.get_one(Import, run.id).state == DONE:
            break
    assert run.counts == {"created": 30} and number_of(User) == 31


def test_another_worker_takes_no_row_twice(app: Flask, boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_running, "BATCH", 4)
    kind = kind_named("customers-people")
    assert kind is not None
    run = importing.begin(
        io.BytesIO(("email\n" + "".join(f"p{n}@post.example\n" for n in range(20))).encode()), "x", kind, boss
    )
    with transaction():
        importing.ready(run, kind)
    store, inside = import_running._store, []

    def overtaken(*arguments: Any) -> None:
        store(*arguments)
        inside.append(1)

    locked = import_running._locked

    def faster(import_id: int, offset: int) -> Import:
        row = locked(import_id, offset)
        if len(inside) == 2:
            row.offset += 1  # as if another one had written a batch
            db.session.flush()
            inside.append(1)
            return locked(import_id, offset)
        return row

    monkeypatch.setattr(import_running, "_store", overtaken)
    monkeypatch.setattr(import_running, "_locked", faster)
    import_running.run_here(run.id)
    assert number_of(User) == 1 + 8, "it left the rest to the other one"


def test_a_plugin_that_is_off_stops_its_files(app: Flask, boss: User, run_jobs: Any) -> None:
    kind = ImportKind("gone", "Gone", [ImportColumn("a", "A")], lambda values: values, lambda items, batch: {})
    run = importing.begin(io.BytesIO(b"a\n1\n"), "x.csv", kind, boss)
    with transaction():
        run.state = "waiting"
    assert import_running.run_here(run.id) == {"failed": 0}
    db.session.expire_all()
    assert run.state == STOPPED and "is off" in run.note


def test_a_row_that_a_plugin_cannot_store_fails_alone(app: Flask, boss: User, plug: Any) -> None:
    stored: list[str] = []

    def store(items: list[Item], batch: Batch) -> dict[int, str | BadRow]:
        if any(item.value == "bad" for item in items):
            raise ValueError("no such thing")
        stored.extend(item.value for item in items)
        return {item.row: "created" for item in items}

    kind = ImportKind("probe-things", "Things", [ImportColumn("a", "A", True)], lambda values: values["a"], store)
    plug("probe", customers_import_kinds=lambda: [kind])
    names = [f"n{number}" for number in range(20)]
    names[13] = "bad"
    run = importing.begin(io.BytesIO(("a\n" + "\n".join(names)).encode()), "x.csv", kind, boss)
    with transaction():
        importing.ready(run, kind)
    import_running.run_here(run.id)
    db.session.expire_all()
    assert sorted(stored) == sorted(set(names) - {"bad"}) and len(stored) == 19
    assert errors(run) == {15: "ValueError: no such thing"}


@pytest.mark.db
@pytest.mark.parametrize("address", ["anna@customer.example", "jürgen@müller.example", "王芳@例子.example"])
def test_who_is_erased_stands_in_no_row_that_failed(take: Any, make_user: Any, address: str) -> None:
    run = take(f"email;phone\n{address.title()};nobody\nother@customer.example;nobody\n")
    assert set(errors(run)) == {2, 3}
    with transaction():
        importing.forget(make_user(email=address))
    assert set(errors(run)) == {3}


def test_the_columns_of_a_preview_are_asked_for_once(app: Flask, boss: User, count_queries: Any) -> None:
    found = kind_named("customers-people")
    assert found is not None
    counted = []
    for number in (1, importing.PREVIEWED):
        rows = "".join(f"{place}@customer.example\n" for place in range(number))
        run = importing.begin(io.BytesIO(f"email\n{rows}".encode()), "x.csv", found, boss)
        db.session.refresh(run)
        with count_queries() as statements:
            assert [row.problem for row in importing.preview(run)] == [""] * number
        counted.append(len(statements))
    assert counted[0] == counted[1], counted


def test_old_files_are_forgotten(take: Any, travel: Any) -> None:
    take("email\nx\n")
    stray = importing.folder() / "stray"
    stray.write_bytes(b"x")
    os.utime(stray, (0, 0))
    assert importing.tidy() == 0 and not stray.exists()
    travel(days=31)
    assert importing.tidy() == 1 and number_of(Import) == number_of(FailedRow) == 0


@pytest.mark.sqlite
def test_the_desks_own_import_knows_them_even_through_a_pipe(program: Any, anna: User) -> None:
    rows = "A-1,anna@customer.example,2026-03-01,EUR,x,,1,5.00,paid\nA-2,anna@customer.example,,EUR,x,,1,-5,paid\n"
    file = (ORDERS + rows).encode("utf-16")
    result = json.loads(program("import", "customers-orders", "-", "--json", data=file, status=1))
    assert (result["counts"], result["failed"]) == ({"created": 1}, 1) and "Row 3" in result["bad"][0]["error"]
    assert number_of(Order) == 1


# ---- killed for real


@pytest.fixture
def killed(app: Flask, tmp_path: Path) -> Iterator[Callable[[str, int], None]]:
    """Run a program on the desk and kill it, without a word, once so many rows were taken."""
    began: list[subprocess.Popen[bytes]] = []

    def make(program: str, rows: int) -> None:
        home = str(app.config["HELPDESK"].home)
        process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "HELPDESK_HOME": home})
        began.append(process)
        for _turn in range(6_000):
            db.session.rollback()
            if (db.session.scalar(select(func.sum(Import.rows))) or 0) >= rows:
                break
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()

    yield make
    for process in began:
        if process.poll() is None:
            process.kill()
            process.wait()


PROGRAM = """
from helpdesk.app import create_app
from helpdesk.core.config import load
from helpdesk_customers import import_running
import_running.BATCH = 50
app = create_app(load())
with app.app_context():
    import_running.run_here({number})
"""


@pytest.mark.sqlite
def test_killed_in_the_middle_each_row_is_taken_once(app: Flask, boss: User, killed: Any) -> None:
    kind = kind_named("customers-orders")
    assert kind is not None
    count = 6_000
    rows = "".join(f"A-{n // 2},p{n // 6}@post.example,2026-03-01,EUR,s{n % 7},,1,1.00,paid\n" for n in range(count))
    run = importing.begin(io.BytesIO((ORDERS + rows).encode()), "x.csv", kind, boss)
    with transaction():
        importing.ready(run, kind)
    for wanted in (200, 900):
        killed(PROGRAM.format(number=run.id), wanted)
        db.session.expire_all()
        assert run.state == "running" and number_of(OrderLine) == run.rows == sum(run.counts.values()) < count
    import_running.run_here(run.id)
    db.session.expire_all()
    assert (run.state, run.rows, run.counts, run.failed) == (DONE, count, {"created": count}, 0)
    assert (number_of(Order), number_of(OrderLine)) == (count // 2, count)
