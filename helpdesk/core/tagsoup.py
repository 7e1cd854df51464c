"""HTML as the world sends it, reduced before a parser sees it.

A tree-building parser needs time that grows with the square of what a hostile page holds: elements nested
ten thousand deep, one tag with a hundred thousand attributes, a megabyte of ampersands, unclosed ``<font>``
tags that are opened again in each paragraph. Here the text is read once, from left to right, and written
again with only the attributes that can survive cleaning. It makes nothing safe; ``markup`` does that.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

# An element nested deeper than this is not a letter.
MAX_DEPTH = 256
MAX_ATTRIBUTES = 12
MAX_VALUE = 4_000
# In one run of text; above it the serializer becomes slow, so that the run is parted.
MAX_REFERENCES = 250

_KEPT_ATTRIBUTES = frozenset(
    "alt colspan dir headers height href lang reversed rowspan scope span src start title type value width".split()
)
# The elements that a parser opens again in every paragraph: with attributes without limit, without
# attributes at most three of each (HTML, 13.2.4.3, "Noah's Ark clause").
_FORMATTING = frozenset("b big code em font i nobr s small strike strong tt u".split())
_NEVER_DEEP = frozenset(
    "area base body br col dd dt embed hr html img input li link meta option p param source tbody td tfoot th"
    " thead tr track wbr".split()
)
_SCOPES = frozenset({"applet", "button", "marquee", "object", "table", "template"})

_SPACE = r"[ \t\n\f\r]"
_TOKEN = re.compile(
    rf"""
    <!--(?:-?>|.*?(?:--!?>|\Z))
  | <(?P<raw>script|style|title|iframe|noembed|noframes|noscript|xml)(?=[ \t\n\f\r/>])
      .*?(?:</(?P=raw)(?=[ \t\n\f\r/>])[^>]*+(?:>|\Z)|\Z)
  | <(?P<end>/?)(?P<name>[a-zA-Z][^ \t\n\f\r/>]*+)
      (?P<attributes>(?:
          [ \t\n\f\r/]++
        | =?[^ \t\n\f\r/>=]++(?:{_SPACE}*+={_SPACE}*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^ \t\n\f\r>]*+))?+
        | =
      )*+)(?:>|\Z)
  | <[!?/][^>]*+(?:>|\Z)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    rf"""(?P<name>=?[^ \t\n\f\r/>=]++|=)
    (?:{_SPACE}*+={_SPACE}*+(?:"(?P<double>[^"]*+)|'(?P<single>[^']*+)|(?P<bare>[^ \t\n\f\r>]*+))["']?+)?+""",
    re.VERBOSE,
)
_NAME = re.compile(r"[a-z][a-z0-9]{0,15}")
_REFERENCE = re.compile(r"&[a-z]++;|\xa0")


@dataclass(frozen=True)
class Reduced:
    """``html`` to be parsed, the bare words, and whether it is nested too deep to be parsed at all."""

    html: str
    words: str
    too_deep: bool


def reduce(html: str) -> Reduced:
    """Read ``html`` once and write what can survive cleaning. Takes time in proportion to its length."""
    pieces: list[str] = []
    words: list[str] = []
    depth = _Depth()
    for tag, text in _tokens(html):
        if tag is None:
            plain = unescape(text)
            words.append(plain)
            pieces.append(_parted(escape(plain)))
            continue
        words.append(" ")
        name = tag["name"].lower()
        if not _NAME.fullmatch(name):
            continue
        depth.count(name, bool(tag["end"]))
        pieces.append(f"</{name}>" if tag["end"] else f"<{name}{_attributes(name, tag['attributes'])}>")
    return Reduced("".join(pieces), "".join(words).strip(), depth.exceeded)


def escape(text: str, quote: bool = False) -> str:
    """``text`` as it stands between tags or, with ``quote``, in a double-quoted attribute."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;") if quote else text


def _parted(text: str) -> str:
    """Escaped ``text`` with an invisible element after each :data:`MAX_REFERENCES` references."""
    if text.count("&") + text.count("\xa0") <= MAX_REFERENCES:
        return text
    numbers = itertools.count(1)
    return _REFERENCE.sub(lambda match: match[0] if next(numbers) % MAX_REFERENCES else f"{match[0]}<wbr>", text)


def _tokens(html: str) -> Iterator[tuple[re.Match[str] | None, str]]:
    """Tags and the text between them; comments, scripts and styles are passed over."""
    position = 0
    for match in _TOKEN.finditer(html):
        if match.start() > position:
            yield None, html[position : match.start()]
        position = match.end()
        if match["name"]:
            yield match, ""
    if position < len(html):
        yield None, html[position:]


def _attributes(name: str, source: str) -> str:
    if not source or name in _FORMATTING:
        return ""
    kept: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(source):
        key = match["name"].lower()
        if key not in _KEPT_ATTRIBUTES or key in kept:
            continue
        value = unescape(match["double"] or match["single"] or match["bare"] or "")
        if len(value) <= MAX_VALUE:
            kept[key] = value
        if len(kept) == MAX_ATTRIBUTES:
            break
    return "".join(f' {key}="{escape(value, quote=True)}"' for key, value in kept.items())


class _Depth:
    """How deep elements are nested, at least as deep as a parser would find."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self.exceeded = False

    def count(self, name: str, end: bool) -> None:
        if name in _NEVER_DEEP or self.exceeded:
            return
        if not end:
            self._open.append(name)
            self.exceeded = len(self._open) > MAX_DEPTH
            return
        for position in range(len(self._open) - 1, -1, -1):
            if self._open[position] == name:
                del self._open[position:]
                return
            if self._open[position] in _SCOPES:
                return
