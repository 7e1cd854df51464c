"""A1: whatever strangers send, and however slowly, who has signed in goes on working."""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from tests.faults import attacks, figures
from tests.faults.attacks import Seen
from tests.faults.desk import Desk
from tests.faults.form import FORM, amount
from tests.faults.served import ADMIN, Served, add_admin
from tests.faults.visitors import TIMEOUT, Visitor

# No promise of speed: what a machine with one slow processor does at its worst, far below what an attack would cost.
# Beside all other tests it is enough that there is an answer: an attack that keeps others out does so until its end.
_WORST = 30.0 if FORM == "long" else TIMEOUT * 2


def test_abuse_leaves_agents_their_pages(sqlite_desk: Desk) -> None:
    """Slow heads, bodies and readers, floods, large files: an agent opens a ticket all the while, and nothing fails."""
    add_admin(sqlite_desk)
    served = Served(sqlite_desk)
    agent = Visitor(served.port, "192.0.2.1")
    agent.sign_in(ADMIN)
    opened = Visitor(served.port, "192.0.2.2").open_ticket("A kettle", "rita@customer.example")
    assert opened.status == 303
    (ticket,) = (row[0] for row in sqlite_desk.rows("SELECT id FROM ticket"))
    path = f"/desk/tickets/{ticket}"
    _look(agent, path, "nothing else", 2)
    _measure(agent, path, "nothing else")
    for name, attack in _attacks(served.port, agent, f"{path}/news").items():
        with attack as seen:
            times = _measure(agent, path, name, seen)
        assert max(times) < _WORST, name
    assert sqlite_desk.value("SELECT count(*) FROM ticket WHERE subject = 'Buy this'") <= 20


def _attacks(port: int, agent: Visitor, news: str) -> dict[str, AbstractContextManager[Seen]]:
    slow: list[Callable[[int, int], AbstractContextManager[Seen]]] = [
        attacks.slow_heads,
        attacks.slow_bodies,
        attacks.slow_readers,
    ]
    fast = [attacks.form_flood, attacks.wrong_sign_ins, attacks.many_sessions]
    found = {f"{one.__name__} on {amount(60, 450)} lines": one(port, amount(60, 450)) for one in slow}
    found |= {f"{one.__name__} by {amount(8, 40)} at once": one(port, amount(8, 40)) for one in fast}
    found[f"large_files by {amount(2, 8)} at once"] = attacks.large_files(port, amount(2, 8))
    together = partial(attacks.live_updates, port, amount(4, 20), agent, news)
    return found | {f"live_updates of {amount(4, 20)} pages": together()}


def _measure(agent: Visitor, path: str, name: str, seen: Seen | None = None) -> list[float]:
    times = _look(agent, path, name, amount(6, 100))
    ordered = sorted(times)
    told = {str(status): number for status, number in sorted(seen.statuses.items())} if seen else {}
    figures.keep(
        "A1",
        name.replace("_", " "),
        ms_in_the_middle=statistics.median(times) * 1000,
        ms_p95=ordered[max(0, int(len(ordered) * 0.95) - 1)] * 1000,
        pages=len(times),
        errors=0,
        answers_to_the_attacker=told or "none",
    )
    return times


def _look(agent: Visitor, path: str, name: str, often: int) -> list[float]:
    times = []
    for _turn in range(often):
        begun = time.monotonic()
        answer = agent.get(path)
        times.append(time.monotonic() - begun)
        assert answer.status == 200 and "A kettle" in answer.text, (name, answer.status)
    return times
