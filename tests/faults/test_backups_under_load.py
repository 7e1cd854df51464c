"""B4: backups are made while people write; each is restored into an empty home and has all that was acknowledged."""

import hashlib
import json
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

from sqlalchemy import make_url

from helpdesk.cli.rules.databases import throw_away
from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import PATIENCE, Desk, closing
from tests.faults.form import amount
from tests.faults.served import Served, add_admin
from tests.faults.visitors import Visitor
from tests.faults.workers import Workers

TABLES = ("ticket", "message", "attachment", "event", "user", "intake")


class Writers:
    """Customers who open tickets with files, one after another, until the block ends."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.arrived: list[str] = []
        self.statuses: Counter[int] = Counter()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(count)]

    @contextmanager
    def at_work(self) -> Iterator["Writers"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join()

    def _write(self, writer: int) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            name = f"word{writer}x{number}"
            answer = Visitor(self.port).open_ticket(name, files={f"{name}.txt": name.encode() * 500})
            self.statuses[answer.status] += 1
            if answer.status == 303:
                self.arrived.append(name)


def test_b4_backups_under_load(home: Path, engines: dict[str, str], engine: str, tmp_path: Path) -> None:
    rounds, writers, wrong = amount(1, 100), amount(1, 4), []
    with closing(Desk(home, **engines)) as desk:
        add_admin(desk)
        desk.add_plugin(PLUGINS / "calm.py")
        desk.be_patient()
        web = Served(desk, "web")
        Workers(desk, 1).wait_until_they_beat()
        with Writers(web.port, writers).at_work() as load:
            for number in range(rounds):
                seen = len(load.arrived)
                wait_for(lambda seen=seen: len(load.arrived) >= seen + 5, PATIENCE)
                told = list(load.arrived)
                file = tmp_path / f"{number}.tar"
                desk.run("backup", str(file))
                with restored(desk, file, tmp_path / f"restored{number}") as copy:
                    wrong += differences(copy, file, told)
                file.unlink()
        figures.keep(
            "B4",
            engine,
            restores=rounds,
            equal=rounds - len({place for place, _what in wrong}),
            tickets_meanwhile=len(load.arrived),
        )
        assert wrong == []
        assert set(load.statuses) == {303}


@contextmanager
def restored(desk: Desk, file: Path, place: Path) -> Iterator[Desk]:
    """The backup in an empty home, with a database of its own."""
    if desk.is_sqlite:
        desk.run("restore", str(file), "--home", str(place))
        with closing(Desk(place)) as copy:
            yield copy
    else:
        admin = make_url(desk.database_url).set(database="postgres").render_as_string(hide_password=False)
        with throw_away(admin) as url:
            desk.run("restore", str(file), "--home", str(place), "--database", url)
            with closing(Desk(place, url)) as copy:
                yield copy
    rmtree(place)


def differences(copy: Desk, file: Path, told: list[str]) -> list[tuple[str, Any]]:
    """What is not as it should be in a restored desk."""
    copy.check_integrity()
    found: list[Any] = []
    manifest = manifest_of(file)
    for table in TABLES:
        count = copy.value(f'SELECT count(*) FROM "{table}"')
        if count != manifest["rows"][table]["count"]:
            found.append((table, count, manifest["rows"][table]))
    subjects = Counter(row.subject for row in copy.rows("SELECT subject FROM ticket"))
    found += [name for name in told if subjects[name] != 1]
    for row in copy.rows("SELECT sha256 FROM attachment UNION SELECT sha256 FROM intake"):
        kept = copy.home / "files" / row.sha256[:2] / row.sha256
        if not kept.is_file() or hashlib.sha256(kept.read_bytes()).hexdigest() != row.sha256:
            found.append(row.sha256)
    return [(file.name, what) for what in found]


def manifest_of(file: Path) -> Any:
    with tarfile.open(file) as archive:
        member = next(name for name in archive.getnames() if name.endswith("manifest.json"))
        content = archive.extractfile(member)
        assert content is not None
        return json.load(content)
