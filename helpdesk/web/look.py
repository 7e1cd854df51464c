"""What every page's look needs from the server: the owner's colours, the reader's language, words for templates."""

import hashlib
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, redirect, request, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

from helpdesk.core import i18n
from helpdesk.core.settings import DeskSettings, get
from helpdesk.core.theming import Theme, current_name
from helpdesk.web import brand

look = Blueprint("look", __name__)

YEAR = 365 * 24 * 3600


@look.get("/theme.css")
def theme_css() -> Response:
    """The owner's colour as CSS variables: written here, so that no page needs an inline style."""
    answer = Response(_stylesheet(), mimetype="text/css")
    answer.cache_control.public = True
    answer.cache_control.max_age = YEAR if request.args.get("v") == look_version() else 60
    return answer


@look.post("/language")
def language() -> BaseResponse:
    """Remember the language of this visit and go back to where the reader was."""
    code = i18n.known_locale(request.form.get("locale"))
    if code is None:
        abort(422)
    answer = redirect(local_path(request.form.get("next")) or url_for("portal.home"), 303)
    answer.set_cookie("locale", code, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
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
    """Changes when the stylesheet of :func:`theme_css` does, so that browsers may keep it for long."""
    return hashlib.sha256(_stylesheet().encode()).hexdigest()[:12]


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
    """A picture or font of the theme in use."""
    theme = _theme()
    if theme is None:
        abort(404)
    return send_from_directory(theme.static, name, max_age=3600)


def _theme() -> Theme | None:
    themes: dict[str, Theme] = current_app.extensions["helpdesk.themes"]
    return themes.get(current_name())


def _stylesheet() -> str:
    """The theme's rules, then the owner's colour: that one wins, whatever the theme."""
    theme = _theme()
    rules = theme.stylesheet.read_text(encoding="utf-8") if theme is not None and theme.stylesheet else ""
    color = get(DeskSettings).brand_color
    # The colour that the style sheets have anyway needs no rules, and leaves a theme's own standing.
    return rules if color == DeskSettings().brand_color else rules + brand.stylesheet(color)
