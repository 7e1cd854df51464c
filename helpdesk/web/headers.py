"""The headers of every answer."""

from flask import Flask, Response, g, request
from flask_login import current_user

# The rich editor (vendor/trix) writes two small style elements, each first empty: exactly these are let in.
_EDITOR_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-jAP18ioNeNaQBBU5RJvT96kjJnVxHvZs+s8WUNiLnvA=' "
    "'sha256-c5Z9aB2t69CSpeI1aC8dDLr7LZYZlynV8iY/8Uc9ZFk='"
)
_POLICY = (
    f"default-src 'self'; script-src 'self'; style-src 'self' {_EDITOR_STYLES}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# For files that people sent: nothing in them may run or load, wherever they are opened.
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def init_app(app: Flask) -> None:
    """Add the headers after every request."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static" and "Cache-Control" not in headers and (_personal() or response.status_code >= 400):
        headers["Cache-Control"] = "no-store"
    return response


def _personal() -> bool:
    """Whether the page shows something of a person: signed in, a signed link, or a form with its token."""
    return bool(g.get("no_store")) or request.method != "GET" or (current_user and current_user.is_authenticated)
