"""What every template knows: the desk, the reader's language and time, numbers and sizes, the plugins' places."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_timedelta
from flask import Flask, current_app, render_template, url_for
from flask_babel import (
    format_date,
    format_datetime,
    format_decimal,
    get_locale,
    ngettext,
    npgettext,
    pgettext,
    to_user_timezone,
)
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from werkzeug.routing import BuildError

from helpdesk.core import i18n, settings, statuses
from helpdesk.core.clock import now
from helpdesk.core.models import Ticket, User
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import NavItem, Panel


def init_app(app: Flask) -> None:
    """Give templates their globals and filters."""
    app.context_processor(_context)
    app.jinja_env.globals.update(pgettext=pgettext, npgettext=npgettext, ngettext=ngettext, allowed=allowed)
    filters: dict[str, Callable[..., Any]] = {
        "datetime": moment,
        "date": day,
        "ago": ago,
        "filesize": filesize,
        "number": number,
        "status_name": statuses.label,
        "category_name": statuses.category_label,
        "customer_status": statuses.customer_label,
        "priority_name": statuses.priority_label,
    }
    app.jinja_env.filters.update(filters)


def _context() -> dict[str, Any]:
    code = str(get_locale() or i18n.SOURCE_LOCALE)
    return {
        "desk": settings.get(settings.DeskSettings),
        "locale": code,
        "html_lang": i18n.html_lang(code),
        "text_direction": i18n.text_direction(code),
        "locales": i18n.locales(),
        "nav_items": nav_items,
        "now": now,
    }


# ---- words for times, sizes, numbers


def moment(value: datetime | None) -> str:
    """Date and time in the reader's zone and language."""
    return format_datetime(value, "medium") if value else ""


def day(value: datetime | date | None) -> str:
    """A date in the reader's zone and language."""
    if value is None:
        return ""
    return format_date(value, "medium", rebase=isinstance(value, datetime))


def ago(value: datetime | None) -> str:
    """How long ago, short: “11 min”, a weekday within the week, else the date."""
    if value is None:
        return ""
    passed = now() - value
    if passed < timedelta(minutes=1):
        return _("now")
    if passed < timedelta(hours=24):
        return format_timedelta(passed, granularity="minute", threshold=1.0, format="short", locale=get_locale())
    local = to_user_timezone(value)
    if passed < timedelta(days=7):
        return format_date(local, "EEE", rebase=False)
    same_year = local.year == to_user_timezone(now()).year
    return format_date(local, "d MMM" if same_year and get_locale().language != "zh" else "medium", rebase=False)


def filesize(value: int) -> str:
    """Bytes in words: 96 KB, 1.8 MB."""
    size = float(value)
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{format_decimal(round(size, 1) if size < 10 and unit != 'B' else round(size))} {unit}"
        size /= 1024
    return f"{format_decimal(round(size, 1))} GB"


def number(value: int | float) -> str:
    """A number by the reader's rules."""
    return str(format_decimal(value))


# ---- places for plugins


def nav_items() -> list[NavItem]:
    """The plugins' entries in the desk's navigation that the reader may use."""
    user = current_user._get_current_object()
    items = []
    for entry in manager.current().slot("nav_items", user=user):
        item = entry.item
        if not isinstance(item, NavItem) or (item.permission and not allowed(user, item.permission)):
            continue
        try:
            url_for(item.endpoint)
        except BuildError:
            # It stands on every page: an entry that leads nowhere must not take them all with it.
            current_app.logger.error("Plugin %s names a page that is not there: %s", entry.plugin, item.endpoint)
            continue
        items.append(item)
    return sorted(items, key=lambda item: (item.order, str(item.label)))


def ticket_panels(ticket: Ticket, user: User) -> list[tuple[str, Panel | None, Markup]]:
    """The plugins' boxes beside a ticket: (plugin, panel, its HTML). A failed one has no panel and no HTML."""
    boxes: list[tuple[str, Panel | None, Markup]] = []
    for entry in manager.current().slot("ticket_panels", ticket=ticket, user=user):
        panel = entry.item
        if not isinstance(panel, Panel):
            boxes.append((entry.plugin, None, Markup()))
            continue
        if panel.permission and not allowed(user, panel.permission, ticket):
            continue
        try:
            html = Markup(render_template(panel.template, **panel.context, ticket=ticket))
            boxes.append((entry.plugin, panel, html))
        except Exception:  # noqa: BLE001 - one panel must not take the page with it
            current_app.logger.exception("A panel of plugin %s could not be rendered.", entry.plugin)
            boxes.append((entry.plugin, None, Markup()))
    return sorted(boxes, key=lambda box: box[1].order if box[1] else 1000)
