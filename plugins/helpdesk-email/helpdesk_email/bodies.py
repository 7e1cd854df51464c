"""The text of a mail: which parts are body, which are files, and what was written in them."""

import mimetypes
import re
from dataclasses import dataclass, field

from helpdesk.api import clean_html, html_to_text, text_to_html
from helpdesk.api import gettext as _
from helpdesk_email import attachments, calendars, charsets, headers, limits, quoted_html, quotes, secured, tnef
from helpdesk_email.attachments import MailFile
from helpdesk_email.limits import Part

_TEXT_TYPES = frozenset({"text/plain", "text/html"})
# The same text once more, for programs that people do not read the desk with.
_OTHER_FORMS = frozenset({"text/x-amp-html", "text/watch-html"})
# A body that is HTML whatever its label says.
_HTML = re.compile(
    r"\s{0,200}<(?:!doctype html|html|head|body|(?:div|p|table)\b[^<>]{0,500}>(?:<|[^<>]{1,2000}<))", re.I
)
# All that some programs write as plain text beside an HTML body.
_ONLY_HTML = re.compile(
    r"\bhtml\b|cannot be displayed|view (?:this|the) (?:e-?mail|message) (?:in|with)", re.IGNORECASE
)
_MAX_ENCLOSED_TEXT = 200_000


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
    # Whether others wait for this process: then it stops at what may take long.
    careful: bool = False
    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    files: list[MailFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # Sentences about the mail that stand below what was written: invitations, signatures.
    notes: list[str] = field(default_factory=list)
    enclosed: list[Part] = field(default_factory=list)
    read: int = 0
    depth: int = 0

    def say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def note(self, sentence: str) -> None:
        if sentence and sentence not in self.notes:
            self.notes.append(sentence)


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


def read(root: Part, hint: str = "", careful: bool = False) -> tuple[Body, list[str]]:
    """The body and the files of a mail, and what was wrong with them.

    Raises :class:`limits.Suspicious` when ``careful`` and it may take long; nothing otherwise.
    """
    found = _Found(careful)
    _walk(root, found, hint)
    plain = "\n\n".join(text.strip("\n") for text in found.plain if text.strip())
    html = "\n".join(html for html in found.html if html.strip())
    if careful and len(html) > limits.QUICK_HTML:
        raise limits.Suspicious
    if len(html) > limits.MAX_HTML:
        found.say(_("Its HTML is too large to be shown; the text is shown instead."))
        plain, html = plain or html_to_text(html[: limits.MAX_HTML]), ""
    if not plain.strip() and not html.strip() and found.enclosed:
        plain = _enclosed(found.enclosed[0], hint, careful)
        return _noted(Body(plain, "", "", "", found.files), found.notes), found.problems
    return _noted(_body(plain, html, found.files), found.notes), found.problems


def _body(plain: str, html: str, files: list[MailFile]) -> Body:
    own_html, rest_html = quoted_html.split(html) if html else ("", "")
    if html and len(plain) < 300 and _ONLY_HTML.search(plain):
        plain = ""
    text, quoted = quotes.cut(plain) if plain.strip() else ("", "")
    if not plain.strip() or (rest_html and not quoted):
        text, quoted = quotes.cut(html_to_text(own_html))
        below = html_to_text(rest_html)
        quoted = "\n\n".join(piece for piece in (quoted, below) if piece)
    if own_html and quoted:
        # Marks in the HTML or words in the text: where either says that a quote begins, both are cut.
        own_html, more = quoted_html.split_behind(own_html, text)
        rest_html = more + rest_html
    # Cleaning takes its time for nothing, too.
    cleaned = [clean_html(piece) if piece else "" for piece in (own_html, rest_html)]
    return Body(text, quoted, *cleaned, files)


def _noted(body: Body, notes: list[str]) -> Body:
    if not notes:
        return body
    below = "\n\n".join(notes)
    text = "\n\n".join(piece for piece in (body.text, below) if piece.strip())
    html = body.html + text_to_html(below) if body.html else ""
    return Body(text, body.quoted, html, body.html_quoted, body.files)


def _enclosed(part: Part, hint: str, careful: bool) -> str:
    """A mail that encloses another and says nothing itself is read as that one."""
    inner = part.children()
    if not inner:
        return ""
    body, _problems = read(inner[0], hint, careful)
    named = [(_("From"), "From"), (_("Date"), "Date"), (_("Subject"), "Subject")]
    said = [(label, headers.words(inner[0].header(name), hint)[:300]) for label, name in named]
    head = [f"{label}: {value}" for label, value in said if value]
    text = "\n\n".join(piece for piece in (body.text, body.quoted) if piece)
    return "\n".join([*head, "", text])[:_MAX_ENCLOSED_TEXT].strip()


def _walk(part: Part, found: _Found, hint: str) -> None:
    kind = attachments.content_type(part)
    children = part.children()
    if kind.value == "multipart/alternative" and children:
        _alternative(children, found, hint)
    elif kind.value in ("multipart/signed", "multipart/encrypted") and children:
        _secured(kind, children, found, hint)
    elif kind.value.startswith("multipart/") and children:
        for child in children:
            _walk(child, found, hint)
    elif _is_body(part, kind.value, found):
        _text(part, kind, found, hint)
    elif kind.value.startswith("multipart/"):
        # Its boundary was never found (RFC 2046, 5.1.1): what stands there is all there is.
        _text(part, kind, found, hint)
    elif kind.value not in _OTHER_FORMS:
        _file(part, kind, found, hint)


def _alternative(children: list[Part], found: _Found, hint: str) -> None:
    """Of one text in several forms the plain one and the HTML are read; others are files (RFC 2046, 5.1.4)."""
    before_plain, before_html = len(found.plain), len(found.html)
    for child in children:
        _walk(child, found, hint)
    # Two texts of one form in one alternative: the first plain one is the plainest, the last HTML the richest.
    del found.plain[before_plain + 1 :]
    del found.html[before_html:-1]


def _secured(kind: headers.Field, children: list[Part], found: _Found, hint: str) -> None:
    protocol = kind.parameters.get("protocol", "") or attachments.content_type(children[-1]).value
    if kind.value == "multipart/signed":
        for child in children:
            _walk(child, found, hint)
        found.note(secured.signed_note(protocol))
        return
    found.note(secured.encrypted_note(protocol))
    found.files += [attachments.file_of(child, hint) for child in children]


def _file(part: Part, kind: headers.Field, found: _Found, hint: str) -> None:
    file = attachments.file_of(part, hint)
    if kind.value == "message/rfc822":
        found.enclosed.append(part)
    if kind.value in secured.SIGNATURES and file.name == "attachment":
        file = MailFile(secured.SIGNATURES[kind.value], kind.value, file.data)
    found.files.append(file)
    name = file.name.lower()
    if kind.value in calendars.TYPES or name.endswith(".ics"):
        if found.careful and len(file.data) > calendars.QUICK:
            raise limits.Suspicious
        found.note(calendars.describe(file.data))
    elif kind.value in tnef.TYPES or name == "winmail.dat":
        _unpack(file.data, found)
    elif kind.value in secured.ENVELOPES or name == "smime.p7m":
        _open_envelope(kind, file.data, found, hint)


def _unpack(data: bytes, found: _Found) -> None:
    """The text and files of a ``winmail.dat``, beside itself."""
    if found.careful:
        raise limits.Suspicious
    unpacked = tnef.unpack(data)
    if unpacked is None:
        found.say(_("Its “winmail.dat” could not be unpacked."))
        return
    if not found.plain and not found.html:
        found.plain += [unpacked.text[: limits.MAX_TEXT]] if unpacked.text.strip() else []
        found.html += [unpacked.html[: limits.MAX_TEXT]] if unpacked.html.strip() else []
    for name, identity, content in unpacked.files:
        shown = attachments.safe_name(name) or "attachment"
        kind = mimetypes.guess_type(shown)[0] or "application/octet-stream"
        found.files.append(MailFile(shown, kind, content, identity or None, bool(identity)))


def _open_envelope(kind: headers.Field, data: bytes, found: _Found, hint: str) -> None:
    """S/MIME that is signed only is read like any mail; the envelope stays a file either way."""
    inner = secured.opaque(kind, data) if not found.depth else None
    if inner is None:
        found.note(secured.encrypted_note(kind.value))
        return
    found.note(secured.signed_note(kind.value))
    part, problems, _refused = limits.read(inner)
    found.depth += 1
    _walk(part, found, hint)
    found.depth -= 1
    for problem in problems:
        found.say(problem)


def _is_body(part: Part, kind: str, found: _Found) -> bool:
    if kind not in _TEXT_TYPES and not (kind in ("text/enriched", "text/richtext") and not found.plain):
        return False
    shown = attachments.disposition(part)
    if shown.value == "attachment":
        return False
    named = shown.parameters.get("filename") or attachments.content_type(part).parameters.get("name")
    return not named


def _text(part: Part, kind: headers.Field, found: _Found, hint: str) -> None:
    data = attachments.payload(part)
    room = limits.MAX_TEXT - found.read
    if len(data) > room:
        found.say(_("Its text is longer than %(limit)s MB and was cut.", limit=limits.MAX_TEXT // 1024 // 1024))
        data = data[: max(room, 0)]
    found.read += len(data)
    if found.careful and found.read > limits.QUICK_TEXT:
        raise limits.Suspicious
    text, repaired = charsets.decode(data, kind.parameters.get("charset", ""), hint)
    if repaired:
        found.say(_("Its character set was declared wrongly and was repaired."))
    if not text.strip():
        return
    if kind.value == "text/html" or _HTML.match(text):
        found.html.append(text)
        return
    if kind.parameters.get("format", "").lower() == "flowed":
        text = _unflowed(text, kind.parameters.get("delsp", "").lower() == "yes")
    text = _unarmoured(text, found)
    if found.html and not found.plain:
        # A footer in plain text below a body that has HTML only belongs to it.
        found.html.append(text_to_html(text))
    else:
        found.plain.append(text)


def _unarmoured(text: str, found: _Found) -> str:
    armour = secured.without_armour(text) if "-----BEGIN PGP " in text else None
    if armour is None:
        return text
    found.note(armour.note)
    found.files += [MailFile(name, "application/pgp-encrypted", data.encode()) for name, data in armour.files]
    return armour.text


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
