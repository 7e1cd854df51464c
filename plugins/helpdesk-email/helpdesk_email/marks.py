"""Sentences of a process that knows nobody's language: it leaves marks, which become words where they are read."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import flask_babel
from markupsafe import escape

from helpdesk.api import gettext as _

# No value of a sentence needs more, whatever a mail has put there.
_LONGEST = 300
Said = tuple[str, Mapping[str, Any]]


class Marks:
    """The sentences that were said in one process. ``secret`` is in each mark, so that no mail can have any."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.said: list[Said] = []

    def install(self) -> None:
        """From now on every sentence of this process is a mark. Not to be taken back."""
        flask_babel.Domain.gettext = lambda _domain, text, **values: self._mark(text, values)  # type: ignore[method-assign]

    def _mark(self, text: str, values: Mapping[str, Any]) -> str:
        kept = {name: value if isinstance(value, int) else str(value)[:_LONGEST] for name, value in values.items()}
        sentence = text, kept
        if sentence not in self.said:
            self.said.append(sentence)
        # Letters and digits alone: they stay whole in text and in HTML.
        return f"{self._secret}n{self.said.index(sentence)}n"


def put_into_words(answer: Any, secret: str, said: Sequence[Said]) -> Any:
    """An answer (as JSON) with its sentences in the language that is spoken now; they are escaped in HTML."""
    pattern = re.compile(rf"{secret}n(\d+)n")

    def words(text: str) -> str:
        return pattern.sub(lambda mark: sentence(int(mark[1])), text)

    def sentence(number: int) -> str:
        text, values = said[number]
        return _(text, **{name: words(value) if isinstance(value, str) else value for name, value in values.items()})

    def worded(value: Any, html: bool = False) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda mark: str(escape(sentence(int(mark[1])))), value) if html else words(value)
        if isinstance(value, list):
            return [worded(one) for one in value]
        if isinstance(value, dict):
            return {key: worded(one, key == "html") for key, one in value.items()}
        return value

    return worded(answer)
