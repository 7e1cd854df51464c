"""What every page's look needs from the server: the theme, the owner's colours, the reader's language."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.core import i18n, theming
from helpdesk.core.settings import DeskSettings, get
from helpdesk.web import brand, preview
from helpdesk.web.headers import FILE_POLICY

look = Blueprint("look", __name__)
look.before_app_request(preview.prepare)
look.after_app_request(preview.add_bar)
look.app_context_processor(preview.context)

YEAR = 365 * 24 * 3600
_OWN_FILE = re.compile(r"(url\(\s*[\"']?)/theme/([^\"')?#\s]+)", re.IGNORECASE)


@look.get("/theme.css")
def theme_css() -> Response:
    """The theme's rules and the owner's colour: written here, so that no page needs an inline style.

    ``v`` says of which theme, and what is in it: the answer is the same for everybody, and no cache can mix two.
    """
    wanted = request.args.get("v", "")
    name = wanted.rpartition("_")[0]
    if name not in theming.themes():
        name = theming.used_name()
    rules = _stylesheet(name)
    is_named = _version(name, rules) == wanted
    if not is_named and name != theming.used_name():
        rules = _stylesheet(theming.used_name())
    answer = Response(rules, mimetype="text/css")
    if is_named:
        answer.cache_control.public = True
        answer.cache_control.max_age = YEAR
    else:
        answer.cache_control.no_cache = True
    return answer


@look.post("/language")
def language() -> BaseResponse:
    """Remember the language of this visit and go back to where the reader was."""
    code = i18n.known_locale(request.form.get("locale"))
    if code is None:
        abort(422)
    answer = redirect(local_path(request.form.get("next")) or url_for("portal.home"), 303)
    secure = current_app.config["HELPDESK"].is_https
    answer.set_cookie(i18n.cookie_name(), code, max_age=YEAR, samesite="Lax", httponly=True, secure=secure)
    return answer


def local_path(target: str | None) -> str | None:
    """``target`` when it is a path on this desk, else None: a form must not send people elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(mark) < 33 or mark == "\\" for mark in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None


@look.app_template_global()
def look_version() -> str:
    """Names the stylesheet of the page's theme and what is in it, so that browsers may keep it for long."""
    name = theming.current_name()
    return _version(name, _stylesheet(name))


@look.app_template_filter()
def initials(name: str) -> str:
    """Two letters that stand for a person: first and last word, or the end of a name without spaces."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()] or [name or "?"]
    if len(words) > 1:
        return (words[0][0] + words[-1][0]).upper()
    word = words[0]
    # Chinese, Japanese and Korean names are told apart by their end.
    return word[-2:] if "\u2e80" <= word[0] <= "\ud7ff" else word[:2].upper()


@look.get("/theme/<path:name>")
def theme_file(name: str) -> Response:
    """A picture or font of a theme, or of one that it extends. ``theme`` and ``v`` are written by :func:`theme_url`."""
    theme = request.args.get("theme") or theming.current_name()
    path = _file(theme, name)
    if path is None:
        abort(404)
    answer = send_file(path, conditional=True)
    # A picture (SVG) of a theme is no page: opened by itself, nothing in it runs.
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    if request.args.get("v") == _stamp(path):
        answer.cache_control.public = True
        answer.cache_control.max_age = YEAR
    else:
        answer.cache_control.no_cache = True
    return answer


@look.app_template_global()
def theme_url(name: str) -> str:
    """The address of a file in ``static/`` of the page's theme; it changes with the theme and the file."""
    return _file_url(theming.current_name(), name)


def _file_url(theme: str, name: str) -> str:
    path = _file(theme, name)
    return url_for("look.theme_file", name=name, theme=theme, v=_stamp(path) if path else None)


def _file(theme: str, name: str) -> Path | None:
    found = (one.static_file(name) for one in theming.themes().chain(theme))
    return next((path for path in found if path is not None), None)


def _stamp(path: Path) -> str:
    found = path.stat()
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _version(name: str, rules: str) -> str:
    return f"{name}_{hashlib.sha256(rules.encode()).hexdigest()[:12]}"


def _stylesheet(name: str) -> str:
    """The theme's rules, then the owner's colour: that one wins, whatever the theme."""
    rules = theming.stylesheet(theming.themes(), name)
    rules = _OWN_FILE.sub(lambda found: found[1] + _file_url(name, found[2]), rules)
    color = get(DeskSettings).brand_color
    # The colour that the style sheets have anyway needs no rules, and leaves a theme's own standing.
    return rules if color == DeskSettings().brand_color else rules + brand.stylesheet(color)
