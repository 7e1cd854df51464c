"""Cleaned HTML read as plain text."""

import re
from dataclasses import dataclass
from html import unescape

# Tags as nh3 writes them: lower case, values in double quotes, so that this reads every one of them.
TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [^\s"=>]+="[^"]*")*)>')
ATTRIBUTE = re.compile(r' ([^\s"=>]+)="([^"]*)"')

_BLOCKS = frozenset(
    "blockquote caption dd div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p pre table tr ul".split()
)
_APART = frozenset("blockquote dl figure h1 h2 h3 h4 h5 h6 hr ol p pre table ul".split())
_SPACE = re.compile(r"[ \t\n\f\r]+")
# Scripts that write no spaces: a line break in the source between two such characters is nothing.
_CJK = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_CJK_BREAK = re.compile(rf"(?<=[{_CJK}])[ \t]*\n[ \t\n]*(?=[{_CJK}])")
_ENDS_CJK = re.compile(rf"[{_CJK}]\Z")


@dataclass
class _Margin:
    """What stands before the lines of a quote or a list item: once ``first``, then ``rest``."""

    first: str
    rest: str
    used: bool = False


class PlainTextReader:
    """Reads one piece of HTML that ``clean_html`` wrote."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._margins: list[_Margin] = []
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._pre = 0
        self._apart = False

    def read(self, html: str) -> str:
        position = 0
        for match in TAG.finditer(html):
            self._text(html[position : match.start()])
            position = match.end()
            if match[1]:
                self._close(match[2])
            else:
                self._open(match[2], {name: unescape(value) for name, value in ATTRIBUTE.findall(match[3])})
        self._text(html[position:])
        self._flush()
        return "\n".join(self._lines).replace("\xa0", " ").strip("\n")

    def _text(self, source: str) -> None:
        if not source:
            return
        text = unescape(source)
        if self._pre:
            first, *rest = text.split("\n")
            self._line.append(first)
            for line in rest:
                self._flush(keep_blank=True)
                self._line.append(line)
            return
        text = _SPACE.sub(" ", _CJK_BREAK.sub("", text))
        if text.startswith(" ") and (not self._line or self._line[-1].endswith(" ")):
            text = text[1:]
        if text:
            self._line.append(text)

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _BLOCKS:
            self._block(tag)
        if tag == "br":
            self._flush(keep_blank=True)
        elif tag == "hr":
            self._line.append("-" * 10)
            self._flush()
        elif tag == "pre":
            self._pre += 1
        elif tag == "blockquote":
            self._space()
            self._margins.append(_Margin("> ", "> "))
        elif tag == "ul":
            self._lists.append(None)
        elif tag == "ol":
            self._lists.append(int(attributes.get("start", "1")))
        elif tag == "li":
            self._margins.append(self._bullet())
        elif tag == "a":
            self._links.append((attributes.get("href", ""), len(self._line)))
        elif tag in ("td", "th"):
            if "".join(self._line).strip():
                self._line.append(" | ")
        elif tag == "q":
            self._line.append('"')

    def _close(self, tag: str) -> None:
        if tag == "a":
            self._link()
        elif tag == "q":
            self._line.append('"')
        if tag not in _BLOCKS:
            return
        self._block(tag)
        if tag == "pre":
            self._pre = max(self._pre - 1, 0)
        elif tag in ("blockquote", "li") and self._margins:
            self._margins.pop()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()

    def _block(self, tag: str) -> None:
        self._flush()
        starts_item = bool(self._margins) and not self._margins[-1].used
        nested = tag in ("ul", "ol") and len(self._lists) > (0 if tag == "li" else 1)
        if tag in _APART and self._lines and not starts_item and not nested:
            self._apart = True

    def _bullet(self) -> _Margin:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return _Margin("- ", "  ")
        self._lists[-1] = number + 1
        mark = f"{number}. "
        return _Margin(mark, " " * len(mark))

    def _link(self) -> None:
        if not self._links:
            return
        href, start = self._links.pop()
        shown = "".join(self._line[start:]).strip()
        bare = href.removeprefix("mailto:").removeprefix("https://").removeprefix("http://").rstrip("/")
        if href and shown and shown not in (href, bare) and shown.rstrip("/") != href.rstrip("/"):
            self._line.append(f" <{href.removeprefix('mailto:')}>")

    def _space(self) -> None:
        """Write the blank line that is due, before the margin changes."""
        if self._apart and self._lines and self._lines[-1].strip("> "):
            self._lines.append("".join(margin.rest for margin in self._margins).rstrip())
        self._apart = False

    def _flush(self, keep_blank: bool = False) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._pre else text.strip()
        self._line.clear()
        self._links = [(href, 0) for href, _ in self._links]
        if not text and not keep_blank:
            return
        if not text and (not self._lines or not self._lines[-1].strip("> ")):
            return
        self._space()
        before = []
        for margin in self._margins:
            before.append(margin.rest if margin.used else margin.first)
            margin.used = True
        self._lines.append(("".join(before) + text).rstrip())
