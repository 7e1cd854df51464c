"""The plugin's pages under /p/training; each module of pages adds its own."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, make_response, render_template
from flask_babel import get_locale

from helpdesk.api import number_in, text_direction
from helpdesk_training import rendering, words

pages = Blueprint("training", __name__, static_folder="static")


def show(template: str, code: int = 200, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`words`, and the language in which a text is there."""
    known = {"words": words, "here": locale(), "said": said, "phrase": phrase, "tongue": tongue}
    known["direction"] = text_direction
    return make_response(render_template(f"training/{template}", **known, **values), code)


def locale() -> str:
    """The reader's language."""
    return str(get_locale())


def said(texts: Any) -> Any:
    """The words of a lesson, a question or a task in the reader's language, or in one that it has."""
    return rendering.words(texts, locale()) or {}


def phrase(texts: Any) -> str:
    """The same of a line that is one text in each language."""
    return str(rendering.words(texts, locale()))


def tongue(texts: Any) -> str:
    """The language in which :func:`said` answers."""
    return rendering.locale_of(texts, locale()) or locale()


def numbers_in(texts: Sequence[str]) -> list[int]:
    """All numbers of rows among what was sent."""
    return [number for text in texts if (number := number_in(text)) is not None]
