"""Servers of a benchmark's own, in throw-away folders, as they come: nothing is made quicker than it is in use."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 30.0


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL of its own, with the settings that it comes with."""
    program = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    # PostgreSQL refuses to run as root; Debian's package has made an account for it.
    account: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if not os.geteuid() else {}
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-pg-") as folder:
        if account:
            shutil.chown(folder, account["user"], account["group"])
        initdb = [program.with_name("initdb"), "-D", f"{folder}/data", "-U", "helpdesk", "-E", "UTF8", "--auth=trust"]
        subprocess.run(initdb, check=True, cwd=folder, stdout=subprocess.DEVNULL, **account)
        command = [program, "-D", f"{folder}/data", "-k", folder, "-c", "listen_addresses="]
        with _server(command, lambda: _answers(socket.AF_UNIX, f"{folder}/.s.PGSQL.5432"), cwd=folder, **account):
            yield f"postgresql+psycopg://helpdesk@/postgres?host={folder}"


@contextmanager
def redis() -> Iterator[str]:
    """The URL of an empty Redis of its own."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-redis-") as folder:
        place = f"{folder}/redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", place, "--dir", folder]
        with _server(command, lambda: _answers(socket.AF_UNIX, place), cwd=folder):
            yield f"unix://{place}"


@contextmanager
def _server(command: list[Any], answers: Callable[[], bool], **options: Any) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not answer.")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _answers(family: int, address: Any) -> bool:
    try:
        with socket.socket(family) as line:
            line.connect(address)
            return True
    except OSError:
        return False
