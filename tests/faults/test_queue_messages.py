"""Forged and truncated messages put straight into the queue: kept apart, nothing of them runs, the worker goes on."""

import pickle
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from huey.storage import PriorityRedisStorage, SqliteStorage

from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.desk import PATIENCE, Desk
from tests.faults.form import amount
from tests.faults.workers import Workers


class Evil:
    """What a pickle would run."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> Any:
        return Path.touch, (self.sign,)


def test_forged_messages_are_kept_apart(desk: Desk, engine: str, engines: dict[str, str], tmp_path: Path) -> None:
    copies, sign = amount(1, 200), tmp_path / "it ran"
    desk.run("effects", "ask", "1", "0")
    queue = storage(desk, engines)
    ours = bytes(queue.dequeue())
    forged = [pickle.dumps(Evil(sign)), b"", b"x" * 31, ours[:-1], ours[:40], b"\0" * 32 + ours[32:], b"y" * 100_000]
    for number in range(copies):
        for message in forged:
            queue.enqueue(message + bytes(str(number), "ascii") if number else message)
            # What waits for its time is read by another way.
            queue.add_to_schedule(message or b"?", datetime.utcnow() - timedelta(minutes=1))
    queue.close()
    fleet = Workers(desk, 1)
    fleet.wait_until_they_beat()
    desk.run("effects", "ask", "1", "0", "--first", "2")
    wait_for(
        lambda: desk.value("SELECT count(*) FROM job WHERE state = 'done' AND name = 'effects.write'") == 2, PATIENCE
    )
    wait_for(lambda: desk.value("SELECT count(*) FROM quarantined_message") > 0, PATIENCE)
    # The queue is empty of them: nothing stands in the way of the next message.
    again = storage(desk, engines)
    wait_for(lambda: again.queue_size() == 0 and again.schedule_size() == 0, PATIENCE)
    again.close()
    kept = desk.value("SELECT count(*) FROM quarantined_message")
    figures.keep("Queue", engine, forged=2 * copies * len(forged), kept_apart=kept, run=int(sign.exists()))
    assert not sign.exists()
    assert fleet.dead() == []
    assert all(row.reason for row in desk.rows("SELECT reason FROM quarantined_message"))


def storage(desk: Desk, engines: dict[str, str]) -> Any:
    """The queue itself, without anything of ours around it."""
    if engines:
        return PriorityRedisStorage("helpdesk", url=engines["queue_url"])
    return SqliteStorage("helpdesk", filename=str(desk.home / "queue.sqlite3"))
