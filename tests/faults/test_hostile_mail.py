"""I1: hostile mail. None ends the desk, none is lost: each is a ticket, a message, put aside with a reason."""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpdesk.core import files
from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.models import Intake
from tests.faults import figures
from tests.faults.form import FORM, amount
from tests.faults.hostile_mails import damaged, made, real_mails

OUTCOMES = {"ticket", "message", "ignored", "quarantined"}
# What the intake notes of an exception that nobody foresaw.
CRASH = re.compile(r"\A[A-Z]\w*(?:Error|Exception|Interrupt)\b")
# Seconds. A suspicious mail has 10; beside other tests a busy machine takes its time to begin, and to do all else.
LONGEST = 60 if FORM == "long" else 600


def test_i1_real_mails_and_damaged_ones(app: Any, corpora: Path) -> None:
    """The public collections as they are, then each byte of them in doubt."""
    count = amount(90, 6_000)
    originals = real_mails(corpora)
    if count < len(originals):
        # Small ones: the others are read in a process of their own, which takes a second to begin.
        originals = [raw for raw in originals if len(raw) < 60_000][::7]
    take_in("real and damaged mails", (damaged(originals, number) for number in range(count)))


def test_i1_mails_made_to_break_it(app: Any) -> None:
    """20,000 addresses, nesting of 1,000, bombs of headers and charsets, tricks of direction."""
    take_in("mails made to break it", map(made, range(1, amount(45, 4_000) + 1)))


def take_in(case: str, mails: Iterable[bytes]) -> None:
    """Take each in as a mailbox would, and look what became of it."""
    outcomes: Counter[str] = Counter()
    seconds: list[float] = []
    crashes: list[tuple[int, str]] = []
    lost: list[int] = []
    for number, raw in enumerate(mails):
        begun = time.perf_counter()
        outcome = intake.receive("email", raw)
        seconds.append(time.perf_counter() - begun)
        outcomes[outcome.outcome] += 1
        item = db.session.get(Intake, outcome.intake_id)
        if CRASH.match(outcome.reason):
            crashes.append((number, outcome.reason))
        if item is None or not kept(item, raw) or not settled(outcome):
            lost.append(number)
        db.session.remove()
    figures.keep(
        "I1",
        case,
        mails=len(seconds),
        tickets=outcomes["ticket"],
        messages=outcomes["message"],
        ignored=outcomes["ignored"],
        quarantined=outcomes["quarantined"],
        crashes=len(crashes),
        lost=len(lost),
        ms_p95=sorted(seconds)[int(len(seconds) * 0.95)] * 1000,
        ms_worst=max(seconds) * 1000,
    )
    assert crashes == []
    assert lost == []
    assert max(seconds) < LONGEST


def kept(item: Intake, raw: bytes) -> bool:
    """Whether the bytes on disk are those that came."""
    return item.sha256 == hashlib.sha256(raw).hexdigest() and files.path_of(item.sha256).read_bytes() == raw


def settled(outcome: intake.Outcome) -> bool:
    """Whether it is somewhere where people find it, or was put aside with a reason."""
    if outcome.outcome in ("ticket", "message"):
        return outcome.ticket_id is not None
    return outcome.outcome in OUTCOMES and bool(outcome.reason)
