"""The plugin's pages under /p/multilingual; each module of pages adds its own."""

from typing import Any

from flask import Blueprint, abort, make_response, render_template, request

from helpdesk.api import Message, Ticket, User, db, find_ticket, reader
from helpdesk_multilingual import choosing

pages = Blueprint("multilingual", __name__, static_folder="static")
# The pane of the composer in which a tool's page is shown.
_PANE = "composer-tool-page"
# Numbers of rows end here in every database.
_MOST = 2**31


def show(template: str, code: int = 200, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`choosing` as ``words``."""
    return make_response(render_template(f"multilingual/{template}", words=choosing, **values), code)


def is_beside() -> bool:
    """Whether the page is shown below the composer, where a script puts texts into the answer."""
    return request.headers.get("HX-Target") == _PANE


def is_part() -> bool:
    """Whether htmx asks for a part of a page rather than a browser for the whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def ticket_of(number: int) -> Ticket:
    """The ticket, when the reader may see it. Not yours and not there are the same 404."""
    found = find_ticket(reader(), number) if number < _MOST else None
    if found is None:
        abort(404)
    return found


def message_of(message_id: int) -> tuple[Message, Ticket]:
    """A message and its ticket, when the reader may see that."""
    found = db.session.get(Message, message_id) if message_id < _MOST else None
    if found is None:
        abort(404)
    return found, ticket_of(found.ticket_id)


def person_of(user_id: int) -> User:
    """Somebody who is there."""
    found = db.session.get(User, user_id) if user_id < _MOST else None
    if found is None or found.is_service:
        abort(404)
    return found


def row_of(model: Any, number: int) -> Any:
    """A row of a table of the plugin's."""
    found = db.session.get(model, number) if number < _MOST else None
    if found is None:
        abort(404)
    return found
