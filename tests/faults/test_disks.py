"""B2: system calls that fail, a disk that is full, a disk that can only be read: nothing is spoilt, and it heals."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import PATIENCE, Desk, Said, closing
from tests.faults.form import amount
from tests.faults.served import ADMIN, Served, add_admin
from tests.faults.visitors import Visitor
from tests.faults.workers import Workers

# What the database and the files of the home are written with, and how many of each are made to fail.
CALLS = {
    "openat": amount(1, 1000),
    "pwrite64": amount(2, 1000),
    "fdatasync": amount(0, 1000),
    "fsync": amount(1, 1000),
    "ftruncate": amount(0, 1000),
    "rename": amount(0, 1000),
}
# sysexits.h: try again later.
TRY_AGAIN = 75


@pytest.fixture(scope="session")
def strace() -> str:
    """A program that lets a system call fail."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("needs strace: apt-get install strace")
    probe = [found, "-f", "-o", "/dev/null", "-e", "trace=openat", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("processes may not be traced here")
    return found


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_b2_the_nth_system_call_fails(sqlite_desk: Desk, strace: str, tmp_path: Path, error: str) -> None:
    """One call after another fails while a mail is taken in; each mail is kept, or given back to be sent again."""
    desk, trace = sqlite_desk, tmp_path / "trace"
    kept: list[int] = []
    given_back: list[int] = []
    for call, most in CALLS.items():
        for nth in range(1, most + 1):
            number = len(kept) + len(given_back) + 1
            said, failed = receive_through(desk, strace, trace, f"{call}:error={error}:when={nth}", number)
            assert "Traceback" not in said.err + said.out, said.err
            assert said.status == 0 or (said.status == TRY_AGAIN and said.err.strip()), said.err
            (given_back if said.status else kept).append(number)
            desk.check_integrity()
            if not failed:
                break
    # Healed by itself: what was given back comes again and is taken.
    again = given_back[:: amount(2, 1)]
    for number in again:
        assert desk.try_to("mail", "receive", feed=mail(number)).status == 0
    desk.run("job", "run-due")
    subjects = Counter(row.subject for row in desk.rows("SELECT subject FROM ticket"))
    lost = [number for number in kept + again if subjects[f"Bell {number}."] != 1]
    figures.keep(
        "B2",
        f"a system call fails with {error}",
        mails=len(kept) + len(given_back),
        given_back=len(given_back),
        lost_or_twice=len(lost),
        integrity="ok",
    )
    assert given_back
    assert lost == []


def receive_through(desk: Desk, strace: str, trace: Path, fault: str, number: int) -> tuple[Said, bool]:
    """Take a mail in while a call on a file of the home fails; also whether there was such a call."""
    paths = [desk.home / "files", *(desk.home / f"helpdesk.sqlite3{end}" for end in ("", "-wal", "-shm"))]
    only = [word for path in paths for word in ("-P", str(path))]
    traced = ["-e", f"trace={fault.partition(':')[0]}", "-e", f"inject={fault}"]
    said = desk.try_to(
        "mail", "receive", feed=mail(number), through=[strace, "-f", "--seccomp-bpf", "-o", str(trace), *only, *traced]
    )
    return said, "(INJECTED)" in trace.read_text(errors="replace")


def mail(number: int) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "rita@customer.example", "help@desk.example", f"Bell {number}."
    message["Message-ID"] = f"<{number}@customer.example>"
    message.set_content("It rattles.")
    return message.as_bytes()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A file system of its own, so many megabytes large; needs the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "helpdesk-faults", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount a file system")
    yield lambda *options: remount(place, *options)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(place: Path, *options: str) -> Path:
    if options:
        subprocess.run(["mount", "-o", ",".join(["remount", *options]), str(place)], check=True)
    return place


def fill(place: Path) -> Path:
    """Write until nothing more fits."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1 << 8, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def test_b2_the_disk_is_full(home: Path, small_disk: Callable[..., Path]) -> None:
    place = small_disk()
    shutil.copytree(home, place / "home")
    rounds, refused, sentences = amount(1, 20), 0, set()
    with closing(Desk(place / "home")) as desk:
        desk.log = home.parent / "full.log"
        add_admin(desk)
        desk.add_plugin(PLUGINS / "calm.py")
        served = Served(desk)
        agent = Visitor(served.port)
        agent.sign_in(ADMIN)
        for number in range(rounds):
            assert Visitor(served.port).open_ticket(f"before {number}").status == 303
            ballast = fill(place)
            try:
                for visit in range(5):
                    files = {"picture": b"x" * 300_000}
                    answer = Visitor(served.port).open_ticket(f"full {number} {visit}", files=files)
                    assert answer.status in (303, 503), answer.text[:500]
                    if answer.status == 503:
                        refused += 1
                        sentences.add(re.sub(r"<[^>]+>|\s+", " ", answer.text).strip()[:60])
                        assert "retry-after" in answer.headers
                assert refused
                # Reading goes on.
                assert agent.get("/desk/views/unassigned").status == 200
            finally:
                ballast.unlink()
            assert Visitor(served.port).open_ticket(f"after {number}").status == 303
            desk.check_integrity()
        # What failed in between is tried again after a while.
        wait_for(lambda: desk.open_work() == 0, PATIENCE * 3)
        subjects = {row.subject for row in desk.rows("SELECT subject FROM ticket")}
        wanted = {f"{when} {number}" for when in ("before", "after") for number in range(rounds)}
        figures.keep("B2", "the disk is full", rounds=rounds, refused_with_503=refused, lost=len(wanted - subjects))
        assert wanted <= subjects
        assert served.process is not None and served.process.poll() is None


def test_b2_the_disk_can_only_be_read(home: Path, small_disk: Callable[..., Path]) -> None:
    place = small_disk()
    shutil.copytree(home, place / "home")
    with closing(Desk(place / "home")) as desk:
        desk.log = home.parent / "read-only.log"
        assert desk.try_to("mail", "receive", feed=mail(1)).status == 0
        small_disk("ro")
        try:
            said = [desk.try_to(*words) for words in (("serve",), ("worker",), ("ticket", "list"), ("doctor",))]
            given_back = desk.try_to("mail", "receive", feed=mail(2))
        finally:
            small_disk("rw")
        for one in [*said, given_back]:
            assert "Traceback" not in one.err + one.out, one.err
        assert all(one.status for one in said[:2]) and given_back.status == TRY_AGAIN
        assert re.search("read-only|cannot be written|readonly", given_back.err + said[0].err)
        desk.check_integrity()
        assert desk.try_to("mail", "receive", feed=mail(2)).status == 0
        Workers(desk, 1).wait_until_they_beat()
        assert desk.value("SELECT count(*) FROM ticket") == 2
        figures.keep("B2", "the disk can only be read", commands=len(said) + 1, lost=0, integrity="ok")
