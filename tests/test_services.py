"""The services that tests borrow are real and empty at each test; missing ones are told as was asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy

ROOT = Path(__file__).parents[1]


@pytest.mark.db
@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_postgresql(postgresql_url: str, turn: int) -> None:
    engine = sqlalchemy.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE mark (word text)")
        connection.exec_driver_sql("INSERT INTO mark VALUES ('谢谢')")
        assert connection.exec_driver_sql("SELECT word, length(word) FROM mark").one() == ("谢谢", 2)
    engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_redis(redis_url: str, turn: int) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mark", turn)


SKIPPING = """
import pytest

def test_service():
    pytest.skip("needs Chromium: apt-get install chromium")

def test_other():
    pytest.skip("only Linux tells")
"""


@pytest.mark.parametrize(
    ("required", "counts"),
    [
        ("", "2 skipped"),
        ("redis", "2 skipped"),
        ("redis, chromium", "1 failed, 1 skipped"),
        ("all", "1 failed, 1 skipped"),
    ],
)
def test_a_missing_service_fails_where_it_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: str, counts: str
) -> None:
    monkeypatch.setenv("HELPDESK_REQUIRE", required)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "conftest",
            "-c",
            "/dev/null",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert counts in done.stdout, done.stdout + done.stderr
