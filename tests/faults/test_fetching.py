"""I3 and I4: fetchers that die wherever they are, folders that are made anew, two at once, and a long backlog."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.desk import PATIENCE, Desk, closing
from tests.faults.fetcher import POINTS
from tests.faults.form import amount

ROOT = Path(__file__).parents[2]


class Fetchers:
    """Processes that fetch for a desk from one mail server, and die where they are told to."""

    def __init__(self, desk: Desk, server: Any) -> None:
        self.desk, self.server = desk, server
        with desk.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.fetcher"],
                env=desk.environ,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", desk.said()

    def do(self, *orders: dict[str, Any]) -> list[Any]:
        """What each order came to; they are done at the same time."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(orders) + "\n")
        found: list[Any] = json.loads(self._process.stdout.readline())
        assert not any("error" in one for one in found if isinstance(one, dict)), found
        return found

    def make(self, user: str, **values: Any) -> int:
        """A mailbox that is fetched from there; answers its id."""
        place = {"host": self.server.host, "port": self.server.port, "security": "none"}
        signed = {"username": user, "password": self.server.password, "address": f"{user}@shop.example"}
        (number,) = self.do({"what": "make", **place, **signed, **values})
        return int(number)

    def fetch(self, box: int, **how: Any) -> Any:
        """Fetch to the end, or to the death."""
        (done,) = self.do({"what": "fetch", "box": box, **how})
        return done

    def close(self) -> None:
        """End the program."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


@pytest.fixture
def fetchers(home: Path, engines: dict[str, str], mail_server: Any) -> Iterator[Fetchers]:
    """On each kind of database."""
    with closing(Desk(home, **engines)) as desk:
        made = Fetchers(desk, mail_server)
        yield made
        made.close()


@pytest.fixture
def sqlite_fetchers(sqlite_desk: Desk, mail_server: Any) -> Iterator[Fetchers]:
    """On SQLite."""
    made = Fetchers(sqlite_desk, mail_server)
    yield made
    made.close()


def mails(user: str, count: int, first: int = 0) -> list[bytes]:
    """Different mails, as a server has them."""
    head = "From: Anna <anna@customer.example>\r\nTo: {0}@shop.example\r\nSubject: Order {1}\r\n\r\n{2}\r\n"
    return [head.format(user, number, f"{number} " * (number % 50)).encode() for number in range(first, first + count)]


def a_user() -> str:
    return f"user-{uuid.uuid4().hex[:12]}"


def check_kept(desk: Desk, user: str, sent: list[bytes]) -> None:
    """Each mail has one row, and its bytes are on disk."""
    rows = desk.rows("SELECT sha256 FROM intake WHERE account = :account", account=f"{user}@shop.example")
    kept = sorted(row.sha256 for row in rows)
    assert kept == sorted(hashlib.sha256(raw).hexdigest() for raw in sent)
    there = {path.name for path in (desk.home / "files").glob("??/*")}
    assert set(kept) <= there


def test_i3_a_fetcher_that_is_killed_anywhere_loses_nothing(fetchers: Fetchers, engine: str) -> None:
    rounds, size = amount(1, 50), amount(20, 200)
    chance = random.Random(5)
    killed: dict[str, int] = dict.fromkeys(POINTS, 0)
    for number in range(rounds):
        # The short form has one on each database.
        afterwards = ("seen", "move", "delete")[(number + (engine != "SQLite")) % 3]
        user = a_user()
        sent = mails(user, size)
        fetchers.server.put(user, sent)
        box = fetchers.make(user, afterwards=afterwards, move_to="Done")
        for point in chance.sample(list(POINTS), len(POINTS)):
            # Few mails a time, so that there is something left for the last of them.
            done = fetchers.fetch(box, at=point, turn=1, most=chance.randint(1, max(1, size // 15)))
            assert done == {"status": -signal.SIGKILL}, (point, done)
            killed[point] += 1
        assert fetchers.fetch(box)["wrong"] == ""
        check_kept(fetchers.desk, user, sent)
        left = fetchers.server.flags(user)
        assert len(left) == (size if afterwards == "seen" else 0) and all("\\Seen" in flags for flags in left)
        if afterwards == "move":
            assert len(fetchers.server.flags(user, "Done")) >= size
    assert set(killed.values()) == {rounds}
    fetchers.desk.check_integrity()
    figures.keep("I3", engine, mails=rounds * size, rounds=rounds, kills=sum(killed.values()), lost=0, twice=0)


def test_i4_a_folder_that_is_made_anew_gives_each_mail_once(sqlite_fetchers: Fetchers) -> None:
    count, user = amount(30, 1000), a_user()
    sent = mails(user, count)
    sqlite_fetchers.server.put(user, sent, "Support")
    box = sqlite_fetchers.make(user, folder="Support")
    assert sqlite_fetchers.fetch(box, at="it is flagged", turn=2, most=10) == {"status": -signal.SIGKILL}
    line = sqlite_fetchers.server.open(user)
    line.rename("Support", "Old")
    line.create("Support")
    line.select("Old")
    line.copy("1:*", "Support")
    line.logout()
    more = mails(user, 5, count)
    sqlite_fetchers.server.put(user, more, "Support")
    before = sqlite_fetchers.desk.value("SELECT uidvalidity FROM email_mailbox")
    assert sqlite_fetchers.fetch(box)["wrong"] == ""
    assert sqlite_fetchers.desk.value("SELECT uidvalidity FROM email_mailbox") != before
    check_kept(sqlite_fetchers.desk, user, sent + more)
    figures.keep("I4", "UIDVALIDITY changes", mails=count + 5, lost=0, twice=0)


def test_i4_two_fetchers_at_once_take_each_mail_once(fetchers: Fetchers, engine: str) -> None:
    count, user = amount(30, 2000), a_user()
    sent = mails(user, count)
    box = fetchers.make(user, afterwards="move", move_to="Done")
    # The folder is known: two that only begin could keep each other from it for long.
    assert fetchers.fetch(box)["wrong"] == ""
    fetchers.server.put(user, sent)
    # Neither keeps its hold until it says so again: each takes the mailbox from the other all the time.
    order = {"what": "fetch", "box": box, "lease": 0.0, "most": 3}
    done = fetchers.do(order, order)
    assert [one["wrong"] for one in done] == ["", ""]
    check_kept(fetchers.desk, user, sent)
    assert fetchers.server.flags(user) == []
    figures.keep("I4", f"two fetchers, {engine}", mails=count, lost=0, twice=0)


def test_i4_a_backlog_goes_on_where_it_stopped(sqlite_fetchers: Fetchers) -> None:
    count, user = amount(150, 50_000), a_user()
    sent = mails(user, count)
    sqlite_fetchers.server.put(user, sent)
    box, desk = sqlite_fetchers.make(user), sqlite_fetchers.desk
    begun = time.monotonic()
    turn = count // 2
    assert sqlite_fetchers.fetch(box, at="its row is committed", turn=turn) == {"status": -signal.SIGKILL}
    last, backlog = desk.rows("SELECT last_uid, backlog FROM email_mailbox")[0]
    # One group is read again at most.
    assert turn - 25 <= last < turn and backlog == count - last
    done = sqlite_fetchers.fetch(box)
    assert done["wrong"] == "" and done["read"] == count - last
    # What people see goes down, step by step.
    seen = [*done["backlogs"], desk.value("SELECT backlog FROM email_mailbox")]
    assert seen == sorted(set(seen), reverse=True) and len(seen) > 2 and seen[-1] == 0
    check_kept(desk, user, sent)
    assert desk.value("SELECT fetched FROM email_mailbox") == count
    seconds = time.monotonic() - begun
    figures.keep("I4", "backlog, killed in the middle", mails=count, lost=0, twice=0, mails_a_second=count / seconds)
