"""What every template knows: the desk, the reader's language and time, numbers and sizes."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from babel import dates
from flask import Flask, g, url_for
from flask_babel import (
    format_date,
    format_decimal,
    format_time,
    get_locale,
    ngettext,
    npgettext,
    pgettext,
    to_user_timezone,
)
from flask_babel import gettext as _
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from helpdesk.core import catalogs, holding, i18n, labels, settings, statuses, ticket_types, topics, user_agents
from helpdesk.core.clock import now
from helpdesk.core.direction import as_written_in
from helpdesk.core.permissions import allowed
from helpdesk.web import once, places


def init_app(app: Flask) -> None:
    """Give templates their globals and filters."""
    app.context_processor(_context)
    app.jinja_env.globals.update(pgettext=pgettext, npgettext=npgettext, ngettext=ngettext, allowed=allowed)
    app.jinja_env.globals["_"] = words
    # Around a macro: what it makes of the same arguments is made once for a page. Lists repeat themselves.
    app.jinja_env.globals["made_once"] = cache
    app.jinja_env.globals["icon_sheet"] = icon_sheet
    app.jinja_env.globals.update(type_options=ticket_types.options, topic_options=topics.options)
    app.jinja_env.globals["form_key"] = once.form_key
    app.jinja_env.globals["is_held"] = lambda: holding.held_since() is not None
    filters: dict[str, Callable[..., Any]] = {
        "browser_name": user_agents.name_of,
        "datetime": moment,
        "date": day,
        "minute": minute,
        "weekday": weekday,
        "ago": ago,
        "filesize": filesize,
        "number": number,
        "status_name": statuses.label,
        "team_name": labels.team_name,
        "type_name": ticket_types.label,
        "topic_name": topics.full_name,
        "field_name": labels.field_label,
        "choice_name": lambda choice, field: labels.choice_label(field, choice),
        "category_name": statuses.category_label,
        "customer_status": statuses.customer_label,
        "priority_name": statuses.priority_label,
    }
    app.jinja_env.filters.update(filters)


def _context() -> dict[str, Any]:
    code = catalogs.code()
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


@pass_eval_context
def words(context: EvalContext, text: str, /, **values: Any) -> str:
    """``_()`` of templates, which a page calls hundreds of times: Jinja's own goes through four calls."""
    found: str = catalogs.spoken().gettext(text)
    if context.autoescape:
        found = Markup(found)  # nosec B704 # a text of the desk's; values are escaped as they are filled in
    return found % values if values or "%" in found else found


# ---- words for times, sizes, numbers

# Babel takes long for them, and the same moments are shown on page after page.
_KEPT = 4096


def moment(value: datetime | None) -> str:
    """Date and time in the reader's zone and language."""
    if value is None:
        return ""
    return _written(_day_and_time(to_user_timezone(value).replace(tzinfo=None, microsecond=0), catalogs.code()))


@lru_cache(_KEPT)
def _day_and_time(local: datetime, code: str) -> str:
    return dates.format_datetime(local, "medium", locale=code)


@lru_cache(_KEPT)
def _day_as(day: date, pattern: str, code: str) -> str:
    return dates.format_date(day, pattern, locale=code)


@lru_cache(_KEPT)
def _day_of(day: date, skeleton: str, code: str) -> str:
    return dates.format_skeleton(skeleton, day, locale=code)


def day_of(day: date, skeleton: str) -> str:
    """The parts of a date that a skeleton of CLDR names ("EEE", "MMMd"), as the reader's language orders them."""
    return _day_of(day, skeleton, catalogs.code())


def minute(value: datetime | None) -> str:
    """Date and time without seconds, in the reader's zone and language: what people set themselves."""
    if value is None:
        return ""
    # Translators: a date and the time on that day: "Nov 27, 2026, 5:00 PM"
    return _written(_("%(day)s, %(time)s", day=format_date(value, "medium"), time=format_time(value, "short")))


def day(value: datetime | date | None) -> str:
    """A date in the reader's zone and language."""
    if value is None:
        return ""
    return _written(format_date(value, "medium", rebase=isinstance(value, datetime)))


def weekday(value: date) -> str:
    """A day of a calendar with its weekday, short, in the reader's language: Tue, 3 Nov."""
    return _written(day_of(value, "MMMEd"))


def _written(text: str) -> str:
    return as_written_in(catalogs.code(), text)


def ago(value: datetime | None) -> str:
    """How long ago, short: “11 min”, a weekday within the week, else the date."""
    if value is None:
        return ""
    passed = now() - value
    if passed < timedelta(minutes=1):
        return _("now")
    if passed < timedelta(hours=24):
        return dates.format_timedelta(passed, granularity="minute", threshold=1.0, format="short", locale=get_locale())
    local, code = to_user_timezone(value).date(), catalogs.code()
    if passed < timedelta(days=7):
        return _day_as(local, "EEE", code)
    same_year = local.year == to_user_timezone(now()).year
    return _day_as(local, "d MMM" if same_year and not code.startswith("zh") else "medium", code)


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
