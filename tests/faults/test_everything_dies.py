"""B1: the whole desk is killed under a mixed load, round after round: every acknowledged write is there, once."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import PATIENCE, Desk, kill_all
from tests.faults.form import amount
from tests.faults.served import ADMIN, Served, add_admin
from tests.faults.visitors import Answer, Unanswered, Visitor


class Load:
    """People who write to the desk until it goes away; what they were told has arrived is remembered."""

    def __init__(self, served: Served, agent: Visitor) -> None:
        self.served, self.agent = served, agent
        self.tickets: list[str] = []
        self.replies: list[str] = []
        self.mails: list[str] = []
        self.refused: list[int] = []
        self._number = 0
        self._lock = threading.Lock()

    def round(self, chance: random.Random) -> None:
        """Write from several sides at once; kill everything in the midst of it; wait until all have noticed."""
        ended = threading.Event()
        writers = [self._open, self._open, self._reply, self._receive]
        threads = [threading.Thread(target=self._write, args=(writer, ended)) for writer in writers]
        for thread in threads:
            thread.start()
        wait_for(lambda: self.tickets and self.replies, PATIENCE)
        time.sleep(chance.uniform(0.3, 2.0))  # the load goes on meanwhile
        assert self.served.process is not None
        kill_all(self.served.process)
        ended.set()
        for thread in threads:
            thread.join()

    def _write(self, writer: Callable[[str], None], ended: threading.Event) -> None:
        while not ended.is_set():
            with self._lock:
                self._number += 1
                name = f"word{self._number}"
            try:
                writer(name)
            except Unanswered:
                return  # it may have arrived or not; nobody was told

    def _open(self, name: str) -> None:
        files = {f"{name}.txt": f"the file of {name}".encode() * 100}
        if self._has_arrived(Visitor(self.served.port).open_ticket(name, files=files)):
            self.tickets.append(name)

    def _reply(self, name: str) -> None:
        if self._has_arrived(self.agent.reply(1 + len(self.replies) // 50, name)):
            self.replies.append(name)

    def _receive(self, name: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"{name}@customer.example", "help@desk.example", name
        mail["Message-ID"] = f"<{name}@customer.example>"
        mail.set_content(f"{name}: it rattles.")
        mail.add_attachment(f"the file of {name}".encode() * 100, maintype="text", subtype="x-note", filename=name)
        if self.served.desk.try_to("mail", "receive", feed=mail.as_bytes()).status == 0:
            self.mails.append(name)

    def _has_arrived(self, answer: Answer) -> bool:
        if answer.status != 303:
            self.refused.append(answer.status)
        return answer.status == 303


def test_b1_everything_is_killed(sqlite_desk: Desk) -> None:
    desk, rounds = sqlite_desk, amount(2, 500)
    chance = random.Random()
    add_admin(desk)
    desk.send_at_once()
    desk.add_plugin(PLUGINS / "calm.py")
    served = Served(desk)
    agent = Visitor(served.port)
    agent.sign_in(ADMIN)
    assert agent.open_ticket("The ticket that is answered", "rita@customer.example").status == 303
    load = Load(served, agent)
    for _round in range(rounds):
        load.round(chance)
        desk.check_integrity()
        served.start()
    # What looks in two minutes after mails that were kept and not acted on does it now.
    desk.write("UPDATE job SET run_at = created_at WHERE name = 'core.intake_left' AND state = 'waiting'")
    desk.run("job", "run-due")
    wait_for(lambda: desk.open_work() == 0, PATIENCE * 3)
    subjects = Counter(row.subject for row in desk.rows("SELECT subject FROM ticket"))
    texts = Counter(row.text for row in desk.rows("SELECT text FROM message"))
    lost = [name for name in load.tickets + load.mails if not subjects[name]]
    lost += [name for name in load.replies if not texts[name]]
    twice = [name for name, times in subjects.items() if times > 1]
    twice += [name for name in load.replies if texts[name] > 1]
    missing, orphans = look_at_files(desk)
    figures.keep(
        "B1",
        "SQLite, `helpdesk serve`",
        rounds=rounds,
        acknowledged_writes=len(load.tickets + load.replies + load.mails),
        lost=len(lost),
        twice=len(twice),
        files_missing=missing,
        orphan_files=orphans,
    )
    assert load.tickets and load.replies
    assert (lost, twice, missing, orphans) == ([], [], 0, 0)
    assert set(load.refused) <= {503}


def look_at_files(desk: Desk) -> tuple[int, int]:
    """How many files are named and not there, and how many nobody names once the desk has tidied up."""
    named = {row[0] for row in desk.rows("SELECT sha256 FROM attachment UNION SELECT sha256 FROM intake")}
    folder = desk.home / "files"
    missing = sum(not (folder / name[:2] / name).is_file() for name in named)
    # Old enough that nobody can still be about to name them.
    long_ago = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    for path in folder.rglob("*"):
        # The desk may tidy up at this moment.
        with suppress(FileNotFoundError):
            if path.is_file():
                os.utime(path, (long_ago, long_ago))
    desk.run("schedule", "run-now", "core.sweep_files")
    wait_for(lambda: desk.open_work() == 0, PATIENCE * 3)
    kept = [path.name for path in folder.rglob("*") if path.is_file() and path.name != ".backup-lock"]
    return missing, sum(name not in named for name in kept)
