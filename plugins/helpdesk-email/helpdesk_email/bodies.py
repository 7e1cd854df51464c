"""The text of a mail: which parts are body, which are files, and what was written in them."""

import re
from dataclasses import dataclass, field

from helpdesk.api import clean_html, html_to_text, text_to_html
from helpdesk.api import gettext as _
from helpdesk_email import attachments, charsets, limits, quoted_html, quotes
from helpdesk_email.attachments import MailFile
from helpdesk_email.limits import Part

_TEXT_TYPES = frozenset({"text/plain", "text/html"})
# A body that is HTML whatever its label says.
_HTML = re.compile(
    r"\s{0,200}<(?:!doctype html|html|head|body|(?:div|p|table)\b[^<>]{0,500}>(?:<|[^<>]{1,2000}<))", re.I
)


@dataclass(frozen=True)
class Body:
    """What the person wrote (text, and cleaned HTML or ""), and what was quoted below it."""

    text: str
    quoted: str
    html: str
    html_quoted: str
    files: list[MailFile]


@dataclass
class _Found:
    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    files: list[MailFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    read: int = 0

    def say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def charset_of(root: Part) -> str:
    """The character set that a mail's first labelled text part claims: what its raw headers are likely written in."""
    waiting = [root]
    while waiting:
        part = waiting.pop(0)
        charset = attachments.content_type(part).parameters.get("charset", "")
        codec = charsets.codec_name(charset)
        if codec and codec not in ("ascii", "utf-8"):
            return charset
        waiting += part.children()
    return ""


def read(root: Part, hint: str = "") -> tuple[Body, list[str]]:
    """The body and the files of a mail, and what was wrong with them. Never raises."""
    found = _Found()
    _walk(root, found, hint)
    plain = "\n\n".join(text.strip("\n") for text in found.plain if text.strip())
    html = "\n".join(html for html in found.html if html.strip())
    if len(html) > limits.MAX_HTML:
        found.say(_("Its HTML is too large to be shown; the text is shown instead."))
        plain, html = plain or html_to_text(html[: limits.MAX_HTML]), ""
    body = _body(plain, html, found.files)
    return body, found.problems


def _body(plain: str, html: str, files: list[MailFile]) -> Body:
    own_html, rest_html = quoted_html.split(html) if html else ("", "")
    cleaned = clean_html(own_html)
    if plain.strip():
        text, quoted = quotes.cut(plain)
    else:
        text, quoted = quotes.cut(html_to_text(own_html))
        below = html_to_text(rest_html)
        quoted = "\n\n".join(piece for piece in (quoted, below) if piece)
    return Body(text, quoted, cleaned, clean_html(rest_html), files)


def _walk(part: Part, found: _Found, hint: str) -> None:
    kind = attachments.content_type(part)
    children = part.children()
    if kind.value == "multipart/alternative" and children:
        _alternative(children, found, hint)
    elif kind.value.startswith("multipart/") and children:
        for child in children:
            _walk(child, found, hint)
    elif _is_body(part, kind.value, found):
        _text(part, kind, found, hint)
    elif kind.value.startswith("multipart/"):
        # Its boundary was never found (RFC 2046, 5.1.1): what stands there is all there is.
        _text(part, kind, found, hint)
    elif kind.value in ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"):
        return
    else:
        found.files.append(attachments.file_of(part, hint))


def _alternative(children: list[Part], found: _Found, hint: str) -> None:
    """Of one text in several forms the plain one and the HTML are read; others are files (RFC 2046, 5.1.4)."""
    before_plain, before_html = len(found.plain), len(found.html)
    for child in children:
        _walk(child, found, hint)
    # Two texts of one form in one alternative: the first plain one is the plainest, the last HTML the richest.
    del found.plain[before_plain + 1 :]
    del found.html[before_html:-1]


def _is_body(part: Part, kind: str, found: _Found) -> bool:
    if kind not in _TEXT_TYPES and not (kind in ("text/enriched", "text/richtext") and not found.plain):
        return False
    shown = attachments.disposition(part)
    if shown.value == "attachment":
        return False
    named = shown.parameters.get("filename") or attachments.content_type(part).parameters.get("name")
    return not named


def _text(part: Part, kind: attachments.headers.Field, found: _Found, hint: str) -> None:
    data = attachments.payload(part)
    room = limits.MAX_TEXT - found.read
    if len(data) > room:
        found.say(_("Its text is longer than %(limit)s MB and was cut.", limit=limits.MAX_TEXT // 1024 // 1024))
        data = data[: max(room, 0)]
    found.read += len(data)
    text, repaired = charsets.decode(data, kind.parameters.get("charset", ""), hint)
    if repaired:
        found.say(_("Its character set was declared wrongly and was repaired."))
    if kind.value == "text/html" or _HTML.match(text):
        found.html.append(text)
        return
    if kind.parameters.get("format", "").lower() == "flowed":
        text = _unflowed(text, kind.parameters.get("delsp", "").lower() == "yes")
    if found.html and not found.plain:
        # A footer in plain text below a body that has HTML only belongs to it.
        found.html.append(text_to_html(text))
    else:
        found.plain.append(text)


def _unflowed(text: str, delete_space: bool) -> str:
    """Paragraphs of ``format=flowed`` on one line each (RFC 3676, 4); quoted lines stay as they are."""
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        flows = line.endswith(" ") and line != "-- " and not line.startswith(">")
        line = line[1:] if line.startswith(" ") else line
        if open_line and not line.startswith(">") and line != "-- ":
            lines[-1] += line
        else:
            lines.append(line)
        open_line = flows
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)
