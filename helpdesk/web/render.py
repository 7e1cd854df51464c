"""What every template knows: the desk, the reader's language and time, numbers and sizes."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_timedelta
from flask import Flask, g, url_for
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

from helpdesk.core import holding, i18n, labels, settings, statuses, user_agents
from helpdesk.core.clock import now
from helpdesk.core.direction import as_written_in
from helpdesk.core.permissions import allowed
from helpdesk.web import once, places


def init_app(app: Flask) -> None:
    """Give templates their globals and filters."""
    app.context_processor(_context)
    app.jinja_env.globals.update(pgettext=pgettext, npgettext=npgettext, ngettext=ngettext, allowed=allowed)
    app.jinja_env.globals["icon_sheet"] = icon_sheet
    app.jinja_env.globals["form_key"] = once.form_key
    app.jinja_env.globals["is_held"] = lambda: holding.held_since() is not None
    filters: dict[str, Callable[..., Any]] = {
        "browser_name": user_agents.name_of,
        "datetime": moment,
        "date": day,
        "ago": ago,
        "filesize": filesize,
        "number": number,
        "status_name": statuses.label,
        "team_name": labels.team_name,
        "field_name": labels.field_label,
        "choice_name": lambda choice, field: labels.choice_label(field, choice),
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
        "nav_items": lambda: places.nav_items(current_user._get_current_object()),
        "now": now,
    }


def icon_sheet() -> str:
    """The address of the file with the icons, made once for each request: a page shows a hundred of them."""
    found: str | None = g.get("icon_sheet")
    if found is None:
        found = g.icon_sheet = url_for("static", filename="icons.svg")
    return found


# ---- words for times, sizes, numbers


def moment(value: datetime | None) -> str:
    """Date and time in the reader's zone and language."""
    return _written(format_datetime(value, "medium")) if value else ""


def day(value: datetime | date | None) -> str:
    """A date in the reader's zone and language."""
    if value is None:
        return ""
    return _written(format_date(value, "medium", rebase=isinstance(value, datetime)))


def _written(words: str) -> str:
    return as_written_in(str(get_locale() or ""), words)


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
