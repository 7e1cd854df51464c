"""Settings of the desk and the plugins; the forms are made from the dataclasses."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import settings as core
from helpdesk.core.settings import InvalidSettings, RequestSettings, SecuritySettings
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel, CheckStep, SettingsGroup
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.proving import missing_proof
from helpdesk.web.session import reader
from helpdesk.web.settings_form import FormField, fields_of, shown_fields, values_of


@admin.get("/settings")
@needs("setting.edit")
def settings() -> Any:
    """Every group of settings; ``q`` finds settings by their words."""
    words = " ".join(request.args.get("q", "").lower().split())
    found = [(group, _matching(fields_of(group), words)) for group in core.groups()]
    return render_template("admin/settings.html", found=[pair for pair in found if pair[1]], words=words)


@admin.get("/settings/<name>")
@needs("setting.edit")
def settings_group(name: str) -> Any:
    """The form of one group."""
    return _page(_group(name))


@admin.post("/settings/<name>")
@needs("setting.edit")
def save_settings(name: str) -> Any:
    """Keep a group; with ``then=check`` try the connection afterwards."""
    group = _group(name)
    values = values_of(group, request.form)
    if _is_dangerous(group) and (question := missing_proof()) is not None:
        return question
    try:
        core.save(group.model, values, reader())
    except InvalidSettings as problem:
        return _page(group, values, problem.errors)
    flash(_("The settings were saved."))
    channel = _channel(group)
    if request.form.get("then") == "check" and channel is not None and channel.check is not None:
        return _page(group, checks=list(channel.check(reader().email or "")))
    return redirect(url_for("admin.settings_group", name=name), 303)


def _is_dangerous(group: SettingsGroup) -> bool:
    """Whether a group says how people sign in, which servers of the own network are asked, or holds secrets.

    Where the name of a server is changed, its secrets go there.
    """
    return group.model in (RequestSettings, SecuritySettings) or any(
        field.metadata.get("secret") for field in shown_fields(group.model)
    )


def _matching(fields: list[FormField], words: str) -> list[FormField]:
    return [item for item in fields if words in f"{item.name} {item.label} {item.hint}".lower()]


def _group(name: str) -> SettingsGroup:
    group = core.group(name)
    if group is None:
        abort(404)
    return group


def _channel(group: SettingsGroup) -> Channel | None:
    channel: Channel | None = manager.current().find("register_channels", group.name)
    return channel


def _page(
    group: SettingsGroup,
    typed: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    checks: list[CheckStep] | None = None,
) -> Any:
    channel = _channel(group)
    page = render_template(
        "admin/settings_group.html",
        group=group,
        fields=fields_of(group, typed, errors),
        checks=checks or [],
        can_check=channel is not None and channel.check is not None,
    )
    return make_response(page, 422 if errors else 200)
