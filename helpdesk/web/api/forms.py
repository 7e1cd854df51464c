"""What a program sent: an object of listed fields, each of its type. Anything else is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, request
from flask_babel import gettext as _

from helpdesk.core.workflow import Invalid

# What an empty value is good for: taking a team or an assignee away.
_MAY_BE_NULL = frozenset({"team", "assignee", "type", "topic"})


def sent(
    types: Mapping[str, type], *, needed: Sequence[str] = (), of: Mapping[str, Any] | None = None, within: str = ""
) -> dict[str, Any]:
    """The fields of the request's JSON object (or of ``of``, a part of it that is called ``within``).

    Raises :class:`Invalid` for a field that is unknown, missing or of another type; aborts with 400 or 415 for what is
    no JSON object.
    """
    body = _body() if of is None else of
    for name, value in body.items():
        kind = types.get(name)
        if kind is None:
            raise Invalid(f"{within}{name[:80]}", _("There is no such field."))
        if value is None and name in _MAY_BE_NULL:
            continue
        if not _fits(value, kind):
            raise Invalid(f"{within}{name}", _takes(kind))
    for name in needed:
        if name not in body:
            raise Invalid(f"{within}{name}", _("This field is missing."))
    return dict(body)


def _fits(value: Any, kind: type) -> bool:
    if kind is int:
        # True is an int to Python, and to nobody else.
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    return isinstance(value, kind)


def _body() -> dict[str, Any]:
    if not request.is_json:
        abort(415)
    try:
        found = request.get_json()
    except RecursionError:
        abort(400)
    if not isinstance(found, dict):
        abort(400)
    return found


def _takes(kind: type) -> str:
    words = {
        str: _("This takes a text."),
        int: _("This takes a number above 0."),
        bool: _("This takes true or false."),
        list: _("This takes a list of texts."),
        dict: _("This takes an object."),
    }
    return words[kind]
