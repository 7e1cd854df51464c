"""Finds words in templates that nobody can translate."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError

# Attributes whose text people read or hear.
_READ = frozenset({"title", "alt", "placeholder", "aria-label", "aria-description", "label"})
_SILENT = frozenset({"script", "style"})
_WORD = re.compile(r"[^\W\d_]{2,}")
# Stands for what Jinja puts in: nobody's letter.
_HOLE = "\x00"


def bare(path: Path) -> Iterator[tuple[int, str]]:
    """Words outside gettext in one template, each with its line."""
    try:
        text = _without_jinja(path.read_text("utf-8"))
    except (TemplateSyntaxError, UnicodeDecodeError):
        # A template that cannot be read is found by the tests that show it.
        return
    if path.suffix != ".html":
        yield from ((number, _short(line)) for number, line in enumerate(text.splitlines(), 1) if _WORD.search(line))
        return
    parser = _Words()
    parser.feed(text)
    parser.close()
    yield from parser.found


def _without_jinja(source: str) -> str:
    """The template with a hole for each expression and block; lines stay where they are."""
    parts: list[str] = []
    inside = translated = False
    lexer = Environment()  # nosec B701 # nothing is rendered
    for _line, kind, text in lexer.lex(source):
        if kind == "data":
            # What stands between trans and endtrans is translated.
            parts.append("\n" * text.count("\n") if translated else text)
        elif kind in ("block_begin", "variable_begin", "comment_begin", "raw_begin"):
            inside, parts = True, [*parts, _HOLE + "\n" * text.count("\n")]
            name = None
        elif kind in ("block_end", "variable_end", "comment_end", "raw_end"):
            inside = False
            parts.append("\n" * text.count("\n"))
        elif inside:
            parts.append("\n" * text.count("\n"))
            if kind == "name" and name is None:
                name = text
                translated = name == "trans" or (translated and name != "endtrans")
    return "".join(parts)


class _Words(HTMLParser):
    """Collects words of the text and of attributes that people read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        for name, value in attrs:
            if name in _READ or (name == "value" and tag == "input" and self._is_button(attrs)):
                self._look(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._look(data)

    def _look(self, text: str) -> None:
        if _WORD.search(text):
            before = len(text) - len(text.lstrip())
            self.found.append((self.getpos()[0] + text[:before].count("\n"), _short(text)))

    @staticmethod
    def _is_button(attrs: list[tuple[str, str | None]]) -> bool:
        return ("type", "submit") in attrs or ("type", "button") in attrs


def _short(text: str) -> str:
    words = " ".join(text.replace(_HOLE, " … ").split())
    return words if len(words) <= 60 else f"{words[:57]}..."
