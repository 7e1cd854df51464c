"""LibreTranslate, by its HTTP interface (https://docs.libretranslate.com): a server of one's own, or a public one."""

import json
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from helpdesk.api import FetchFailed, FetchLate, fetch, settings
from helpdesk.api import gettext as _
from helpdesk_multilingual import languages
from helpdesk_multilingual.offering import Engine, EngineFault
from helpdesk_multilingual.settings import MultilingualSettings

KEY = "libretranslate"
_LARGEST = 4_000_000
_KNOWN_FOR = 600.0
# Its codes for what the desk writes otherwise; which of them a server has, it says.
_CODES: Mapping[str, Sequence[str]] = {
    "zh_Hans": ("zh-Hans", "zh"),
    "zh_Hant": ("zh-Hant", "zt"),
    "pt_BR": ("pt-BR", "pb", "pt"),
    "nb": ("nb", "no"),
}
_lock = threading.Lock()
_seen: dict[str, tuple[float, dict[str, frozenset[str]]]] = {}


def engine() -> Engine:
    """What the desk asks."""
    return Engine(KEY, "LibreTranslate", _translate, _pairs, _check, is_ready=lambda: bool(_address()))


def _translate(texts: Sequence[str], source: str, target: str, seconds: float) -> Sequence[str]:
    until = time.monotonic() + seconds
    spoken = _languages(seconds)
    begin, end = _code(source, spoken), _code(target, spoken)
    if begin is None or end is None or end not in spoken[begin]:
        raise EngineFault(
            _(
                "It does not translate from %(source)s into %(target)s.",
                source=languages.name_of(source),
                target=languages.name_of(target),
            ),
            healthy=True,
        )
    wanted = {"q": list(texts), "source": begin, "target": end, "format": "text"}
    found = _asked("/translate", max(until - time.monotonic(), 0.1), wanted)
    said = found.get("translatedText") if isinstance(found, dict) else None
    if isinstance(said, str) and len(texts) == 1:
        said = [said]
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        raise EngineFault(_("Its answer is not a translation."))
    return said


def _check() -> None:
    forget_languages()
    if not _languages(5.0):
        raise EngineFault(_("It has no languages."))


def _pairs() -> Collection[tuple[str, str]] | None:
    """What it said when it was asked last; to ask takes too long for a list."""
    kept = _seen.get(_address())
    if kept is None:
        return None
    return {(source, target) for source, targets in kept[1].items() for target in targets if source != target}


def _languages(seconds: float) -> dict[str, frozenset[str]]:
    """Each language that it reads, with those into which it goes. Asked at most every ten minutes."""
    address = _address()
    kept = _seen.get(address)
    if kept is not None and time.monotonic() - kept[0] < _KNOWN_FOR:
        return kept[1]
    found = _asked("/languages", seconds)
    if not isinstance(found, list):
        raise EngineFault(_("Its answer is not a list of languages."))
    spoken: dict[str, frozenset[str]] = {}
    codes = [str(one.get("code")) for one in found if isinstance(one, dict) and one.get("code")]
    for one in found:
        if isinstance(one, dict) and one.get("code"):
            targets = one.get("targets")
            spoken[str(one["code"])] = frozenset(map(str, targets if isinstance(targets, list) else codes))
    with _lock:
        _seen[address] = (time.monotonic(), spoken)
    return spoken


def _asked(path: str, seconds: float, body: dict[str, Any] | None = None) -> Any:
    key = settings(MultilingualSettings).libretranslate_key
    headers = {"Accept": "application/json"}
    sent = b""
    if body is not None:
        sent = json.dumps({**body, **({"api_key": key} if key else {})}).encode()
        headers["Content-Type"] = "application/json"
    method = "GET" if body is None else "POST"
    try:
        answer = fetch(
            f"{_address()}{path}", method=method, body=sent, headers=headers, seconds=seconds, largest=_LARGEST
        )
    except FetchLate as problem:
        raise EngineFault(str(problem), late=True) from problem
    except FetchFailed as problem:
        raise EngineFault(str(problem)) from problem
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if answer.status != 200:
        raise EngineFault(_refusal(answer.status, found))
    if found is None:
        raise EngineFault(_("It answered with a page instead of a translation. Check its address."))
    return found


def _refusal(status: int, found: Any) -> str:
    said = found.get("error") if isinstance(found, dict) else None
    if isinstance(said, str) and said.strip():
        return _("It refused: %(reason)s", reason=" ".join(said.split())[:200])
    return _("It answered with the error %(number)s.", number=status)


def _code(code: str, spoken: Mapping[str, Any]) -> str | None:
    base = languages.base(code)
    return next((one for one in (*_CODES.get(code, ()), code.replace("_", "-"), base) if one in spoken), None)


def _address() -> str:
    return settings(MultilingualSettings).libretranslate_url.strip().rstrip("/")


def forget_languages() -> None:
    """Ask anew which languages there are: after a check, or when another server stands at the address."""
    _seen.clear()
