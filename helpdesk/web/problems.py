"""Errors for programs: problem details (RFC 9457) instead of pages."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Response, jsonify
from flask_babel import gettext as _

_TYPE = "application/problem+json"


def problem(
    code: int, detail: str = "", *, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer for a program that asked for something that cannot be done.

    ``detail`` is one sentence; ``fields`` says by name what is wrong with what was sent. ``type`` is left out, which
    means "about:blank": the title is that of the status (RFC 9457, section 4.2.1).
    """
    body: dict[str, object] = {
        "title": HTTPStatus(code).phrase,
        "status": code,
        "detail": detail or sentences().get(code, ""),
    }
    if fields:
        body["errors"] = [{"field": name, "detail": words} for name, words in fields.items()]
    response = jsonify({key: value for key, value in body.items() if value != ""})
    response.status_code, response.mimetype = code, _TYPE
    response.headers.extend(headers or {})
    return response


def sentences() -> Mapping[int, str]:
    """What is said where nothing more exact is known."""
    return {
        400: _("This request cannot be read; send JSON as the documentation shows."),
        403: _("This token may not do that."),
        404: _("There is nothing here that you may see."),
        405: _("This address does not take that method."),
        409: _("Somebody changed the same thing meanwhile; read it again."),
        413: _("This is too large."),
        415: _("Send JSON, with “Content-Type: application/json”."),
        422: _("Something in this request cannot be used."),
        429: _("Too many requests; wait, then try again."),
        500: _("Something went wrong here; it was written down."),
        503: _("The desk cannot answer now; try again in a moment."),
    }
