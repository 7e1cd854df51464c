"""K1, K2, K5: workers are killed, stopped and poisoned; nothing is lost, nothing is done twice."""

import random
import signal
import time
from collections import Counter

from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import LEASE_SECONDS, PATIENCE, Desk
from tests.faults.form import FORM, amount
from tests.faults.workers import Orphans, Workers

STEPS = 3
# Of ten jobs, how many are long ones with steps.
LONG_SHARE = 5
# The promises; beside all other tests on a busy machine it is enough that it happens.
DRAINED_WITHIN = 30.0 if FORM == "long" else PATIENCE
TAKEN_UP_WITHIN = LEASE_SECONDS + (5 if FORM == "long" else PATIENCE)
SEED = random.randrange(10**9)


def test_k1_workers_are_killed(desk: Desk, engine: str) -> None:
    jobs, workers, kills = amount(60, 2000), amount(2, 4), amount(3, 200)
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    over = kills * 1.0
    ask(desk, jobs, over)
    fleet, orphans = Workers(desk, workers), Orphans(desk)
    left = 0
    with orphans.watched():
        fleet.wait_until_they_beat()
        for _kill in range(kills):
            time.sleep(chance.uniform(0.5, 1.5))  # the load goes on meanwhile
            left += orphans.left_by(fleet.kill_one(chance))
            fleet.replace()
        wait_until_all_have_ended(desk, jobs)
    lost, doubled = count_effects(desk, jobs)
    longest = max(orphans.waits, default=0.0)
    figures.keep(
        "K1", engine, jobs=jobs, kills=kills, orphans=left, lost=lost, doubled=doubled, seconds_longest_wait=longest
    )
    assert (lost, doubled, orphans.waiting) == (0, 0, 0)
    assert longest <= TAKEN_UP_WITHIN
    desk.check_integrity()


def test_k1_an_orphan_is_taken_up_when_nobody_starts_anew(desk: Desk, engine: str) -> None:
    """The one that stays takes it when the lease has run out, and not at the next minute: there is none."""
    rounds, no_minutes = amount(1, 10), desk.home / "no-minutes"
    desk.add_plugin(PLUGINS / "minutes.py")
    fleet, orphans = Workers(desk, 2), Orphans(desk)
    with orphans.watched():
        for number in range(rounds):
            fleet.wait_until_they_beat()
            first, gate = 1 + 8 * number, desk.home / f"gate{number}"
            desk.run("effects", "ask", "0", "8", "--first", str(first), "--gate", str(gate))
            victim = fleet.one_at_work(first)
            fleet.running.remove(victim)
            no_minutes.touch()
            victim.kill()
            victim.wait(PATIENCE)
            assert orphans.left_by(victim.pid)
            # The one that stays has nothing else to do before the lease is over.
            gate.touch()
            wait_until_all_have_ended(desk, 8 * (number + 1))
            no_minutes.unlink()
            fleet.replace()
    longest = max(orphans.waits)
    figures.keep(
        "K1",
        f"{engine}, no new worker",
        kills=rounds,
        orphans=len(orphans.waits),
        seconds_of_lease=LEASE_SECONDS,
        seconds_longest_wait=longest,
    )
    assert longest <= TAKEN_UP_WITHIN
    assert count_effects(desk, 8 * rounds, short=0) == (0, 0)


def test_k2_workers_are_stopped_and_started(desk: Desk, engine: str) -> None:
    restarts = amount(2, 50)
    jobs = restarts * 12
    ask(desk, jobs, restarts * 0.8)
    fleet = Workers(desk, 2)
    drains = []
    for number in range(restarts):
        fleet.wait_until_they_beat()
        drains.append(fleet.stop_one((signal.SIGTERM, signal.SIGINT)[number % 2]))
        fleet.replace()
    wait_until_all_have_ended(desk, jobs)
    lost, doubled = count_effects(desk, jobs)
    longest = max(drains)
    figures.keep("K2", engine, jobs=jobs, restarts=restarts, lost=lost, doubled=doubled, seconds_longest_drain=longest)
    assert (lost, doubled) == (0, 0)
    assert longest <= DRAINED_WITHIN


def test_k5_a_job_that_kills_its_worker_is_given_up(desk: Desk, engine: str) -> None:
    poisons, jobs = amount(1, 5), amount(20, 500)
    for _number in range(poisons):
        desk.run("effects", "spoil")
    ask(desk, jobs, 0.0)
    fleet = Workers(desk, 2)
    died = 0

    def all_ended() -> bool:
        nonlocal died
        for _process in fleet.dead():
            died += 1
            fleet.replace()
        return ended(desk) == poisons + jobs

    wait_for(all_ended, PATIENCE * 3)
    poisoned = desk.rows("SELECT state, attempts, error FROM job WHERE name = 'effects.poison'")
    lost, doubled = count_effects(desk, jobs)
    figures.keep("K5", engine, poisonous=poisons, workers_died=died, other_jobs=jobs, lost=lost, doubled=doubled)
    assert {(state, attempts) for state, attempts, _error in poisoned} == {("failed", 3)}
    assert all(error for _state, _attempts, error in poisoned)
    assert died <= 3 * poisons
    assert (lost, doubled) == (0, 0)


def ask(desk: Desk, jobs: int, over: float) -> None:
    """Ask for jobs of both kinds, which fall due one after another."""
    short = shorts(jobs)
    desk.run("effects", "ask", str(short), str(jobs - short), "--over", str(over), "--seconds", "0.05")


def shorts(jobs: int) -> int:
    return jobs - jobs * LONG_SHARE // 10


def ended(desk: Desk) -> int:
    return int(desk.value("SELECT count(*) FROM job WHERE name LIKE 'effects.%' AND state IN ('done', 'failed')"))


def wait_until_all_have_ended(desk: Desk, jobs: int) -> None:
    wait_for(lambda: ended(desk) == jobs, PATIENCE * (2 if FORM == "short" else 10))


def count_effects(desk: Desk, jobs: int, short: int | None = None) -> tuple[int, int]:
    """How many effects there should be and are not, and how many there are more than once."""
    short = shorts(jobs) if short is None else short
    wanted = {(number, 0) for number in range(1, short + 1)}
    wanted |= {(number, step) for number in range(short + 1, jobs + 1) for step in range(STEPS + 1)}
    seen = Counter((number, step) for number, step in desk.rows("SELECT number, step FROM effects_row"))
    not_done = desk.rows("SELECT id FROM job WHERE name IN ('effects.write', 'effects.walk') AND state <> 'done'")
    return len(wanted - set(seen)) + len(not_done), sum(times - 1 for times in seen.values())
