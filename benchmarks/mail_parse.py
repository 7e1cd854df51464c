"""How many mails a second are read and understood, over the public corpora.

Run: ``python -m benchmarks.mail_parse [--rounds N]``. The mails are looked for in ``HELPDESK_CORPORA``, or in
``../shared/corpora`` beside the checkout.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

from helpdesk_email.parsing import parse

FOLDERS = ("flanker", "mikel-mail", "sisimai-bounces")


def main() -> None:
    """Print mails and megabytes a second, and what the slowest mails took."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="how often each mail is read")
    rounds = options.parse_args().rounds
    mails = _mails()
    if not mails:
        print("mail_parse: no mails; set HELPDESK_CORPORA to the folder that holds them")
        return
    parse(mails[0][1])
    took = [min(_seconds(raw) for _ in range(rounds)) for _name, raw in mails]
    total, size = sum(took), sum(len(raw) for _name, raw in mails)
    slowest = max(range(len(took)), key=took.__getitem__)
    print(f"mail_parse: {len(mails)} mails, {size / 1e6:.1f} MB, best of {rounds} rounds")
    print(f"  {len(mails) / total:.0f} mails/s, {size / 1e6 / total:.1f} MB/s")
    print(
        f"  median {statistics.median(took) * 1000:.1f} ms, p95 {_p95(took) * 1000:.1f} ms, worst "
        f"{took[slowest] * 1000:.0f} ms ({mails[slowest][0]})"
    )


def _mails() -> list[tuple[str, bytes]]:
    folder = Path(os.environ.get("HELPDESK_CORPORA") or Path(__file__).parents[2] / "shared" / "corpora") / "mail"
    files = sorted(file for name in FOLDERS for file in (folder / name).rglob("*.eml"))
    return [(file.name, file.read_bytes()) for file in files]


def _seconds(raw: bytes) -> float:
    begun = time.perf_counter()
    parse(raw)
    return time.perf_counter() - begun


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


if __name__ == "__main__":
    main()
