"""Markdown of lessons as harmless HTML, and the language in which a text is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from flask import url_for
from markupsafe import Markup, escape

from helpdesk.api import clean_html, fallbacks

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Address = Callable[[str], str | None]
# Hosts that cannot be (RFC 2606) stand for files and lessons until the text has been cleaned.
_FILE, _LESSON = "https://file.invalid/", "https://lesson.invalid/"
_STANDS_FOR = re.compile(r'href="https://(file|lesson)\.invalid/([^"]*)"')


@cache
def _markdown() -> MarkdownIt:
    # Imported only here: every command would start with it, and few show a lesson.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def lesson_html(
    course_id: int, text: str, *, file_url: Address | None = None, lesson_url: Address | None = None
) -> Markup:
    """The Markdown of a lesson as HTML in which nothing acts: its own pictures, files and lessons are linked.

    HTML in the text is shown as it was typed; pictures from elsewhere give way to their alternative text.
    """
    files = file_url or (lambda name: url_for("training.course_file", course_id=course_id, name=name))
    lessons = lesson_url or (lambda key: url_for("training.lesson_link", course_id=course_id, lesson_id=key))
    markdown = _markdown()
    tokens = markdown.parse(text)
    _point_inwards(tokens)
    html = clean_html(markdown.renderer.render(tokens, markdown.options, {}), files)

    def address(found: re.Match[str]) -> str:
        target = (files if found[1] == "file" else lessons)(unquote(found[2]))
        return f'href="{escape(target)}"' if target is not None else ""

    return Markup(_STANDS_FOR.sub(address, html))  # nosec B704 # cleaned above


def named_files(text: str) -> set[str]:
    """The names of the course's files that a lesson shows or links to."""
    return {name for kind, name in _targets(text) if kind == "file"}


def named_lessons(text: str) -> set[str]:
    """The ids of the lessons that a lesson links to."""
    return {name for kind, name in _targets(text) if kind == "lesson"}


def targets(text: str) -> list[str]:
    """Every address that a Markdown text links to or shows, as it is written."""
    return [str(token.attrs[_ATTRIBUTE[token.type]]) for token in _flat(_markdown().parse(text)) if _has_target(token)]


def locale_of(texts: Mapping[str, Any] | None, locale: str | None) -> str | None:
    """In which language a text is there for a reader: theirs, one near to it, else the first; None: in none."""
    if not texts:
        return None
    for code in (locale, *(fallbacks(locale) if locale else ())):
        if code in texts:
            return code
    return next(iter(texts))


def words(texts: Mapping[str, Any] | None, locale: str | None) -> Any:
    """What a text says in the language of :func:`locale_of`; "" where it is in none."""
    found = locale_of(texts, locale)
    return texts[found] if texts and found is not None else ""


_ATTRIBUTE = {"link_open": "href", "image": "src"}


def _has_target(token: Token) -> bool:
    return token.type in _ATTRIBUTE and _ATTRIBUTE[token.type] in token.attrs


def _flat(tokens: list[Token]) -> list[Token]:
    found = []
    for token in tokens:
        found.append(token)
        found += _flat(token.children or [])
    return found


def _point_inwards(tokens: list[Token]) -> None:
    for token in _flat(tokens):
        if not _has_target(token):
            continue
        kind, name = _kind(str(token.attrs[_ATTRIBUTE[token.type]]))
        if token.type == "image":
            # What is left of a picture from elsewhere is its alternative text.
            token.attrs["src"] = f"cid:{quote(name, safe='')}" if kind == "file" else ""
        elif kind:
            token.attrs["href"] = (_FILE if kind == "file" else _LESSON) + quote(name, safe="")


def _targets(text: str) -> list[tuple[str, str]]:
    return [_kind(target) for target in targets(text)]


def _kind(target: str) -> tuple[str, str]:
    """Whether an address is a file's or a lesson's, and its name; ("", "") for one that leads elsewhere."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "", ""
    if parts.scheme == "lesson":
        return "lesson", unquote(parts.path)
    if parts.scheme or parts.netloc or not parts.path:
        return "", ""
    return "file", unquote(parts.path).rsplit("/", 1)[-1]
