"""K6: promised calls fall due while workers are killed; each is handed out once, and told once."""

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import PATIENCE, Desk, closing
from tests.faults.form import amount
from tests.faults.workers import Workers, running_of

SEED = random.randrange(10**9)


def test_k6_workers_are_killed_while_calls_fall_due(home: Path, engines: dict[str, str], engine: str) -> None:
    calls, kills = amount(60, 500), amount(3, 20)
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with closing(Desk(home, **engines)) as desk:
        desk.add_plugin(PLUGINS / "promising.py")
        desk.be_patient()
        # One alone: what it leaves behind is not done by another while the next one starts.
        fleet = Workers(desk, 1)
        fleet.wait_until_they_beat()
        desk.run("promising", "book", str(calls), "--over", str(kills * 0.25))
        in_the_middle = 0
        for _kill in range(kills):
            in_the_middle += kill_who_hands_out(desk, fleet, chance)
            fleet.replace()
            fleet.wait_until_they_beat()
        due = "SELECT count(*) FROM callbacks_call WHERE state = 'due'"
        wait_for(lambda: desk.value(due) == calls, PATIENCE * 2)
        notices = "SELECT count(*) FROM notification WHERE kind = 'told'"
        wait_for(lambda: desk.value(notices) >= calls, PATIENCE)
        found = {
            "history": told(desk, "callbacks.due", "call"),
            "facts": told(desk, "callbacks_due", "call_id"),
        }
        wrong = {kind: Counter(counts.values()) for kind, counts in found.items()}
        twice = sum(number > 1 for counts in found.values() for number in counts.values())
        figures.keep("K6", engine, calls=calls, kills=kills, in_the_middle=in_the_middle, doubled=twice)
        assert wrong == {"history": {1: calls}, "facts": {1: calls}}
        assert desk.value(notices) == calls
        assert in_the_middle > 0
        desk.check_integrity()


def kill_who_hands_out(desk: Desk, fleet: Workers, chance: random.Random) -> bool:
    """SIGKILL to the worker that hands calls out, a moment after it was seen at it; to any when all is done."""

    def at_work() -> int | None:
        ours = {row for (row,) in desk.rows("SELECT id FROM job WHERE name = 'callbacks.ring' AND state = 'running'")}
        places = range(len(fleet.running))
        return next((n for n in places if ours & {job for job, _token in running_of(desk, fleet.running[n].pid)}), None)

    left = "SELECT count(*) FROM callbacks_call WHERE state = 'booked'"
    wait_for(lambda: at_work() is not None or desk.value(left) == 0, PATIENCE)
    time.sleep(chance.uniform(0.1, 0.8))  # it goes on meanwhile, and dies somewhere in it
    place, still = at_work(), desk.value(left)
    if place is None:
        fleet.kill_one(chance)
        return False
    victim = fleet.running.pop(place)
    victim.kill()
    victim.wait(PATIENCE)
    return bool(still)


def told(desk: Desk, kind: str, key: str) -> Counter[Any]:
    """How often each call stands in events of a kind."""
    rows = [data for (data,) in desk.rows("SELECT data FROM event WHERE kind = :kind", kind=kind)]
    return Counter((json.loads(data) if isinstance(data, str) else data)[key] for data in rows)
