"""Apertium, as a process on the machine of the desk: free, by rules, and nothing leaves the house.

``apt install apertium apertium-eng-spa``: each package brings a pair of languages.
"""

import logging
import os
import shutil
import signal
import subprocess  # nosec B404 # the one program below, by a list of words, without a shell
import time
from collections.abc import Collection, Sequence

from helpdesk.api import gettext as _
from helpdesk.api import settings
from helpdesk_multilingual import languages
from helpdesk_multilingual.offering import Engine, EngineFault
from helpdesk_multilingual.settings import MultilingualSettings

log = logging.getLogger(__name__)
KEY = "apertium"
# Its codes have three letters (ISO 639-3).
_CODES = {
    "af": "afr", "an": "arg", "ar": "ara", "be": "bel", "bg": "bul", "ca": "cat", "cs": "ces", "cy": "cym", "da": "dan",
    "de": "deu", "en": "eng", "eo": "epo", "es": "spa", "eu": "eus", "fr": "fra", "gl": "glg", "hi": "hin", "hr": "hrv",
    "id": "ind", "is": "isl", "it": "ita", "kk": "kaz", "mk": "mkd", "ms": "msa", "mt": "mlt", "nb": "nob", "nl": "nld",
    "nn": "nno", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe",
    "tr": "tur", "uk": "ukr", "ur": "urd", "zh_Hans": "zho",
}  # fmt: skip
_KNOWN_FOR, _PATIENCE = 60.0, 5.0
_GAP = "\n\n\n"
_LARGEST = 400_000
_seen: list[tuple[float, frozenset[str]]] = []


def engine() -> Engine:
    """What the desk asks."""
    return Engine(KEY, "Apertium", _translate, _pairs, _check, _is_ready)


def is_installed() -> bool:
    """Whether the program is on this machine."""
    return shutil.which("apertium") is not None


def _is_ready() -> bool:
    return settings(MultilingualSettings).apertium and is_installed()


def _translate(texts: Sequence[str], source: str, target: str, seconds: float) -> Sequence[str]:
    mode = _mode(source, target)
    if mode not in _modes():
        raise EngineFault(
            _(
                "No package for %(source)s and %(target)s is installed.",
                source=languages.name_of(source),
                target=languages.name_of(target),
            ),
            healthy=True,
        )
    until = time.monotonic() + seconds
    if all(_GAP not in text and text.strip() == text for text in texts):
        # One start of the program for all: what is between the texts stays as it is.
        found = _run(mode, _GAP.join(texts), until).split(_GAP)
        if len(found) == len(texts):
            return [text.strip("\n") for text in found]
    return [_run(mode, text, until) for text in texts]


def _check() -> None:
    if not is_installed():
        raise EngineFault(_("It is not installed on this machine: apt install apertium and a package for each pair."))
    _seen.clear()
    if not _modes():
        raise EngineFault(_("It is installed without any pair of languages, such as apertium-eng-spa."))


def _pairs() -> Collection[tuple[str, str]] | None:
    return pairs_within(_PATIENCE)


def pairs_within(seconds: float) -> Collection[tuple[str, str]]:
    """The pairs that are installed, asked for no longer than that; one that fails has none for a minute."""
    codes = {theirs: own for own, theirs in _CODES.items()}
    found = set()
    for mode in _modes(seconds):
        source, _dash, target = mode.partition("-")
        if source in codes and target in codes:
            found.add((codes[source], codes[target]))
    return found


def _modes(seconds: float = _PATIENCE) -> frozenset[str]:
    if _seen and time.monotonic() - _seen[0][0] < _KNOWN_FOR:
        return _seen[0][1]
    program = shutil.which("apertium")
    try:
        said = _output([program, "-l"], "", time.monotonic() + min(seconds, _PATIENCE)) if program else ""
    except EngineFault:
        log.exception("Apertium does not say which pairs it has.")
        said = ""
    _seen[:] = [(time.monotonic(), frozenset(said.split()))]
    return _seen[0][1]


def _mode(source: str, target: str) -> str:
    return f"{_code(source)}-{_code(target)}"


def _code(code: str) -> str:
    return _CODES.get(code) or _CODES.get(languages.base(code)) or code


def _run(mode: str, text: str, until: float) -> str:
    program = shutil.which("apertium")
    if program is None:
        raise EngineFault(_("It is not installed on this machine: apt install apertium and a package for each pair."))
    return _output([program, "-u", "-f", "txt", mode], text, until)


def _output(words: Sequence[str], text: str, until: float) -> str:
    """What a program says of a text; it and what it has started are ended when the time is over."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    running = subprocess.Popen(  # nosec B603 # no shell; the mode is one that the program itself has named
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        out, _error = running.communicate(text.encode(), timeout=max(until - time.monotonic(), 0.05))
    except subprocess.TimeoutExpired:
        raise EngineFault(_("It took too long."), late=True) from None
    finally:
        _end(running)
    if running.returncode != 0 or len(out) > _LARGEST:
        raise EngineFault(_("It ended with an error."))
    return out.decode("utf-8", "replace")


def _end(running: "subprocess.Popen[bytes]") -> None:
    if running.poll() is None:
        try:
            os.killpg(running.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        running.communicate()
