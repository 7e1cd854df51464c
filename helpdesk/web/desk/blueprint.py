"""The blueprint that all views of the desk hang on, and what they share."""

from flask import Blueprint, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from helpdesk.web.session import require_sign_in

desk = Blueprint("desk", __name__, url_prefix="/desk")


@desk.before_request
def _staff_only() -> Response | None:
    return require_sign_in("desk.use")


def sent() -> MultiDict[str, str]:
    """What a page sends that is asked for and posted alike: the form of a POST, else the address."""
    return request.form if request.method == "POST" else request.args


def wants_part() -> bool:
    """Whether htmx asks for a part of a page rather than a browser for the whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
