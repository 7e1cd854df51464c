"""What stands above every page of the administration: the desk does not work as it should, and what to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from babel.lists import format_list
from flask import current_app, request, url_for
from flask_babel import format_timedelta, get_locale, ngettext
from flask_babel import gettext as _

from helpdesk.core import holding, hours_editing
from helpdesk.core.backups import lateness, notes
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.holding import Waiting
from helpdesk.core.jobs import workers
from helpdesk.core.permissions import allowed
from helpdesk.web.admin.blueprint import admin
from helpdesk.web.session import reader

_EXTENSION = "helpdesk.notices"
# Asked for so often by each process: an owner sees it soon enough, and pages stay cheap.
_LASTS = timedelta(seconds=10)


@dataclass(frozen=True)
class Notice:
    """One sentence with the ways on from it: (words, address)."""

    text: str
    ways: tuple[tuple[str, str], ...] = ()
    tone: str = ""


@dataclass(frozen=True)
class _Standing:
    """What the database said a moment ago of how the desk does."""

    at: datetime
    held: bool
    workers: str
    waiting: Waiting | None


@admin.context_processor
def _context() -> dict[str, Any]:
    return {"notices": notices}


def notices() -> list[Notice]:
    """What is to be said now, to whoever may do something about it. At most once in ten seconds a query or two."""
    if not allowed(reader(), "job.read"):
        return []
    standing = _standing()
    found = [_of_hold(standing), _of_workers(standing), _of_backups(), _of_holidays()]
    return [notice for notice in found if notice is not None]


def _standing() -> _Standing:
    seen: _Standing | None = current_app.extensions.get(_EXTENSION)
    moment, held = now(), holding.held_since() is not None
    if seen is None or seen.held != held or not seen.at <= moment < seen.at + _LASTS:
        waiting = holding.waiting(db.session.connection()) if held else None
        seen = _Standing(moment, held, workers.condition(), waiting)
        current_app.extensions[_EXTENSION] = seen
    return seen


def _of_hold(standing: _Standing) -> Notice | None:
    if standing.waiting is None:
        return None
    said = _("Nothing is sent and no schedule runs until you let it: %(what)s.", what=_in_words(standing.waiting))
    return Notice(said, _ways_of_hold(), "warn")


def _ways_of_hold() -> tuple[tuple[str, str], ...]:
    ways = ((_("Look"), url_for("admin.held")),)
    if not allowed(reader(), "job.edit"):
        return ways
    return (*ways, (_("Let them go"), url_for("admin.held", _anchor="release")))


def _in_words(waiting: Waiting) -> str:
    """How much waits, such as “12 messages wait, 40 jobs wait, and 3 schedules are due”."""
    parts = [
        ngettext("%(num)s message waits", "%(num)s messages wait", waiting.messages),
        ngettext("%(num)s job waits", "%(num)s jobs wait", waiting.jobs),
        ngettext("%(num)s schedule is due", "%(num)s schedules are due", waiting.schedules),
    ]
    return str(format_list(parts, "standard", locale=get_locale()))


def _of_workers(standing: _Standing) -> Notice | None:
    ways = ((_("Workers"), url_for("admin.workers")),)
    if standing.workers == workers.NONE:
        return Notice(_("No worker is at work: nothing is sent, and nothing is taken in."), ways)
    if standing.workers == workers.OTHER_VERSION:
        said = _("A worker runs another version of the desk than this page. Start all of them anew.")
        return Notice(said, ways, "warn")
    return None


def _of_backups() -> Notice | None:
    # Looked for each time: some small files, and whoever has just made a backup is not told that there is none.
    config: Config = current_app.config["HELPDESK"]
    last = notes.last_good(config.paths.backups)
    ways = ((_("Backups"), url_for("admin.backups")),)
    if not lateness.is_late(last):
        return None
    if last is None:
        # The page of backups says so itself.
        here = request.endpoint == "admin.backups"
        return None if here else Notice(_("There is no backup of this desk yet."), ways, "info")
    age = now() - last.made_at
    return Notice(_("The last good backup is %(age)s old.", age=format_timedelta(age)), ways, "warn")


def _of_holidays() -> Notice | None:
    for hours, year in hours_editing.without_holidays():
        said = _(
            "The public holidays of %(year)s are not known yet for the hours “%(name)s”.", year=year, name=hours.name
        )
        return Notice(said, ((_("Look"), url_for("admin.hours", hours_id=hours.id)),), "warn")
    return None
