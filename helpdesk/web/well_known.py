"""Pages at agreed places: where to report a hole, where to change a password, what search engines leave out."""

from datetime import timedelta

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.core import i18n, links
from helpdesk.core.clock import now
from helpdesk.core.settings import DeskSettings, get

well_known = Blueprint("well_known", __name__)

# A report must not go to a desk that nobody looks after: good for half a year, and made anew while the desk runs.
LIFETIME = timedelta(days=182)
# What is somebody's own, or a way in. Pages of plugins say themselves who may open them.
_PRIVATE = ("/admin/", "/api/", "/auth/", "/desk/", "/setup/", "/t/", "/tickets", "/unsubscribe/")


@well_known.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Where to report a security hole (RFC 9116). Not there while nobody can be named."""
    contact = _contact()
    if not contact:
        abort(404)
    expires = (now() + LIFETIME).replace(hour=0, minute=0, second=0, microsecond=0)
    spoken = dict.fromkeys([i18n.html_lang(i18n.default_locale()), "en"])
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(spoken)}",
    ]
    if _is_https(links.address()):
        lines.append(f"Canonical: {links.address()}{request.path}")
    return _text(lines)


@well_known.get("/.well-known/change-password")
def change_password() -> BaseResponse:
    """Leads password managers to the form for a new password (W3C, “A Well-Known URL for Changing Passwords”)."""
    if not current_user.is_authenticated:
        return redirect(url_for("auth.sign_in", next=request.path), 303)
    return redirect(url_for("auth.security"), 303)


@well_known.get("/robots.txt")
def robots_txt() -> Response:
    """What search engines leave out (RFC 9309); it keeps nobody else away."""
    return _text(["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE)])


def _contact() -> str:
    """The owner's choice as a URI, else the desk's own form; empty where that is not reached by https."""
    chosen = get(DeskSettings).security_contact
    if chosen:
        return chosen if _is_https(chosen) else f"mailto:{chosen}"
    return f"{links.address()}/" if _is_https(links.address()) else ""


def _is_https(address: str) -> bool:
    return address.startswith("https://")


def _text(lines: list[str]) -> Response:
    return Response("\n".join(lines) + "\n", mimetype="text/plain")
