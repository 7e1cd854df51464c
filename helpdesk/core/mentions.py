"""Where a text, HTML or JSON says who a person is: found, and replaced by other words."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, Text, cast, or_

from helpdesk.core.plaintext import ATTRIBUTE, TAG

# Letters of scripts that put no spaces between words (Thai to Burmese, Khmer, kana, Han, Hangul): what stands beside
# one of them may well be another word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
_UNSPACED += "\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"[^\W{_UNSPACED}]"
# A whole name in one word, as only Chinese, Japanese and Korean have it. Two letters are a word too often.
_WHOLE = re.compile("[\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]{3,}")
_BETWEEN = re.compile(r"[\s\u00b7\u30fb]+")


@dataclass(frozen=True)
class Mentions:
    """A person's address and name, and what to write in their place.

    Only a whole address counts: "ann@post.example" is not in "joann@post.example". Only a name in several words counts,
    and whole: a single one ("Will", "Open") may be any word, so it stays.
    """

    address: str | None
    name: str
    instead: str
    # Addresses and names that the person has beside these.
    others: tuple[tuple[str | None, str], ...] = ()

    def has_address(self, text: str) -> bool:
        """Whether the address stands in a text by itself."""
        return any(pattern.search(text) is not None for pattern in self._addresses())

    def without_address(self, value: Any) -> Any:
        """JSON with the address replaced in all its texts, keys too; nothing else is touched."""
        if isinstance(value, dict):
            return {self.without_address(key): self.without_address(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.without_address(item) for item in value]
        return self._replaced(value, self._addresses()) if isinstance(value, str) else value

    def without(self, text: str) -> str:
        """Plain text with the address and the whole name replaced, in any case of letters."""
        return self._replaced(text, [*self._addresses(), *self._whole_names()])

    def without_in_html(self, html: str) -> str:
        """Cleaned HTML: replaced between the tags. A link (or other attribute) with the address loses it whole."""
        found, at = [], 0
        for tag in TAG.finditer(html):
            found += [self._between(html[at : tag.start()]), ATTRIBUTE.sub(self._attribute, tag[0])]
            at = tag.end()
        return "".join([*found, self._between(html[at:])])

    def _between(self, source: str) -> str:
        text = unescape(source)
        replaced = self.without(text)
        return source if replaced == text else escape(replaced, quote=False).replace("\xa0", "&nbsp;")

    def _attribute(self, attribute: re.Match[str]) -> str:
        return "" if self.has_address(unquote(unescape(attribute[2]))) else attribute[0]

    def _replaced(self, text: str, patterns: Iterable[re.Pattern[str]]) -> str:
        for pattern in patterns:
            text = pattern.sub(lambda _match: self.instead, text)
        return text

    def _addresses(self) -> Iterator[re.Pattern[str]]:
        for address in (self.address, *(address for address, _name in self.others)):
            if address:
                first, last = _neighbour(address[0], r"\w"), _neighbour(address[-1], r"\w")
                behind = rf"(?!{last}|[.-]+{last})"
                before = rf"(?<!{first})(?<![+-])(?<!{first}\.)"
                yield re.compile(f"{before}{re.escape(address)}{behind}", re.IGNORECASE)

    def _whole_names(self) -> Iterator[re.Pattern[str]]:
        for name in (self.name, *(name for _address, name in self.others)):
            parts = [part for part in _BETWEEN.split(name) if part]
            if len(parts) < 2 and not _WHOLE.fullmatch(name):
                continue
            words = r"[\s\u00b7\u30fb]+".join(re.escape(part) for part in parts)
            first, last = _neighbour(parts[0][0], r"[^\w\W]"), _neighbour(parts[-1][-1], r"[^\w\W]")
            yield re.compile(rf"(?<!{first}){words}(?!{last})", re.IGNORECASE)


def _neighbour(edge: str, of_unspaced: str) -> str:
    """What may not stand beside the first or last letter, or it would be part of a longer word."""
    return of_unspaced if re.match(f"[{_UNSPACED}]", edge) else _LETTER


def in_json(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a column of JSON may have a text in it: what to read, before :class:`Mentions` looks closely."""
    # PostgreSQL writes every letter as it is, SQLite keeps others than ASCII escaped.
    forms = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return or_(*(cast(column, Text).icontains(form, autoescape=True) for form in forms))
