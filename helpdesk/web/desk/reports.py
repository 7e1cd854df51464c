"""Reports: the tables that plugins make over a span of time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

from flask import Response, abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from helpdesk.core.models import User
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Report
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.spans import BadSpan, Span, last_days, parse_span
from helpdesk.web.desk.tables import SHOWN, comma_separated, sheet
from helpdesk.web.session import reader

_HOOK = "register_reports"
_QUICK = (7, 30, 90, 365)
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Offered:
    """A report that the reader may see, in words."""

    plugin: str
    name: str
    title: str
    hint: str
    report: Report


@desk.get("/reports")
def reports() -> str:
    """Every report that the reader may see."""
    return render_template("desk/reports.html", reports=sorted(_offered(reader()), key=lambda one: one.title.lower()))


@desk.get("/reports/<name>")
def report(name: str) -> Any:
    """A report over ``?from=...&to=...``, by the reader's calendar; with ``&format=csv`` as a file."""
    found = next((one for one in _offered(reader()) if one.name == name), None)
    if found is None:
        abort(404)
    typed = {field: request.args.get(field, "").strip() for field in ("from", "to")}
    try:
        span = parse_span(typed["from"], typed["to"])
    except BadSpan as problem:
        return make_response(_page(found, typed, errors={problem.field: str(problem)}), 422)
    if request.args.get("format") == "csv":
        return _file(found, span)
    typed = {"from": span.first.isoformat(), "to": span.last.isoformat()}
    made = _made(found, span, sheet)
    return _page(found, typed, span=span, sheet=made, failed=made is None)


@desk.app_context_processor
def _navigation() -> dict[str, Any]:
    return {"has_reports": lambda: has_reports(current_user._get_current_object())}


def has_reports(user: User) -> bool:
    """Whether there is any report that ``user`` may see."""
    return next(_seen(user), None) is not None


# ---- what is there


def _seen(user: User) -> Iterator[tuple[str, Report]]:
    plugins = manager.current()

    @cache
    def may(permission: str) -> bool:
        return allowed(user, permission)

    for found in plugins.contributions(_HOOK):
        if plugins.finish(found.plugin, _HOOK, partial(may, found.item.permission), False):
            yield found.plugin, found.item


def _offered(user: User) -> list[Offered]:
    plugins = manager.current()
    found = []
    for plugin, item in _seen(user):
        bare = Offered(plugin, item.name, item.name, "", item)
        found.append(plugins.finish(plugin, _HOOK, partial(_named, bare), bare))
    return found


def _named(bare: Offered) -> Offered:
    title, hint = str(bare.report.title or bare.name), str(bare.report.hint or "")
    return Offered(bare.plugin, bare.name, title, hint, bare.report)


# ---- what it says


def _made(found: Offered, span: Span, form: Callable[[Any], _Made]) -> _Made | None:
    """The report in a form, or None when the plugin fails: timed and counted like its hooks."""
    user = reader()

    def make() -> _Made:
        return form(found.report.run(span.start, span.end, user))

    return manager.current().finish(found.plugin, _HOOK, make, None)


def _file(found: Offered, span: Span) -> Response:
    text = _made(found, span, comma_separated)
    if text is None:
        typed = {"from": span.first.isoformat(), "to": span.last.isoformat()}
        return make_response(_page(found, typed, span=span, failed=True), 500)
    answer = Response(text, mimetype="text/csv")
    name = f"{found.name}_{span.first.isoformat()}_{span.last.isoformat()}.csv"
    # Names of reports are of the plugin's making; only what every file system takes is left of them.
    safe = "".join(mark if mark.isascii() and (mark.isalnum() or mark in "._-") else "-" for mark in name)
    answer.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return answer


def _page(found: Offered, typed: dict[str, str], **more: Any) -> str:
    values = {"errors": {}, "span": None, "sheet": None, "failed": False, **more}
    return render_template(
        "desk/report.html", report=found, typed=typed, quick=_quick(found, values["span"]), shown=SHOWN, **values
    )


def _quick(found: Offered, span: Span | None) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is the present one, of the spans that are asked for most."""
    labels = {7: _("7 days"), 30: _("30 days"), 90: _("90 days"), 365: _("A year")}
    links = []
    for days in _QUICK:
        wanted = last_days(days)
        dates: dict[str, Any] = {"from": wanted.first.isoformat(), "to": wanted.last.isoformat()}
        links.append((labels[days], url_for("desk.report", name=found.name, **dates), wanted == span))
    return links
