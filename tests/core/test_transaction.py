"""One place commits: the outermost block, all or nothing, one writer at a time."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, Team, User
from helpdesk.core.transaction import WRITE, Busy, after_commit, before_commit, in_transaction, transaction


def names() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Team.name).order_by(Team.id)))


@pytest.mark.db
def test_only_the_outermost_block_commits(app: Any) -> None:
    with transaction():
        with transaction():
            db.session.add(Team(name="inner"))
        assert in_transaction()
        with db.engine.connect() as other:
            assert other.execute(select(func.count(Team.id))).scalar() == 0
    assert not in_transaction()
    assert names() == ["inner"]


@pytest.mark.db
def test_an_error_anywhere_undoes_all(app: Any) -> None:
    told: list[str] = []
    with pytest.raises(ZeroDivisionError):
        with transaction():
            db.session.add(Team(name="outer"))
            after_commit(lambda: told.append("committed"))
            with transaction():
                db.session.add(Team(name="inner"))
                db.session.flush()
                raise ZeroDivisionError
    assert names() == [] and told == [] and not in_transaction()
    with transaction():
        db.session.add(Team(name="next"))
    assert names() == ["next"] and told == []


@pytest.mark.db
def test_the_last_thing_before_the_commit_is_done_once_and_with_the_rest(app: Any) -> None:
    def add() -> None:
        db.session.add(Team(name="last"))

    with pytest.raises(RuntimeError):
        before_commit(add)
    with transaction():
        with transaction():
            before_commit(add)
            before_commit(add)
        db.session.add(Team(name="first"))
    assert names() == ["first", "last"]
    with pytest.raises(ZeroDivisionError):
        with transaction():
            before_commit(add)
            raise ZeroDivisionError
    with transaction():
        pass
    assert names() == ["first", "last"]


def test_calls_wait_for_the_commit_and_run_once(app: Any) -> None:
    told: list[Any] = []
    after_commit(lambda: told.append("at once"))
    with transaction():
        db.session.add(Team(name="x"))
        after_commit(lambda: told.append(in_transaction()))
        assert told == ["at once"]
    assert told == ["at once", False]
    with transaction():
        pass
    assert told == ["at once", False]


@pytest.mark.db
def test_what_was_read_before_is_read_anew(app: Any, make_team: Any) -> None:
    team = make_team("before")
    assert team.name == "before"
    with db.engine.begin() as other:
        other.execute(db.update(Team).values(name="meanwhile"))
    with transaction():
        assert team.name == "meanwhile"


@pytest.mark.db
@pytest.mark.slow
def test_no_update_is_lost(app: Any, make_team: Any, at_once: Any) -> None:
    number = make_team("0").id

    def count(_place: int) -> None:
        for _turn in range(25):
            with transaction():
                team = db.session.get(Team, number, with_for_update=True)
                team.name = str(int(team.name) + 1)

    assert at_once(8, count) == [None] * 8
    assert names() == ["200"]


def test_a_session_that_has_read_can_write_while_others_do(app: Any, make_team: Any, at_once: Any) -> None:
    number = make_team("x").id

    def read_then_write(place: int) -> None:
        # As Flask-Login does in every request: a read first. On SQLite a deferred write fails at once after that.
        assert db.session.get(Team, number) is not None
        with transaction():
            db.session.add(Organization(name=f"Org {place}"))

    assert at_once(8, read_then_write) == [None] * 8
    assert db.session.scalar(select(func.count(Organization.id))) == 8


@pytest.mark.sqlite
def test_a_writer_that_waited_too_long_is_told_to_come_again(app: Any, home: Path) -> None:
    @event.listens_for(db.engine, "connect")
    def _impatient(connection: Any, _record: Any) -> None:
        # Ten seconds, as the desk has it, would show no more.
        connection.execute("PRAGMA busy_timeout = 300")

    db.session.remove()
    db.engine.dispose()
    holder = sqlite3.connect(home / "helpdesk.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Busy, match="busy"):
            with transaction():
                pass
        assert names() == []  # readers are not kept waiting
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    with transaction():
        db.session.add(Team(name="x"))
    assert names() == ["x"]


@pytest.mark.db
def test_a_connection_that_is_thrown_away_lets_others_write_at_once(app: Any) -> None:
    session = db.session()
    session.connection(execution_options={WRITE: True}).execute(insert(Team).values(name="half"))
    # As an exception that comes from outside leaves it: a result is half read, and somebody still holds it.
    held = session.connection().connection.cursor()
    held.execute("SELECT 1 UNION SELECT 2")
    assert held.fetchone() is not None
    session.invalidate()
    db.session.remove()
    with transaction():
        db.session.add(Team(name="next"))
    assert names() == ["next"]
    del held


@pytest.mark.sqlite
def test_sqlite_is_set_up_to_be_safe(make_app: Any) -> None:
    app = make_app()
    with app.app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


@pytest.mark.db
def test_a_key_to_nothing_is_refused(app: Any) -> None:
    with pytest.raises(Exception, match="(?i)foreign key"):
        with transaction():
            db.session.add(User(email="x@y.example", organization_id=999))


def test_a_browser_gets_a_503_while_the_desk_is_busy(
    app: Any, client: Any, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpdesk.core import accounts

    make_user("admin")

    def busy(*_args: Any, **_named: Any) -> None:
        raise Busy("The desk is busy; please send it again in a moment.")

    monkeypatch.setattr(accounts, "sign_in", busy)
    answer = client.post("/auth/sign-in", data={"email": "a@b.example", "password": "x"})
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    assert b"busy" in answer.data
