"""What the owner calls teams, ticket fields, their choices and statuses, in the language of whoever reads.

A row has a name of its own; other languages stand in ``label_text``. All of them are kept in memory until something
changes, so that a page asks for none of them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask_babel import get_locale
from sqlalchemy import delete, select

from helpdesk.core import generation, languages, words
from helpdesk.core.extensions import db
from helpdesk.core.models import LabelText, TicketField
from helpdesk.core.models.columns import storable
from helpdesk.core.models.language import CHOICES, FIELD, LABEL_KINDS, STATUS, TEAM, TOPIC, TYPE

__all__ = [
    "CHOICES",
    "FIELD",
    "STATUS",
    "TEAM",
    "TOPIC",
    "TYPE",
    "choice_label",
    "choice_texts",
    "choices_of",
    "field_label",
    "keep",
    "keep_choices",
    "name",
    "of_field_key",
    "team_name",
    "texts",
    "too_long",
]


class _Team(Protocol):
    id: int
    name: str


class _Field(Protocol):
    id: int
    label: str
    choices: list[Any]


def name(kind: str, object_id: int, own: str, locale: str | None = None) -> str:
    """The name of an object in ``locale`` (the reader's if not given) or along its chain, else its ``own``.

    No query of its own.
    """
    return _along(_all().get((kind, object_id)), locale) or own


def team_name(team: _Team, locale: str | None = None) -> str:
    """What a team is called in the reader's language."""
    return name(TEAM, team.id, team.name, locale)


def field_label(field: _Field, locale: str | None = None) -> str:
    """What a ticket field is called in the reader's language."""
    return name(FIELD, field.id, field.label, locale)


def choice_label(field: _Field, choice: Any, locale: str | None = None) -> str:
    """What a choice of a ticket field is called in the reader's language; tickets keep the choice itself."""
    found = _along(_all().get((CHOICES, field.id)), locale)
    return str((_object(found).get(str(choice)) if found else None) or choice)


def choices_of(field: _Field) -> list[tuple[Any, str]]:
    """The choices of a field for a form: each with its words in the reader's language."""
    return [(choice, choice_label(field, choice)) for choice in field.choices]


def of_field_key(key: str, own: str, value: str) -> tuple[str, str]:
    """Label and value of a field that is known by its key (in the history), in the reader's language."""
    number = generation.cached("labels:fields", _load_fields).get(key)
    locale = str(get_locale() or "")
    if number is None:
        return own, value
    choices = _along(_all().get((CHOICES, number)), locale)
    return name(FIELD, number, own, locale), str((_object(choices).get(value) if choices else None) or value)


def texts(kind: str, object_id: int) -> dict[str, str]:
    """The names of one object in other languages, by language: what its form shows."""
    return dict(_all().get((kind, object_id), {}))


def choice_texts(field_id: int, choices: Sequence[Any]) -> dict[str, list[str]]:
    """For each language a line for each choice, "" where there is none: what the form of a field shows."""
    found = _all().get((CHOICES, field_id), {})
    return {code: [str(_object(text).get(str(choice), "")) for choice in choices] for code, text in found.items()}


def too_long(wanted: Mapping[str, str], length: int) -> str | None:
    """The first language whose name is longer than ``length``, or None."""
    return next((code for code, text in wanted.items() if len(_line(text)) > length), None)


def keep(kind: str, object_id: int, wanted: Mapping[str, str]) -> None:
    """Store the names of an object by language; "" removes one, languages that are not named stay.

    Joins the open transaction.
    """
    if kind not in LABEL_KINDS:
        raise ValueError(f"There are no labels of the kind {kind}.")
    _store(kind, object_id, {code: _line(text) for code, text in wanted.items()})


def keep_choices(field_id: int, choices: Sequence[Any], wanted: Mapping[str, Sequence[str]]) -> None:
    """Store what the choices of a field are called: for each language a line for each choice, in their order.

    Joins the open transaction.
    """
    named = {}
    for code, lines in wanted.items():
        found = {str(choice): _line(line) for choice, line in zip(choices, lines, strict=False) if _line(line)}
        named[code] = json.dumps(found, ensure_ascii=False, sort_keys=True) if found else ""
    _store(CHOICES, field_id, named)


def _store(kind: str, object_id: int, wanted: Mapping[str, str]) -> None:
    same = (LabelText.kind == kind) & (LabelText.object_id == object_id)
    before = {row.locale: row.text for row in db.session.scalars(select(LabelText).where(same))}
    changed = {code: text for code, text in wanted.items() if text != before.get(code, "")}
    if not changed:
        return
    for code, text in changed.items():
        if text:
            db.session.merge(LabelText(kind=kind, object_id=object_id, locale=code, text=text))
        else:
            db.session.execute(delete(LabelText).where(same, LabelText.locale == code))
    generation.bump()


def _along(found: Mapping[str, str] | None, locale: str | None) -> str | None:
    """The text in ``locale`` (the reader's), or in the nearest form of it: ``zh_TW``, ``zh_Hant``, ``zh``."""
    if not found:
        return None
    return next((found[code] for code in languages.chain(locale or str(get_locale() or "")) if code in found), None)


def _all() -> Mapping[tuple[str, int], Mapping[str, str]]:
    return words.current().labels


def _load_fields() -> Mapping[str, int]:
    """The numbers of those fields that have labels, by key."""
    query = select(TicketField.key, TicketField.id)
    labelled = select(LabelText.object_id).where(LabelText.kind.in_((FIELD, CHOICES)))
    return {key: number for key, number in db.session.execute(query.where(TicketField.id.in_(labelled)))}


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _line(text: str) -> str:
    return " ".join(storable(text).split())
