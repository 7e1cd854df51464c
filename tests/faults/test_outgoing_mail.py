"""O1: the mail server dies in the middle of a conversation, workers are killed in it; no mail is lost or sent often."""

import random
from collections import Counter

from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import PATIENCE, Desk
from tests.faults.dying_server import STAGES, UNSURE, Accident, DyingServer
from tests.faults.form import FORM, amount
from tests.faults.workers import Workers

SEED = random.randrange(10**9)


def test_o1_no_mail_is_lost_and_none_sent_more_than_twice(sqlite_desk: Desk) -> None:
    desk, mails = sqlite_desk, amount(40, 1000)
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    accidents = [Accident(stage) for stage in STAGES] + [Accident("text", taken=False)]
    kills = [Accident(stage, kills=True) for stage in STAGES]
    # A worker takes seconds to start: the short form kills two, where it matters and where it does not.
    script = amount(1, 12) * accidents + (kills[3:6:2] if FORM == "short" else amount(1, 5) * kills)
    chance.shuffle(script)
    # Not one after another: one mail must not run out of attempts.
    spread = [found for accident in script for found in (accident, None)]
    desk.add_plugin(PLUGINS / "letters.py")
    for first in range(0, mails, 100):
        desk.run("letters", "write", str(first), str(min(100, mails - first)))
    fleet = Workers(desk, 0)

    def kill_the_worker() -> None:
        # What its other thread has sent is noted: that one is not unsure as well.
        wait_for(lambda: server.answered <= identities(desk, "state = 'sent'").keys(), PATIENCE)
        fleet.kill_one(chance)
        fleet.replace()

    with DyingServer(spread, kill_the_worker) as server:
        desk.write(
            'INSERT INTO setting ("group", key, value) VALUES '
            "('email', 'address', '\"help@desk.example\"'), ('email', 'smtp_host', '\"127.0.0.1\"'), "
            f"('email', 'smtp_port', '{server.port}'), ('email', 'smtp_security', '\"none\"')"
        )
        fleet.replace()
        wait_for(
            lambda: desk.value("SELECT count(*) FROM delivery WHERE state <> 'waiting'") == mails,
            PATIENCE * (3 if FORM == "short" else 20),
        )
        # Nobody is in the middle of a conversation any more.
        fleet.stop_one(15)
    wanted = identities(desk)
    states = Counter(row.state for row in desk.rows("SELECT state FROM delivery"))
    copies = Counter(identity for identity, _recipient in server.taken)
    happened = Counter(accident.kills for accident in server.happened.elements())
    lost, extra = len(wanted.keys() - copies.keys()), sum(copies.values()) - len(copies)
    figures.keep(
        "O1",
        "SQLite",
        mails=mails,
        deaths_of_the_server=happened[False],
        killed_workers=happened[True],
        lost=lost,
        extra_copies=extra,
        most_copies_of_one=max(copies.values()),
    )
    assert set(server.happened) == set(script), "everything that could go wrong did"
    assert (lost, states) == (0, {"sent": mails})
    assert max(copies.values()) <= 2
    assert extra <= sum(accident.stage in UNSURE for accident in server.happened.elements())
    assert {(identity, wanted[identity]) for identity in copies} == set(server.taken), "the same Message-ID each time"
    desk.check_integrity()


def identities(desk: Desk, which: str = "1 = 1") -> dict[str, str]:
    """The Message-IDs of deliveries, with whom they go to."""
    return {row.identity: row.address for row in desk.rows(f"SELECT identity, address FROM delivery WHERE {which}")}
