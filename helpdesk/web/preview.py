"""A theme that one administrator tries out: the whole desk and the customers' pages, in their session only."""

import re
import time
from typing import Any

from flask import Response, current_app, g, render_template, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from helpdesk.core import theming
from helpdesk.core.permissions import allowed
from helpdesk.core.theming import Theme
from helpdesk.core.theming.theme import SHIPPED as SHIPPED_ORIGIN

_KEY = "theme_preview"
# It ends by itself: whoever forgets it would wonder for weeks why the desk looks like that.
_SECONDS = 3600
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


# What the shipped themes say of themselves (theme.toml), so that translators find it.
SHIPPED = (
    _l("Default"),
    _l("Paper, ink and petrol."),
    _l("Ember"),
    _l("Rust and sand, with rounder corners."),
    _l("High contrast"),
    _l("Black and white with strong edges, for eyes that need them."),
)


def shipped_words(theme: Theme, text: str) -> str:
    """A text of a theme's theme.toml, in the reader's language when the theme came with the desk."""
    return _(text) if text and theme.origin == SHIPPED_ORIGIN else text


def start(name: str, scheme: str) -> None:
    """Show the desk to this session as it is with a theme. ``scheme``: "light", "dark", or "" for the reader's own."""
    session[_KEY] = {"name": name, "scheme": scheme, "by": current_user.get_id(), "until": time.time() + _SECONDS}
    prepare()


def stop() -> None:
    """Show the desk as everybody sees it."""
    session.pop(_KEY, None)
    prepare()


def prepare() -> None:
    """Before a request: note the theme that is tried out. Static files ask nobody who they are."""
    g.theme_preview, g.theme_preview_scheme = None, ""
    if request.endpoint in ("static", "look.theme_css"):
        return
    # A reader of "look.theme_file" is asked only where the address does not say which theme.
    if request.endpoint == "look.theme_file" and "theme" in request.args:
        return
    said = session.get(_KEY)
    if said and _is_theirs(said):
        g.theme_preview, g.theme_preview_scheme = said["name"], said.get("scheme") or ""


def _is_theirs(said: Any) -> bool:
    return (
        said["until"] > time.time()
        and current_user.is_authenticated
        and current_user.get_id() == said["by"]
        and allowed(current_user, "theme.edit")
        and said["name"] in theming.themes()
    )


def context() -> dict[str, Any]:
    """What templates get: the scheme that the bar chose overrules the reader's."""
    scheme = g.get("theme_preview_scheme")
    return {"page_scheme": scheme} if scheme else {}


def add_bar(response: Response) -> Response:
    """The bar that says what is previewed. It is put into the finished page, so that no theme can leave it out."""
    name = g.get("theme_preview")
    if not name or response.mimetype != "text/html" or response.direct_passthrough or response.is_streamed:
        return response
    page = response.get_data(as_text=True)
    ends = list(_BODY_END.finditer(page))
    theme = theming.themes().get(name)
    if not ends or theme is None:
        return response
    try:
        bar = render_template(
            "look/preview_bar.html", theme=theme, title=shipped_words(theme, theme.title), scheme=g.theme_preview_scheme
        )
    except Exception:  # noqa: BLE001 - the page itself is there; the room of the themes ends a preview as well
        current_app.logger.exception("The bar of the preview could not be made.")
        return response
    at = ends[-1].start()
    response.set_data(page[:at] + bar + page[at:])
    return response
