"""The headers of every answer."""

from flask import Flask, Response, current_app, g, request, session
from flask_login import current_user

from helpdesk.core.config import Config

# The rich editor (vendor/trix) writes two small style elements, each first empty: exactly these are let in.
_EDITOR_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-jAP18ioNeNaQBBU5RJvT96kjJnVxHvZs+s8WUNiLnvA=' "
    "'sha256-c5Z9aB2t69CSpeI1aC8dDLr7LZYZlynV8iY/8Uc9ZFk='"
)
PAGE_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_EDITOR_STYLES}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# For files that people sent: nothing in them may run or load, wherever they are opened.
FILE_POLICY = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_POLICY = "Content-Security-Policy"
# What no page of the desk wants is closed to whatever gets into one.
_CLOSED = "camera display-capture geolocation hid microphone midi payment serial usb"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _CLOSED.split()),
}
# A year. Without includeSubDomains: other names of the owner's are not ours to speak for (RFC 6797, section 11.4).
_HTTPS_ONLY = "max-age=31536000"


def init_app(app: Flask) -> None:
    """Add the headers after every request."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers.update(_HEADERS)
    if headers.get(_POLICY) != FILE_POLICY:
        # Browsers keep each policy that they are sent: that of a plugin's page can narrow ours, never widen it.
        headers.add(_POLICY, PAGE_POLICY)
    config: Config = current_app.config["HELPDESK"]
    if config.is_https:
        headers["Strict-Transport-Security"] = _HTTPS_ONLY
    if request.endpoint != "static" and "Cache-Control" not in headers and (_personal() or response.status_code >= 400):
        headers["Cache-Control"] = "no-store"
    return response


def _personal() -> bool:
    """Whether the page shows something of a person: signed in, a signed link, or a form with its token."""
    if g.get("no_store") or request.method != "GET" or session.modified:
        return True
    return bool(current_user and current_user.is_authenticated)
