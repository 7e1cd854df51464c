"""All words that the owner wrote: corrected texts, names in other languages. One query, kept until a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, null, select, union_all

from helpdesk.core import generation
from helpdesk.core.extensions import db
from helpdesk.core.models import CorrectedString, LabelText


@dataclass(frozen=True)
class Correction:
    """A text of the screen as the owner wants it: one text, or one for each plural form."""

    context: str | None
    message: str
    plural: str | None
    texts: tuple[str, ...]

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.message


@dataclass(frozen=True)
class Words:
    """``labels``: by kind and object, then by language. ``corrections``: by language."""

    labels: Mapping[tuple[str, int], Mapping[str, str]]
    corrections: Mapping[str, tuple[Correction, ...]]


def current() -> Words:
    """At most two seconds old."""
    return generation.cached("words", _load)


def _load() -> Words:
    corrected = select(
        literal("").label("kind"),
        CorrectedString.id,
        CorrectedString.locale,
        CorrectedString.message,
        CorrectedString.context,
        CorrectedString.plural,
        CorrectedString.texts,
    )
    named = select(LabelText.kind, LabelText.object_id, LabelText.locale, LabelText.text, null(), null(), null())
    labels: dict[tuple[str, int], dict[str, str]] = {}
    corrections: dict[str, list[Correction]] = {}
    rows: Any = db.session.execute(union_all(corrected, named))
    for kind, number, locale, text, context, plural, texts in rows:
        if kind:
            labels.setdefault((kind, number), {})[locale] = text
        elif isinstance(texts, list):
            one = Correction(context, text, plural, tuple(str(form) for form in texts))
            corrections.setdefault(locale, []).append(one)
    return Words(labels, {code: tuple(sorted(found, key=_order)) for code, found in corrections.items()})


def _order(one: Correction) -> tuple[str, str]:
    return one.message, one.context or ""
