"""Mail coming in: how many a second in one process, how long each takes, and what a large one needs.

Where ``HELPDESK_BENCH_DJANGO`` names a Python that has django-helpdesk installed, it takes in the same mails by turns
with this desk, from a folder into SQLite. Either is one command in a new process on a desk that is set up and empty:
what starting it takes counts in for both.
"""

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from benchmarks.figures import Figure

_MAILS, _SINGLE, _TURNS = 400, 200, 3
# Twice what the other takes in; an ordinary mail; the largest attachments that providers let through.
_LEAST_RATIO, _SLOWEST_MAIL, _SLOWEST_LARGE, _LARGEST_MEMORY = 2.0, 50.0, 2.0, 300.0
_LARGE = 25 * 1024 * 1024
_WORDS = (
    "bell brake chain derailleur fork frame gear handlebar hub light pedal pump rim saddle spoke tyre valve wheel"
).split()


def measure() -> list[Figure]:
    """Batches, single mails, a large one."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        root = Path(folder)
        return [*_batches(root), *_singles(root), *_large(root)]


def _batches(root: Path) -> list[Figure]:
    other = os.environ.get("HELPDESK_BENCH_DJANGO")
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    for turn in range(_TURNS):
        folder = _written(root / f"mails{turn}", _MAILS, seed=turn)
        home = _home(root / f"batch{turn}")
        with _measured(ours):
            _run(home, sorted(folder.glob("*.eml")))
        if other:
            django = root / f"django{turn}"
            django.mkdir()
            _django(other, "prepare", django, folder)
            with _measured(theirs):
                taken = _django(other, "take", django)
            assert taken == str(_MAILS), taken
    figures = _batch_figures(f"{_MAILS} mails of 20 kB in one process", ours)
    if theirs:
        ratio = statistics.median(mine[0] / other[0] for mine, other in zip(ours, theirs, strict=True))
        figures += _batch_figures("the same by django-helpdesk", theirs)
        figures.append(Figure("times as many", ratio, "", least=_LEAST_RATIO))
    return figures


def _batch_figures(what: str, seen: list[tuple[float, float]]) -> list[Figure]:
    return [
        Figure(what, statistics.median(speed for speed, _used in seen), "mails/s"),
        Figure(f"{what}, processor time of each", statistics.median(used for _speed, used in seen), "ms"),
    ]


@contextmanager
def _measured(seen: list[tuple[float, float]]) -> Iterator[None]:
    """Note how many mails a second a program takes in that is run here, and its processor time for each (ms)."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    yield
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    seen.append((_MAILS / seconds, used / _MAILS * 1000))


def _singles(root: Path) -> list[Figure]:
    from helpdesk.app import create_app
    from helpdesk.core.channels import intake
    from helpdesk.core.config import Config

    mails = [mail(random.Random(number), number) for number in range(10_000, 10_000 + _SINGLE)]
    took = []
    with create_app(Config(home=_home(root / "single"))).app_context():
        for raw in mails:
            begun = time.perf_counter()
            outcome = intake.receive("email", raw)
            took.append((time.perf_counter() - begun) * 1000)
            assert outcome.outcome == "ticket", outcome
    return [
        Figure("one mail of 20 kB, kept and made a ticket, p50", statistics.median(took), "ms"),
        Figure("the same, p95", statistics.quantiles(took, n=20)[-1], "ms", _SLOWEST_MAIL),
    ]


def _large(root: Path) -> list[Figure]:
    path = root / "large.eml"
    path.write_bytes(mail(random.Random(0), 99_999, attachment=_LARGE))
    home = _home(root / "large")
    empty, _memory = _run(home, [])
    seconds, memory = _run(home, [path])
    return [
        Figure("a mail with 25 MB attached, beyond the start of the command", seconds - empty, "s", _SLOWEST_LARGE),
        Figure("the command's memory with it (peak)", memory, "MB", _LARGEST_MEMORY),
    ]


def mail(chance: random.Random, number: int, attachment: int = 9_000) -> bytes:
    """A mail as a customer's program writes it: plain text, HTML and a file, 20 kB in all."""
    paragraphs = [" ".join(chance.choices(_WORDS, k=60)) for _paragraph in range(9)]
    message = EmailMessage()
    message["From"] = f"Customer {number} <customer{number}@post.example>"
    message["To"] = "Support <support@shop.example>"
    message["Subject"] = f"Question {number} about a {chance.choice(_WORDS)}"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="post.example")
    message.set_content("\n\n".join(paragraphs))
    rows = "".join(f'<p style="margin:0 0 1em">{words}</p>' for words in paragraphs)
    message.add_alternative(f"<html><body><div>{rows}</div></body></html>", subtype="html")
    data = chance.randbytes(attachment)
    message.add_attachment(data, maintype="image", subtype="jpeg", filename=f"photo{number}.jpg")
    return message.as_bytes()


def _written(folder: Path, many: int, seed: int) -> Path:
    folder.mkdir()
    chance = random.Random(seed)
    for number in range(many):
        (folder / f"{number:05}.eml").write_bytes(mail(chance, seed * many + number))
    return folder


def _home(home: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "helpdesk.cli", "init", "--home", str(home)],
        env=_clean(),
        check=True,
        capture_output=True,
    )
    return home


def _run(home: Path, mails: list[Path]) -> tuple[float, float]:
    """Seconds, and the largest memory in MB, of ``helpdesk mail receive``."""
    code = (
        "import resource, runpy, sys, atexit;"
        "atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr));"
        "sys.argv[0] = 'helpdesk'; runpy.run_module('helpdesk.cli', run_name='__main__')"
    )
    names = [str(path) for path in mails] or ["--help"]
    command = [sys.executable, "-c", code, "mail", "receive", *names]
    begun = time.perf_counter()
    ended = subprocess.run(
        command, env=_clean() | {"HELPDESK_HOME": str(home)}, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - begun, float(ended.stderr.split()[-1])


def _django(python: str, verb: str, root: Path, *more: Path) -> str:
    """The last word that it prints."""
    program = Path(__file__).with_name("django_helpdesk.py")
    command = [python, str(program), verb, str(root), *map(str, more)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return (ended.stdout.split() or [""])[-1]


def _clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("HELPDESK_")}
