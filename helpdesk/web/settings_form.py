"""Forms made from settings dataclasses."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from helpdesk.core import settings
from helpdesk.plugins.contributions import SettingsGroup


@dataclass(frozen=True)
class FormField:
    """One setting as the form shows it."""

    name: str
    kind: str
    label: Any
    hint: Any
    value: Any
    default: Any
    choices: list[tuple[str, Any]]
    required: bool
    # A secret is never sent to the browser; the form says whether there is one.
    is_secret: bool
    is_set: bool
    error: str


def fields_of(
    group: SettingsGroup, typed: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None
) -> list[FormField]:
    """The fields of a group with what is saved, or with what was typed and what is wrong with it."""
    current: Any = settings.get(group.model)
    kinds = get_type_hints(group.model)
    return [_field(item, kinds[item.name], current, typed, errors or {}) for item in shown_fields(group.model)]


def values_of(group: SettingsGroup, form: MultiDict[str, str]) -> dict[str, Any]:
    """What a form says of a group: an unticked box is False, an empty secret stays as it is."""
    kinds = get_type_hints(group.model)
    values: dict[str, Any] = {}
    for item in shown_fields(group.model):
        if kinds[item.name] is bool:
            values[item.name] = item.name in form
        elif item.metadata.get("secret") and not form.get(item.name):
            continue
        elif item.name in form:
            values[item.name] = form[item.name]
    return values


def shown_fields(model: type) -> list[dataclasses.Field[Any]]:
    """The fields of a settings dataclass that forms show."""
    return [item for item in dataclasses.fields(model) if not item.metadata.get("internal")]


def _field(
    item: dataclasses.Field[Any], kind: Any, current: Any, typed: Mapping[str, Any] | None, errors: Mapping[str, str]
) -> FormField:
    meta = item.metadata
    secret = bool(meta.get("secret"))
    choices = settings.choices_of(item)
    saved = getattr(current, item.name)
    shown = "" if secret else (typed or {}).get(item.name, saved)
    return FormField(
        name=item.name,
        kind=_kind(kind, meta, choices),
        label=meta.get("label", item.name),
        hint=meta.get("hint", ""),
        value=shown,
        default="" if secret else _default(item, choices),
        choices=choices,
        required=bool(meta.get("required")),
        is_secret=secret,
        is_set=secret and bool(saved),
        error=errors.get(item.name, ""),
    )


def _kind(kind: Any, meta: Mapping[str, Any], choices: list[tuple[str, Any]]) -> str:
    if kind is bool:
        return "checkbox"
    if choices:
        return "select"
    if meta.get("multiline"):
        return "textarea"
    if meta.get("secret"):
        return "password"
    return "number" if kind is int else "text"


def _default(item: dataclasses.Field[Any], choices: list[tuple[str, Any]]) -> Any:
    """The default in words."""
    value: Any = item.default
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return dict(choices).get(value, value)
