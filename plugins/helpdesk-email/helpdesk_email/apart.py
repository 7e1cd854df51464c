"""Suspicious mail is read in a process of its own, which has 8 seconds and no more memory than it may have.

Whether a mail is suspicious is told in milliseconds: from its bytes, and from the size of what is found on the way.
The answer comes back as JSON, with the files beside it in a folder that is removed.

Loading the program takes a second. So a process that has it loaded stays for a while, and forks for each such mail.
"""

import atexit
import json
import os
import re
import resource
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from helpdesk.api import Return
from helpdesk.api import gettext as _
from helpdesk_email import limits
from helpdesk_email.addresses import Address
from helpdesk_email.attachments import MailFile
from helpdesk_email.marks import Marks, put_into_words
from helpdesk_email.parsing import ParsedMail, parse

# With all around it, none holds up the others for more than ten.
SECONDS = 8
# To load the program, on a machine that is busy; reading has not begun then.
STARTING = 30
# Nothing came for so long: the memory is worth more than the second that loading takes.
IDLE = 120
MEMORY = 1024 * 1024 * 1024
# What an ordinary mail stays far below.
_HEAD = 64 * 1024
_HEAD_LINES = 1_000
# So much of a refused mail is still read here: who sent it, and what about.
_TOLD = 8 * 1024
_BOUNDARIES = 100
_CONTAINERS = 40
# 35 MB of base64 have 450,000.
_LINES = 600_000
_MAIL, _ANSWER, _READY = "mail", "answer.json", b"ready"
_END_OF_HEAD = re.compile(rb"\n\r*\n")
_CONTAINER = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)


def read(raw: bytes) -> ParsedMail:
    """Read any mail, here or apart; one that takes too much is refused with a sentence.

    Raises nothing for any bytes, and OSError where the machine cannot do it.
    """
    if not suspicious(raw):
        try:
            return parse(raw, careful=True)
        except limits.Suspicious:
            pass
    return read_apart(raw)


def suspicious(raw: bytes) -> bool:
    """Whether its form alone may ask for much: its head, its lines, its parts and how they are nested."""
    if len(raw) > limits.MAX_SIZE:
        return False  # Refused unread.
    end = _END_OF_HEAD.search(raw, 0, _HEAD)
    if end is None:
        if len(raw) > _HEAD:
            return True
        head = raw
    else:
        head = raw[: end.start()]
    if head.count(b"\n") > _HEAD_LINES or raw.count(b"\n") > _LINES:
        return True
    containers = sum(1 for _match in _CONTAINER.finditer(raw))
    # Without a container a line of dashes is a line of dashes.
    return containers > _CONTAINERS or (containers > 0 and raw.count(b"\n--") > _BOUNDARIES)


def read_apart(raw: bytes, seconds: float = SECONDS) -> ParsedMail:
    """Read a mail in a process of its own. Raises OSError where none can be made (a full disk)."""
    with tempfile.TemporaryDirectory(prefix="mail-") as name:
        folder = Path(name)
        (folder / _MAIL).write_bytes(raw)
        secret = secrets.token_hex(16)
        status = _nursery.read(folder, seconds, secret)
        if status == 0:
            return _from_answer(folder, secret)
    # What can be told without reading it: who to ask about it.
    head = parse(raw[:_TOLD])
    return ParsedMail(subject=head.subject, sender=head.sender, message_id=head.message_id, refused=_sentence(status))


def stop() -> None:
    """End the process that waits for suspicious mail; the next one begins another."""
    _nursery.stop()


def _sentence(status: int | None) -> str:
    if status is None:
        return _("The message could not be read: the process that reads it did not begin.")
    if status in (-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL):
        return _("The message could not be read within %(seconds)s seconds.", seconds=SECONDS)
    return _("The message could not be read: it asks for more than reading a message may take.")


class _Nursery:
    """The process that has everything loaded, seen from here. One mail at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        # Of a parent that forked; kept so that nobody thinks it was forgotten.
        self._inherited: list[subprocess.Popen[bytes]] = []

    def read(self, folder: Path, seconds: float, secret: str) -> int | None:
        """How the reading ended: 0, an exit status, the negative number of a signal; None: it did not begin."""
        question = json.dumps([str(folder), seconds, secret]).encode() + b"\n"
        with self._lock:
            # It may just have gone, because nothing came for a while.
            for _attempt in range(2):
                answer = self._ask(question, seconds + STARTING)
                if answer:
                    return int(answer)
                self._end()
        return None

    def stop(self) -> None:
        with self._lock:
            self._end()

    def forked(self) -> None:
        """This process is a fork of the one that began it, whose answers are not ours."""
        self._lock = threading.Lock()
        if self._process is not None:
            self._inherited.append(self._process)
            self._process = None

    def _ask(self, question: bytes, patience: float) -> bytes:
        process = self._running()
        if process is None or process.stdin is None:
            return b""
        try:
            process.stdin.write(question)
            process.stdin.flush()
        except OSError:
            return b""
        return _line(process, patience)

    def _running(self) -> "subprocess.Popen[bytes] | None":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        # Nothing of the desk's secrets goes there; it only reads mail.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "helpdesk_email.apart"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=inherited,
        )
        self._process = process
        return process if _line(process, STARTING) == _READY else None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _line(process: "subprocess.Popen[bytes]", patience: float) -> bytes:
    """The next line that it says; nothing when it says none in time, or is gone."""
    assert process.stdout is not None
    readable, _writable, _failed = select.select([process.stdout], [], [], patience)
    return process.stdout.readline().strip() if readable else b""


_nursery = _Nursery()
atexit.register(stop)
os.register_at_fork(after_in_child=_nursery.forked)


# In the process that waits, and in its children


def _serve() -> None:
    """Wait for mails, and read each in a child. Ends with who began it, or when nothing came for a while."""
    _say(_READY)
    while select.select([sys.stdin], [], [], IDLE)[0]:
        question = sys.stdin.readline()
        if not question:
            return
        folder, seconds, secret = json.loads(question)
        child = os.fork()
        if not child:
            _read_in_child(Path(folder), seconds, secret)
        _child, status = os.waitpid(child, 0)
        _say(str(os.waitstatus_to_exitcode(status)).encode())


def _say(words: bytes) -> None:
    sys.stdout.buffer.write(words + b"\n")
    sys.stdout.buffer.flush()


def _read_in_child(folder: Path, seconds: float, secret: str) -> NoReturn:
    try:
        # The kernel ends it, whatever it is doing.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        marks = Marks(secret)
        marks.install()
        _answer(parse((folder / _MAIL).read_bytes()), marks, folder)
        os._exit(0)
    finally:
        os._exit(1)


def _answer(mail: ParsedMail, marks: Marks, folder: Path) -> None:
    answer = asdict(mail) | {"date": mail.date.isoformat() if mail.date else None}
    for number, file in enumerate(mail.attachments):
        (folder / str(number)).write_bytes(file.data)
        answer["attachments"][number]["data"] = None
    (folder / _ANSWER).write_text(json.dumps([answer, marks.said]), "utf-8")


def _from_answer(folder: Path, secret: str) -> ParsedMail:
    found, said = json.loads((folder / _ANSWER).read_text("utf-8"))
    answer: dict[str, Any] = put_into_words(found, secret, said)
    for name in ("reply_to", "to", "cc"):
        answer[name] = [Address(**one) for one in answer[name]]
    answer["sender"] = Address(**answer["sender"]) if answer["sender"] else None
    answer["date"] = datetime.fromisoformat(answer["date"]) if answer["date"] else None
    answer["returns"] = [Return(**one) for one in answer["returns"]]
    answer["attachments"] = [
        MailFile(**one | {"data": (folder / str(number)).read_bytes()})
        for number, one in enumerate(answer["attachments"])
    ]
    return ParsedMail(**answer)


if __name__ == "__main__":
    _serve()
