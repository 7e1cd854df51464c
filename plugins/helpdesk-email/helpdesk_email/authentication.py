"""Whether the sender of a mail is proved, by what a mail server that is trusted noted on it (RFC 8601)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from helpdesk_email import addresses

HEADER = "authentication-results"
_EXCHANGE = "x-ms-exchange-organization-authas"
# Stands for the name that Exchange leaves out.
_NAMELESS = "exchange.invalid"
_RESULT = re.compile(r"([a-z][a-z0-9-]*)(?:/\d+)?=([a-z]+)")
_PROPERTY = re.compile(r"([a-z][a-z0-9-]*\.[a-z0-9_-]+)=(\S+)", re.DOTALL)
# Stands for the n-th quoted string, whose words must not be read as results.
_HELD = 0xE000
_PRIVATE = re.compile("[\ue000-\uf8ff]")


@dataclass(frozen=True)
class _Result:
    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)


def verdict(headers: Mapping[str, list[str]], sender: str, trusted: Collection[str]) -> bool | None:
    """True: ``sender`` is proved; False: it is disproved; None: nobody whom ``trusted`` names tells.

    Only the topmost header proves anything: those below may have come with the mail, whoever they claim to be from.
    """
    if _several_senders(headers):
        return False
    domain = _domain(sender)
    read = [_read(value) for value in headers.get(HEADER, [])]
    if not domain or not read or not (top := read[0]) or top[0] not in {name.strip().lower() for name in trusted}:
        return None
    judged = _dmarc(top[1], domain)
    if judged is not None:
        return judged
    # Some servers write a header for each method. One that disproves needs no proof of its own.
    for below in read[1:]:
        if below is None or below[0] != top[0]:
            break
        if _dmarc(below[1], domain) is False:
            return False
    return True if any(_aligned(result, domain) for result in top[1]) else None


def verdict_of_exchange(headers: Mapping[str, list[str]], sender: str, ours: str) -> bool | None:
    """The same for mail that Microsoft's Exchange has put into a mailbox, whose address is ``ours``.

    Exchange names no host in its ``Authentication-Results``, and writes none that proves anything for mail within an
    organization. It takes ``X-MS-Exchange-Organization-`` headers away from mail that comes from outside ("header
    firewall") and writes its own: without exactly one of these nothing is believed.
    """
    said = [value.strip().lower() for value in headers.get(_EXCHANGE, [])]
    domain = _domain(sender)
    if len(said) != 1 or not domain or _several_senders(headers):
        return None
    if said == ["internal"]:
        # Somebody who has signed in there, or a server of the organization; other domains it could relay.
        return True if domain == _domain(ours) else None
    lines = headers.get(HEADER, [])
    top = _read(f"{_NAMELESS}; {lines[0]}") if lines else None
    if top is None or _read(lines[0]) is not None:
        return None
    judged = _dmarc(top[1], domain)
    return judged if judged is not None else (True if any(_aligned(one, domain) for one in top[1]) else None)


def _several_senders(headers: Mapping[str, list[str]]) -> bool:
    found = headers.get("from", [])
    return len(found) > 1 or (len(found) == 1 and addresses.sender(found[0])[1])


def _dmarc(results: list[_Result], domain: str) -> bool | None:
    found = [result for result in results if result.method == "dmarc"]
    if len(found) != 1 or not _covers(_domain(found[0].properties.get("header.from", domain)), domain):
        return None
    return {"pass": True, "fail": False}.get(found[0].result)


def _aligned(result: _Result, domain: str) -> bool:
    """RFC 7489, 3.1: what was checked belongs to the domain that readers see."""
    if result.result != "pass":
        return False
    if result.method == "dkim":
        signer = result.properties.get("header.d") or result.properties.get("header.i", "")
        return _covers(_domain(signer), domain)
    if result.method == "spf":
        return _domain(result.properties.get("smtp.mailfrom", "")) == domain
    return False


def _covers(parent: str, domain: str) -> bool:
    """Whether ``domain`` is ``parent`` or below it; a top-level domain covers nothing."""
    return "." in parent and (domain == parent or domain.endswith(f".{parent}"))


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2].strip().rstrip(".").lower()
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _read(value: str) -> tuple[str, list[_Result]] | None:
    """Who writes and what it says; None for a header that is broken, of which nothing can be believed."""
    bare = _without_comments(value)
    if bare is None:
        return None
    text, held = bare
    head, *statements = re.sub(r"\s*=\s*", "=", text).split(";")
    words = head.split()
    if not words or "=" in head:
        return None
    return _restored(words[0], held).lower(), [found for one in statements if (found := _result(one, held))]


def _result(statement: str, held: list[str]) -> _Result | None:
    first, *rest = statement.split() or [""]
    match = _RESULT.fullmatch(first.lower())
    if match is None:
        return None
    properties: dict[str, str] = {}
    for word in rest:
        named = _PROPERTY.fullmatch(word)
        if named is None:
            continue
        name = named[1].lower()
        # Said twice, one of them is not the server's own.
        properties[name] = "" if name in properties else _restored(named[2], held)
    return _Result(match[1], match[2], properties)


def _without_comments(value: str) -> tuple[str, list[str]] | None:
    """``value`` without comments (they nest), quoted strings replaced by one letter each; None when one has no end."""
    kept: list[str] = []
    held: list[str] = []
    value = _PRIVATE.sub("\ufffd", value)
    depth = position = 0
    while position < len(value):
        letter = value[position]
        if letter in '\\"' and depth:
            # A sender was put into a comment as it stood, and may have closed it.
            return None
        if letter == "(":
            depth += 1
            kept.append(" ")
        elif letter == ")":
            if not depth:
                return None
            depth -= 1
        elif letter == '"':
            end = _end_of_quote(value, position + 1)
            if end is None or len(held) >= 1_000:
                return None
            kept.append(chr(_HELD + len(held)))
            held.append(re.sub(r"\\(.)", r"\1", value[position + 1 : end], flags=re.DOTALL))
            position = end
        elif not depth:
            kept.append(letter)
        position += 1
    return None if depth else ("".join(kept), held)


def _end_of_quote(value: str, position: int) -> int | None:
    while position < len(value):
        if value[position] == '"':
            return position
        position += 2 if value[position] == "\\" else 1
    return None


def _restored(word: str, held: list[str]) -> str:
    return _PRIVATE.sub(lambda match: held[ord(match[0]) - _HELD], word)
