"""The look of all pages: themes as cards, each with a picture, its faults, a preview and a button."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import settings, theming
from helpdesk.core.settings import DeskSettings
from helpdesk.core.theming import Finding, Theme
from helpdesk.web import preview
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.look import local_path
from helpdesk.web.session import reader


@dataclass(frozen=True)
class Card:
    """One theme as the page shows it."""

    theme: Theme
    title: str
    description: str
    # For light and for dark: token to colour.
    swatches: tuple[dict[str, str], dict[str, str]]
    findings: list[Finding]

    @property
    def bad(self) -> list[Finding]:
        return [one for one in self.findings if one.bad]

    @property
    def advice(self) -> list[Finding]:
        return [one for one in self.findings if not one.bad]


@admin.get("/themes")
@needs("theme.edit")
def themes() -> Any:
    """The themes that were found, which one is in use, and those that cannot be used with the reason."""
    found = theming.themes()
    current = theming.used_name()
    return render_template(
        "admin/themes.html",
        cards=sorted((_card(theme) for theme in found.values()), key=lambda card: card.title.casefold()),
        left_out=found.left_out,
        current=current,
        is_missing=current not in found,
    )


@admin.post("/themes/<name>")
@needs("theme.edit")
def use_theme(name: str) -> Any:
    """Use a theme from now on; a preview ends with it."""
    if name not in theming.themes():
        abort(404)
    settings.save(DeskSettings, {"theme": name}, reader())
    preview.stop()
    flash(_("The theme is in use."))
    return redirect(url_for("admin.themes"), 303)


@admin.post("/themes/<name>/preview")
@needs("theme.edit")
def preview_theme(name: str) -> Any:
    """Show the desk to this administrator as it is with a theme, until they stop it or an hour has passed."""
    if name not in theming.themes():
        abort(404)
    scheme = request.form.get("scheme", "")
    preview.start(name, scheme if scheme in ("light", "dark") else "")
    return redirect(local_path(request.form.get("next")) or url_for("admin.themes"), 303)


@admin.post("/theme-preview/stop")
@needs("theme.edit")
def stop_preview() -> Any:
    """Show the desk as everybody sees it."""
    preview.stop()
    return redirect(local_path(request.form.get("next")) or url_for("admin.themes"), 303)


def _card(theme: Theme) -> Card:
    found = theming.themes()
    palette = theming.palette(found, theme.name)
    light = {token: pair[0] for token, pair in palette.items()}
    dark = {token: pair[1] for token, pair in palette.items()}
    return Card(
        theme,
        preview.shipped_words(theme, theme.title),
        preview.shipped_words(theme, theme.description),
        (light, dark),
        theming.check(found, theme),
    )
