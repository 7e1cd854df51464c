"""Mail addresses in headers, read tolerantly and in one pass."""

import quopri
import re
import unicodedata
from dataclasses import dataclass

from helpdesk_email import charsets, headers

MAX_RECIPIENTS = 500
_LOCAL_AND_DOMAIN = re.compile(r'(?:"(?:[^"\\]|\\.){1,64}"|[^\s"<>()\[\],;:@\\]{1,64})@[^\s"<>()\[\],;:@\\]{1,255}')
# An address in the middle of words. "a@ours@theirs" holds none: whoever reads it otherwise than the servers that
# checked it believes the wrong one.
_INSIDE = re.compile(rf'(?<![^\s"\'<>()\[\],;:\\])(?:{_LOCAL_AND_DOMAIN.pattern})(?!@)'.replace("{1,255}", "{1,255}+"))
# An address as it is written to (RFC 5321, 4.1.2; RFC 6531), without literal hosts.
_ATOM = r"[^\s\"<>()\[\],;:@\\.\x00-\x1f\x7f]+"
_LABEL = rf"(?!-)(?:{_ATOM[:-1]}){{1,63}}(?<!-)"
_VALID = re.compile(rf'(?P<local>{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*")@{_LABEL}(?:\.{_LABEL})*')
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*+\)")
_MAILBOX = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*+"?)|(?P<comment>\((?:[^()\\]|\\.)*+\)?)|(?P<angle><[^<>]*+>?)|(?P<end>[,;])'
    r'|(?P<group>:)|(?P<text>[^"(<,;:]++)',
    re.DOTALL,
)
# An encoded word (RFC 2047) that was cut, and the letters of one that nobody took apart.
_UNFINISHED = re.compile(r"=\?[\w-]{1,40}\?([qQbB])\?([^?]{0,200})(?:\?=?)?\s*$")
_LEFT_ENCODED = re.compile(r"=[0-9A-F]{2}")
# What lists and other desks write behind the name of who wrote to them.
_VIA = re.compile(r"(?<=\S)['\"]?\s+via\s+\S.*$", re.IGNORECASE | re.DOTALL)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co"})
# Persian and the languages of India are written with these.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Address:
    """One mailbox: the name that is shown (may be empty) and the address, its domain in lower case."""

    name: str
    email: str

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "email": self.email}


def parse(value: str, hint: str = "", limit: int = MAX_RECIPIENTS) -> list[Address]:
    """The mailboxes of an address header (RFC 5322, 3.4), groups opened, what is no address left out."""
    return [address for address, _angle in _mailboxes(value, hint, limit)]


def sender(value: str, sender_value: str = "", hint: str = "") -> tuple[Address | None, bool]:
    """Who a From header names, and whether it names several, of which only one can be right.

    Of several the one in Sender counts (RFC 5322, 3.6.2), else the first in angle brackets: an address
    in front of it, as in ``boss@ours.example, <other@elsewhere>``, is a name with a comma, made to be taken for one.
    """
    found = _mailboxes(value, hint, 20)
    if not found:
        return None, False
    if len({address.email for address, _angle in found}) == 1:
        return found[0][0], False
    named = {address.email for address in parse(sender_value, hint, 20)}
    for address, _angle in found:
        if address.email in named:
            return address, True
    for address, angle in found:
        if angle:
            return address, True
    return found[0][0], True


def normal(text: str) -> str | None:
    """``text`` as an address with its domain in lower case, or None when it is none."""
    text = text.strip().strip("<>").strip().rstrip(".")
    if text.lower().startswith("mailto:"):
        text = text[7:]
    text = text.rsplit(":", 1)[-1] if text.startswith("@") else text  # a source route (RFC 5322, 4.4)
    if not text.startswith('"'):
        text = re.sub(r"\s*([@.])\s*", r"\1", _COMMENT.sub("", text)).strip()
    if not _LOCAL_AND_DOMAIN.fullmatch(text) or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        return None
    local, _at, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def valid(address: str) -> bool:
    """Whether mail may be written to ``address``. Reading is more tolerant: mail comes from addresses that are not."""
    match = _VALID.fullmatch(address)
    return match is not None and len(match["local"]) <= 64 and len(address) <= 254


def _mailboxes(value: str, hint: str, limit: int) -> list[tuple[Address, bool]]:
    found: list[tuple[Address, bool]] = []
    name: list[str] = []
    # The same with its quotation marks, which belong to some addresses.
    written: list[str] = []
    comment, angle = "", ""

    def finish() -> None:
        nonlocal comment, angle
        text = "".join(name).strip()
        email = normal(headers.words(angle if angle else "".join(written), hint))
        if email is None and not angle:
            inside = _INSIDE.search(headers.words(text, hint))
            email = normal(inside[0]) if inside else None
        if email is not None:
            shown = text if angle else comment
            found.append((Address(_name(shown, hint), email), bool(angle)))
        name.clear()
        written.clear()
        comment, angle = "", ""

    for match in _MAILBOX.finditer(value):
        if len(found) >= limit:
            return found
        if match["end"]:
            finish()
        elif match["group"]:
            name.clear()
            written.clear()
        elif match["quoted"]:
            written.append(match["quoted"])
            name.append(re.sub(r"\\(.)", r"\1", match["quoted"].strip('"'), flags=re.DOTALL))
        elif match["comment"]:
            comment = comment or match["comment"].strip("()")
        elif match["angle"]:
            angle = angle or match["angle"]
        elif match["text"]:
            written.append(match["text"])
            name.append(match["text"])
    if len(found) < limit:
        finish()
    return found


def _name(text: str, hint: str) -> str:
    return shown_name(headers.words(text, hint))


def shown_name(name: str) -> str:
    """A display name as a person would write it: no leftovers of encodings, no address that it is not from."""
    name = _UNFINISHED.sub(lambda match: match[2].replace("_", " ") if match[1] in "qQ" else match[0], name)
    if _LEFT_ENCODED.search(name):
        decoded = charsets.decode(quopri.decodestring(name.encode()))[0]
        name = name if "\ufffd" in decoded else decoded
    name = "".join(letter for letter in name if letter in _JOINERS or unicodedata.category(letter) not in _INVISIBLE)
    name = _VIA.sub("", _LOCAL_AND_DOMAIN.sub("", name))
    name = re.sub(r"<\s*>|\(\s*\)|\[\s*\]", "", name)
    return " ".join(name.split()).strip("\"'`,;<> ")[:200]
