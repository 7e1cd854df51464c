"""The look of all pages."""

from typing import Any

from flask import abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _

from helpdesk.core import settings
from helpdesk.core.settings import DeskSettings
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.session import reader


@admin.get("/themes")
@needs("theme.edit")
def themes() -> Any:
    """The themes that were found, and which one is in use."""
    found = sorted(current_app.extensions["helpdesk.themes"].values(), key=lambda theme: theme.title)
    return render_template("admin/themes.html", themes=found, current=settings.get(DeskSettings).theme)


@admin.post("/themes/<name>")
@needs("theme.edit")
def use_theme(name: str) -> Any:
    """Use a theme from now on."""
    if name not in current_app.extensions["helpdesk.themes"]:
        abort(404)
    settings.save(DeskSettings, {"theme": name}, reader())
    flash(_("The theme is in use."))
    return redirect(url_for("admin.themes"), 303)
