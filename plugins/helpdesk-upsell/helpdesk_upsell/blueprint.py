"""The plugin's pages under /p/upsell; each module of pages adds its own."""

from typing import Any

from flask import Blueprint, abort, make_response, render_template, request

from helpdesk.api import Ticket, find_ticket, reader
from helpdesk_upsell import amounts, words

pages = Blueprint("upsell", __name__, static_folder="static")

_MOST = 2**31
_PANE = "composer-tool-page"


def show(template: str, code: int = 200, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`words` and :mod:`amounts` as well."""
    return make_response(render_template(f"upsell/{template}", words=words, amounts=amounts, **values), code)


def ticket_of(number: int) -> Ticket:
    """The ticket, when the reader may see it. Not yours and not there are the same 404."""
    found = find_ticket(reader(), number) if number < _MOST else None
    if found is None:
        abort(404)
    return found


def is_beside() -> bool:
    """Whether the page is shown below the composer, where a script puts texts into the answer."""
    return request.headers.get("HX-Target") == _PANE
