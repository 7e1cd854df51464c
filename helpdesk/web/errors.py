"""Every error as a page with one clear sentence, or as plain text where nobody reads pages."""

from typing import Any

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from helpdesk.core.extensions import db
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import Busy, CannotWrite, disk_sentence
from helpdesk.web.access import for_programs
from helpdesk.web.problems import problem

_PAGES = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(NotAllowed, _not_allowed)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(OSError, _disk)
    app.register_error_handler(Exception, _unexpected)


def error_page(code: int, sentence: str = "") -> Response:
    """The page for a status code. ``sentence`` says it more exactly than the page would."""
    if for_programs():
        return problem(code, sentence, headers={"Retry-After": "5"} if code == 503 else None)
    page = code if code in _PAGES else (500 if code >= 500 else 400)
    try:
        body = render_template(f"errors/{page}.html", sentence=sentence, code=code)
    except Exception:  # noqa: BLE001 - the page itself cannot be made (no database): plain words
        current_app.logger.exception("The error page could not be rendered.")
        response = make_response(sentence or "The desk cannot answer now. Try again in a moment.", code)
        response.mimetype = "text/plain"
        return response
    response = make_response(body, code)
    if code == 503:
        response.headers["Retry-After"] = "5"
    return response


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error
    response = error_page(error.code)
    if error.code == 405:
        response.headers["Allow"] = error.get_response().headers.get("Allow", "")
    return response


def _csrf(_error: CSRFError) -> Response:
    # Strangers could fill the log with these.
    if current_user.is_authenticated:
        current_app.logger.warning("%s was refused: the form of %s has no token that fits.", _asked(), _reader())
    sentence = _(
        "This form is too old or was opened in another session. "
        "Go back, reload the page and send it again; your text is still there."
    )
    return error_page(400, sentence)


def _not_allowed(error: NotAllowed) -> Response:
    current_app.logger.warning("%s was refused: %s lacks %s.", _asked(), _reader(), error.permission)
    return error_page(403, str(error))


def _busy(error: Busy) -> Response:
    db.session.rollback()
    return error_page(503, str(error) if isinstance(error, CannotWrite) else "")


def _database(error: OperationalError) -> Response:
    db.session.rollback()
    current_app.logger.error("Database: %s", error.orig, exc_info=error)
    return error_page(503, disk_sentence(error))


def _disk(error: OSError) -> Any:
    """A file that could not be kept, because the disk is full or can only be read."""
    sentence = disk_sentence(error)
    if not sentence:
        return _unexpected(error)
    db.session.rollback()
    current_app.logger.error("Disk: %s", error, exc_info=error)
    return error_page(503, sentence)


def _unexpected(error: Exception) -> Any:
    db.session.rollback()
    if current_app.debug or (current_app.testing and not current_app.config.get("SHOW_ERROR_PAGES")):
        raise error
    current_app.logger.error("%s failed.", _asked(), exc_info=error)
    return error_page(500)


def _asked() -> str:
    """What was asked for, without what stands in an address: links have their secrets there."""
    numbers = [f"{name} {value}" for name, value in (request.view_args or {}).items() if isinstance(value, int)]
    rule = request.url_rule.rule if request.url_rule is not None else "an address that is not there"
    return f"{request.method} {rule}" + (f" ({', '.join(numbers)})" if numbers else "")


def _reader() -> str:
    return f"user {current_user.id}" if current_user.is_authenticated else "a stranger"
