"""How good the headers of a page are, by the rules of the public HTTP Observatory as they stood in November 2026.

A score begins with 100; each rule takes away or adds. What is added counts only where at least 90 are left without it.
docs/security/headers.md lists the rules in words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie

_BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*"}
_HASHES = ("'nonce-", "'sha256-", "'sha384-", "'sha512-")
_PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
_UNSAFE = {"origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade"}
HALF_A_YEAR = 15_768_000


@dataclass(frozen=True)
class Answer:
    """What is judged: header names in small letters; each header may come several times."""

    headers: Sequence[tuple[str, str]]
    body: str = ""
    https: bool = True

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def one(self, name: str) -> str:
        return next(iter(self.all(name)), "").strip()


def score(answer: Answer) -> int:
    """The score of one page."""
    found = list(modifiers(answer).values())
    base = 100 + sum(value for value in found if value < 0)
    return max(0, base + (sum(value for value in found if value > 0) if base >= 90 else 0))


def modifiers(answer: Answer) -> dict[str, int]:
    """What each rule takes away or adds."""
    return {
        "policy": _policy(answer),
        "cookies": _cookies(answer),
        "sharing": _sharing(answer),
        "referrer": _referrer(answer),
        "transport": _transport(answer),
        "scripts": _scripts(answer),
        "sniffing": 0 if answer.one("x-content-type-options").lower() == "nosniff" else -5,
        "frames": _frames(answer),
        "resources": _resources(answer),
    }


def policy_of(answer: Answer) -> dict[str, set[str]]:
    """The directives of the policies together: where several speak, what all of them let in."""
    found: dict[str, set[str]] = {}
    for text in ", ".join(answer.all("content-security-policy")).split(","):
        for directive in filter(None, (part.split() for part in text.split(";"))):
            sources = {one if one.startswith(_HASHES) else one.lower() for one in directive[1:]}
            name = directive[0].lower()
            found[name] = found[name] & sources if name in found else sources
    return found


def _policy(answer: Answer) -> int:
    policy = policy_of(answer)
    if not policy:
        return -25
    default = policy.get("default-src", {"*"})
    script, style = policy.get("script-src", default), policy.get("style-src", default)
    if any(source.startswith(_HASHES) for source in script):
        script = script - {"'unsafe-inline'"}
    if (script & (_BROAD | {"'unsafe-inline'", "data:"})) or (policy.get("object-src", default) & _BROAD):
        return -20
    active = [source for name, sources in policy.items() if name not in ("img-src", "media-src") for source in sources]
    if answer.https and any(source.startswith(("http:", "ftp:")) for source in active):
        return -20
    if "'unsafe-eval'" in script | style:
        return -10
    if answer.https and any(
        one.startswith("http:") for name in ("img-src", "media-src") for one in policy.get(name, ())
    ):
        return -10
    if style & (_BROAD | {"'unsafe-inline'", "data:"}):
        return 0
    return 10 if default == {"'none'"} and not policy.get("form-action", {"*"}) & _BROAD else 5


def cookies_of(answer: Answer) -> Iterator[Morsel[str]]:
    """Each cookie that is set."""
    for line in answer.all("set-cookie"):
        yield from SimpleCookie(line).values()


def _cookies(answer: Answer) -> int:
    cookies = list(cookies_of(answer))
    if not cookies:
        return 0
    safe = _transport(answer) == 0
    worst = 5
    for cookie in cookies:
        # Whatever its name says: here each is judged as one that names a session.
        if not cookie["secure"]:
            worst = min(worst, -10 if safe else -40)
        if not cookie["httponly"]:
            worst = min(worst, -30)
        if cookie["samesite"].lower() not in ("", "lax", "strict"):
            worst = min(worst, -20)
        if not cookie["samesite"]:
            worst = min(worst, 0)
    return worst


def _sharing(answer: Answer) -> int:
    opened = answer.one("access-control-allow-credentials").lower() == "true"
    return -50 if opened and answer.one("access-control-allow-origin") not in ("", "null") else 0


def _referrer(answer: Answer) -> int:
    said = answer.one("referrer-policy").lower().split(",")[-1].strip()
    if said in _PRIVATE:
        return 5
    return 0 if not said else -5


def _transport(answer: Answer) -> int:
    found = re.search(r"max-age=(\d+)", answer.one("strict-transport-security"))
    if not answer.https or found is None:
        return -20
    return 0 if int(found[1]) >= HALF_A_YEAR else -10


def _scripts(answer: Answer) -> int:
    tags = re.findall(r"<script\b[^>]*\bsrc=[\"']([^\"']*)[\"'][^>]*>", answer.body)
    foreign = [source for source in tags if re.match(r"(?:https?:)?//", source)]
    whole = re.findall(r"<script\b[^>]*\bintegrity=", answer.body)
    if not foreign:
        return 5 if tags and len(whole) == len(tags) else 0
    return -5 if all(source.startswith("https:") for source in foreign) else -50


def _frames(answer: Answer) -> int:
    ancestors = policy_of(answer).get("frame-ancestors", {"*"})
    if not ancestors & _BROAD:
        return 5
    return 0 if answer.one("x-frame-options").lower() in ("deny", "sameorigin") else -20


def _resources(answer: Answer) -> int:
    said: Mapping[str, int] = {"same-origin": 10, "same-site": 10, "cross-origin": 0, "": 0}
    return said.get(answer.one("cross-origin-resource-policy").lower(), -5)
