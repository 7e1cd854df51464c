"""What all tests share, the plugins' too: services of the machine, and the rule for those that are missing.

A test that needs a program outside Python skips with a reason that begins with ``needs`` and says what to
install. ``HELPDESK_REQUIRE=all`` (or a list: ``chromium,redis``) turns each such skip into a failure.
Databases and queues are servers of our own in throw-away folders; no service of the machine is used.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

# The desk, its people and clients: what authors of plugins use as well.
pytest_plugins = ["helpdesk.testing"]

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
START_SECONDS = 30.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    return _fail_if_required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    return _fail_if_required((yield))


def _fail_if_required(report: Report) -> Report:
    """Make a failure of a skip for want of a program that ``HELPDESK_REQUIRE`` names."""
    required = [name.strip().lower() for name in os.environ.get("HELPDESK_REQUIRE", "").split(",") if name.strip()]
    if not required or report.outcome != "skipped" or not isinstance(report.longrepr, tuple):
        return report
    reason = report.longrepr[2].removeprefix("Skipped: ")
    wanted, _, missing = reason.partition("needs ")
    if wanted == "" and ("all" in required or any(missing.lower().startswith(name) for name in required)):
        report.outcome = "failed"
        report.longrepr = f"HELPDESK_REQUIRE={os.environ['HELPDESK_REQUIRE']}, but this test {reason}"
    return report


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real messages that lie outside this repository: ``HELPDESK_CORPORA``, or ``../shared/corpora`` beside it."""
    folder = Path(os.environ.get("HELPDESK_CORPORA") or Path(__file__).parent.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip("needs the mail corpora: set HELPDESK_CORPORA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Debian's Chromium is (``executable_path`` for Playwright)."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def dovecot() -> str:
    """Where the Dovecot program is; a test runs it with a configuration and a folder of its own."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("needs Dovecot: apt-get install dovecot-imapd")
    return found


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The folder with the socket of a PostgreSQL server that lasts as long as the test run."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not programs:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    # PostgreSQL refuses to run as root; Debian's package has made an account for it.
    account: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if _is_root() else {}
    with tempfile.TemporaryDirectory(prefix="helpdesk-pg-") as folder:
        if account:
            shutil.chown(folder, account["user"], account["group"])
        data = f"{folder}/data"
        subprocess.run(
            [programs[-1].with_name("initdb"), "-D", data, "-U", "helpdesk", "-E", "UTF8", "--locale=C.UTF-8"]
            + ["--auth=trust", "--no-sync"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **account,
        )
        careless = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        command = [programs[-1], "-D", data, "-k", folder, "-c", "listen_addresses=", *careless]
        with _server(command, lambda: _postgresql_answers(folder), cwd=folder, **account):
            yield folder


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL (for SQLAlchemy) of an empty PostgreSQL database of this test's own."""
    import psycopg

    name = f"test_{time.monotonic_ns()}"
    with psycopg.connect(_postgresql_admin(postgresql_server), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield f"postgresql+psycopg://helpdesk@/{name}?host={postgresql_server}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a Redis server that lasts as long as the test run and keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs Redis: apt-get install redis-server")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="helpdesk-redis-") as folder:
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
        with _server(command, lambda: _redis_answers(port), cwd=folder):
            yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@contextmanager
def _server(command: list[Any], answers: Callable[[], bool], **options: Any) -> Iterator[None]:
    """Run a server for the length of a ``with`` block, from its first answer on."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers():
                assert process.poll() is None, f"{command[0]} ended with status {process.returncode}"
                assert time.monotonic() < deadline, f"{command[0]} does not answer"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _is_root() -> bool:
    return os.geteuid() == 0


def _postgresql_admin(folder: str) -> str:
    return f"host={folder} user=helpdesk dbname=postgres"


def _postgresql_answers(folder: str) -> bool:
    import psycopg

    try:
        psycopg.connect(_postgresql_admin(folder)).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
