"""The pages of imports: from the choice of a file to the rows that could not be taken; the command line as well."""

import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from helpdesk_customers import cli, import_running, importing
from helpdesk_customers.import_models import Import
from helpdesk_customers.imports.kinds import ImportColumn, ImportKind
from sqlalchemy import func, select

from helpdesk.api import User, db

FILE = "Wer;E-mail;Phone\nLi Na;li@post.example;0176 1\nNobody;none;\n=Eve;eve@post.example;x\n".encode("cp1252")


def send(client: Any, data: bytes = FILE, kind: str = "customers-people", name: str = "people.csv") -> Any:
    form = {"kind": kind, "file": (io.BytesIO(data), name)}
    return client.post("/p/customers/imports", data=form, content_type="multipart/form-data")


def newest() -> Import:
    db.session.expire_all()
    found = db.session.scalar(select(Import).order_by(Import.id.desc()).limit(1))
    assert found is not None
    return found


def test_from_the_file_to_the_rows_that_failed(as_supervisor: Any, run_jobs: Any) -> None:
    assert "Choose a file" in as_supervisor.get("/p/customers/imports").text
    answer = send(as_supervisor)
    assert answer.status_code == 303
    url = answer.location
    page = as_supervisor.get(url).text
    assert "Li Na" in page and "none" in page and "no e-mail address" in page and "Semicolon" in page
    form = {"encoding": "utf-8", "delimiter": "semicolon", "column-email": "1", "column-name": "0", "column-phone": "2"}
    twice = as_supervisor.post(url, data={**form, "column-phone": "1", "do": "start"})
    assert twice.status_code == 422 and "two things" in twice.text and newest().state == "draft"
    assert as_supervisor.post(url, data={**form, "do": "look"}).status_code == 303
    assert as_supervisor.post(url, data={**form, "do": "start"}).status_code == 303
    assert "Stop" in as_supervisor.get(url).text
    run_jobs()
    page = as_supervisor.get(url).text
    assert "3 rows read" in page and "Rows that could not be taken" in page and newest().failed == 2
    li = db.session.scalar(select(User).where(User.email == "li@post.example"))
    assert li is not None and (li.name, li.phone) == ("Li Na", "0176 1")
    answer = as_supervisor.post(f"{url}/errors.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "'=Eve;eve@post.example;x;4;" in answer.text
    assert "people.csv" in as_supervisor.get("/p/customers/imports").text
    assert as_supervisor.post(f"{url}/discard").status_code == 303
    assert as_supervisor.get(url).status_code == 404


def test_nothing_that_was_said_is_lost(as_supervisor: Any) -> None:
    for data, kind, sentence in (
        (b"", "customers-people", "empty"),
        (b"email\n", "nothing", "what the file brings"),
    ):
        answer = send(as_supervisor, data, kind)
        assert answer.status_code == 422 and sentence in answer.text
    answer = as_supervisor.post("/p/customers/imports", data={"kind": "customers-orders"})
    assert answer.status_code == 422 and 'value="customers-orders" checked' in answer.text
    url = send(as_supervisor).location
    typed = {"encoding": "utf-8", "delimiter": "semicolon", "column-name": "0", "do": "start", "overwrite": "1"}
    answer = as_supervisor.post(url, data=typed)
    assert answer.status_code == 422 and "Say which column is “E-mail”" in answer.text
    assert 'name="overwrite" value="1" checked' in answer.text


def test_it_is_stopped_and_goes_on_from_the_page(as_supervisor: Any, run_jobs: Any) -> None:
    url = send(as_supervisor, b"email\na@post.example\n").location
    form = {"encoding": "utf-8", "delimiter": "comma", "column-email": "0", "do": "start"}
    as_supervisor.post(url, data=form)
    as_supervisor.post(f"{url}/cancel")
    run_jobs()
    assert newest().state == "cancelled" and "Go on" in as_supervisor.get(url).text
    assert as_supervisor.post(f"{url}/resume").status_code == 303
    assert as_supervisor.post(f"{url}/discard").status_code == 422, "not while it runs"
    run_jobs()
    assert newest().state == "done"
    assert as_supervisor.post(f"{url}/resume").status_code == 422


def test_agents_take_no_file_in(as_agent: Any, as_requester: Any) -> None:
    for client in (as_agent, as_requester):
        assert client.get("/p/customers/imports").status_code == 403
        assert send(client).status_code == 403
    assert db.session.scalar(select(func.count(Import.id))) == 0


def test_files_of_a_kind_that_somebody_may_not_take_in_are_not_theirs_to_read(
    as_supervisor: Any, as_admin: Any, plug: Any
) -> None:
    columns = [ImportColumn("a", "A", True), ImportColumn("margin", "Margin")]
    kind = ImportKind("probe-things", "Things", columns, dict, lambda items, batch: {}, permission="user.edit")
    plug("probe", customers_import_kinds=lambda: [kind])
    url = send(as_admin, b"a,margin\nBike,secret 40\n", "probe-things").location
    assert "secret 40" in as_admin.get(url).text
    for page in (as_supervisor.get(url), as_supervisor.post(f"{url}/errors.csv"), as_supervisor.post(f"{url}/discard")):
        assert page.status_code == 403 and "secret" not in page.text
    assert as_supervisor.get("/p/customers/imports").status_code == 200


@pytest.mark.parametrize("number", range(3))
def test_pages_ask_the_database_little(as_supervisor: Any, count_queries: Any, run_jobs: Any, number: int) -> None:
    for _turn in range(number * 3):
        send(as_supervisor)
    as_supervisor.get("/p/customers/imports")
    with count_queries() as counted:
        as_supervisor.get("/p/customers/imports")
    assert len(counted) <= 8


# ---- the command line


@pytest.fixture
def command(app: Flask) -> Any:
    """What one of the commands of the plugin prints (register_commands)."""
    commands = {one.command.name: one.command for one in cli.register_commands()}

    def run(name: str, *words: str) -> str:
        db.session.rollback()
        return CliRunner().invoke(commands[name], list(words)).output

    return run


def test_the_command_line(command: Any, tmp_path: Path) -> None:
    file, errors = tmp_path / "people.csv", tmp_path / "errors.csv"
    file.write_bytes(FILE)
    assert "customers-orders: Orders" in command("import")
    assert "There is no kind x" in command("import", "x", str(file))
    shown = command("import", "customers-people", str(file), "--preview")
    assert "email = E-mail" in shown and "3: “none” is no e-mail address." in shown and newest_or_none() is None
    assert "no column Was" in command("import", "customers-people", str(file), "--map", "name=Was")
    done = command("import", "customers-people", str(file), "--map", "name=Wer", "--errors", str(errors))
    assert "done: created 1, failed 2." in done and "is no phone number" in errors.read_text("utf-8-sig")
    assert "people.csv (customers-people), done: created 1, failed 2" in command("imports")
    assert "This file is done." in command("import", "--resume", str(newest().id))


def newest_or_none() -> Import | None:
    return db.session.scalar(select(Import).where(Import.state == "done"))


def test_a_stopped_file_goes_on_from_the_command_line(
    command: Any, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpdesk_customers.imports.kinds import kind_named

    kind = kind_named("customers-people")
    assert kind is not None
    run = importing.begin(io.BytesIO(b"email\na@post.example\nb@post.example\n"), "x.csv", kind, boss)
    importing.start(run, boss)
    importing.cancel(run, boss)
    number = run.id
    monkeypatch.setattr(import_running, "BATCH", 1)
    db.session.remove()
    assert "done: created 2, failed 0." in command("import", "--resume", str(number))
